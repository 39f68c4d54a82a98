"""Watching Workers that are live: the tail, its filters and its renderers."""
