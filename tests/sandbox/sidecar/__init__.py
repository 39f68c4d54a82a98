"""The Node side-car, driven as Python drives it: a real process over HTTP."""
