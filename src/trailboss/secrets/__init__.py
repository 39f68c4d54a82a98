"""References and where they resolve."""
