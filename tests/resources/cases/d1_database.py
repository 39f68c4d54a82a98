"""A d1_database for the suites over all kinds."""

from trailboss.resources.d1_database import D1Database

BARE = D1Database("shop-db")
FULL = D1Database("shop-db", read_replication="auto")
BEFORE: tuple[tuple[str, object], ...] = ()
