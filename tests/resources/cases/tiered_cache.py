"""The tiered cache of the zone example.com for the suites over all kinds."""

from trailboss.resources.tiered_cache import TieredCache

BARE = TieredCache("example.com")
FULL = TieredCache("example.com", "on", "on", "on")
BEFORE: tuple[tuple[str, object], ...] = ()
