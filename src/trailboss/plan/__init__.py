"""Wanted and observed become a graph, a plan, and an apply. Knows no kind by name."""
