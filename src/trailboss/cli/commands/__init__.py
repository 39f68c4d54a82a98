"""One file per command group. Loaded only when one of its commands runs."""
