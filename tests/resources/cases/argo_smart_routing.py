"""Smart routing of the zone example.com for the suites over all kinds."""

from trailboss.resources.argo_smart_routing import ArgoSmartRouting

BARE = ArgoSmartRouting("example.com", "off")
FULL = ArgoSmartRouting("example.com", "on")
BEFORE: tuple[tuple[str, object], ...] = ()
