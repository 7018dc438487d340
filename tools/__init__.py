"""Pages of the documentation that are made from results; none of it is in a distribution."""
