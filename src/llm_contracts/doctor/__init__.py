"""Is everything fit for use? See `run`."""
