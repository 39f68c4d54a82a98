"""One file per command group: parse, call a room, print. No logic."""
