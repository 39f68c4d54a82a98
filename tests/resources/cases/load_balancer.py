"""A load balancer, in the zone example.com for the suites over all kinds."""

from trailboss.resources.load_balancer import LoadBalancer
from trailboss.resources.load_balancer_pool import LoadBalancerPool

POOL = LoadBalancerPool("shop-pool", ({"name": "one", "address": "192.0.2.1"},))
BARE = LoadBalancer("example.com", "shop.example.com", ("shop-pool",), "shop-pool")
FULL = LoadBalancer(
    "example.com",
    "shop.example.com",
    ("shop-pool",),
    "shop-pool",
    proxied=True,
    enabled=False,
    description="the front door",
    steering_policy="random",
    random_steering={"default_weight": 0.5},
    adaptive_routing={"failover_across_pools": True},
    location_strategy={"mode": "pop", "prefer_ecs": "never"},
    session_affinity="cookie",
    session_affinity_ttl=3600,
    session_affinity_attributes={"samesite": "Strict", "drain_duration": 60},
    rules=({"name": "login", "condition": 'http.request.uri.path eq "/login"', "overrides": {"ttl": 60}},),
)
BEFORE: tuple[tuple[str, object], ...] = (("load_balancer_pool", POOL),)
