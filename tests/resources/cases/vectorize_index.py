"""A vectorize_index for the suites over all kinds."""

from trailboss.resources.vectorize_index import VectorizeIndex

BARE = VectorizeIndex("docs", 768, "cosine")
FULL = VectorizeIndex("docs", 768, "cosine")
BEFORE: tuple[tuple[str, object], ...] = ()
