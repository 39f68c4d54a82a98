"""A dispatch_namespace for the suites over all kinds."""

from trailboss.resources.dispatch_namespace import DispatchNamespace

BARE = DispatchNamespace("shop-tenants")
FULL = DispatchNamespace("shop-tenants")
BEFORE: tuple[tuple[str, object], ...] = ()
