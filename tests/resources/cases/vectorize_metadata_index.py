"""A metadata index for the suites over all kinds."""

from trailboss.resources.vectorize_index import VectorizeIndex
from trailboss.resources.vectorize_metadata_index import VectorizeMetadataIndex

BARE = FULL = VectorizeMetadataIndex("docs", "url", "number")
BEFORE: tuple[tuple[str, object], ...] = (("vectorize_index", VectorizeIndex("docs", 3, "cosine")),)
