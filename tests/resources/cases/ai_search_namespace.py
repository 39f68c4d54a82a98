"""A ai_search_namespace for the suites over all kinds."""

from trailboss.resources.ai_search_namespace import AISearchNamespace

BARE = AISearchNamespace("shop-search")
FULL = AISearchNamespace("shop-search")
BEFORE: tuple[tuple[str, object], ...] = ()
