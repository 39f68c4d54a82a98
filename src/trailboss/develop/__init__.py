"""The development loop."""
