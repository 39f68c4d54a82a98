"""Every route once: through the official SDK where that can be, over plain HTTP where it cannot."""
