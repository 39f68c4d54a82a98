"""The `metadata` part of an upload: bindings by family, and everything else an upload carries besides
code."""
