"""Tail, filters and sinks."""
