"""A custom domain for the suites over all kinds; the Worker `WORKER` must be there."""

from trailboss.resources.custom_domain import CustomDomain

WORKER = "shop"
BARE = CustomDomain("shop.example.com", WORKER)
FULL = CustomDomain("shop.example.com", WORKER, zone_name="example.com", enabled=False, previews_enabled=True)
BEFORE: tuple[tuple[str, object], ...] = ()
