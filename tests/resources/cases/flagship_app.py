"""A flagship_app for the suites over all kinds."""

from trailboss.resources.flagship_app import FlagshipApp

BARE = FlagshipApp("shop-flags")
FULL = FlagshipApp("shop-flags")
BEFORE: tuple[tuple[str, object], ...] = ()
