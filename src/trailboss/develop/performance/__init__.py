"""Performance tests: load at a steady rate, in rounds; rounds compared with those of a stored baseline."""
