"""A monitor for the suites over all kinds."""

from trailboss.resources.load_balancer_monitor import LoadBalancerMonitor

BARE = LoadBalancerMonitor("shop-front")
FULL = LoadBalancerMonitor(
    "shop-front",
    "https",
    "HEAD",
    "/health",
    8443,
    "2xx,302",
    "fine",
    {"Host": ["shop.example.com"]},
    30,
    3,
    1,
    2,
    3,
    True,
    True,
    "example.com",
)
BEFORE: tuple[tuple[str, object], ...] = ()
