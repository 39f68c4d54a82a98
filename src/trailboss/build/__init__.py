"""A Worker project becomes an immutable artifact, and an artifact becomes exactly wrangler's upload."""
