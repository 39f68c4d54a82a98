"""A r2_bucket for the suites over all kinds."""

from trailboss.resources.r2_bucket import R2Bucket

BARE = R2Bucket("shop-files", "eu")
FULL = R2Bucket("shop-files", "eu", storage_class="InfrequentAccess")
BEFORE: tuple[tuple[str, object], ...] = ()
