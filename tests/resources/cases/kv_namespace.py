"""A kv_namespace for the suites over all kinds."""

from trailboss.resources.kv_namespace import KVNamespace

BARE = KVNamespace("shop-cache")
FULL = KVNamespace("shop-cache")
BEFORE: tuple[tuple[str, object], ...] = ()
