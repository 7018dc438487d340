"""What calls cost: the same recordings through both paths, in turn, with nothing else going on."""
