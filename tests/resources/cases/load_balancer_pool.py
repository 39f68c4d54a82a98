"""A pool for the suites over all kinds."""

from trailboss.resources.load_balancer_monitor import LoadBalancerMonitor
from trailboss.resources.load_balancer_pool import LoadBalancerPool

_ONE = {"name": "one", "address": "192.0.2.1"}
_TWO = {
    "name": "two",
    "address": "two.example.com",
    "port": 8443,
    "weight": 0.5,
    "enabled": False,
    "header": {"Host": ["shop.example.com"]},
}
BARE = LoadBalancerPool("shop-pool", (_ONE,))
FULL = LoadBalancerPool(
    "shop-pool",
    (_TWO, _ONE),
    "shop-front",
    True,
    2,
    "both sides",
    ("WEU", "ENAM"),
    52.1,
    4.3,
    {"policy": "hash"},
    {"default_percent": 10, "default_policy": "random"},
    {"pool": {"healthy": False}},
)
BEFORE: tuple[tuple[str, object], ...] = (("load_balancer_monitor", LoadBalancerMonitor("shop-front")),)
