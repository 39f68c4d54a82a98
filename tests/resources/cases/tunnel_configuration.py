"""A tunnel's configuration for the suites over all kinds; BEFORE makes its tunnel."""

from trailboss.resources.cloudflared_tunnel import CloudflaredTunnel
from trailboss.resources.marks import Ref
from trailboss.resources.tunnel_configuration import TunnelConfiguration

TUNNEL = Ref("cloudflared_tunnel", "shop-dev")
BARE = TunnelConfiguration(TUNNEL, ({"hostname": "dev.example.com", "service": "http://localhost:1"},))
FULL = TunnelConfiguration(
    TUNNEL,
    (
        {"hostname": "dev.example.com", "path": "^/api", "service": "https://localhost:2"},
        {
            "hostname": "*.example.com",
            "service": "tcp://localhost:3",
            "origin_request": {"connect_timeout": 5, "no_tls_verify": True},
        },
        {"service": "http_status:503"},
    ),
    origin_request={"no_tls_verify": False, "match_sni_to_host": True, "http2_origin": False},
    warp_routing={"connect_timeout": 5},
)
BEFORE: tuple[tuple[str, object], ...] = (("cloudflared_tunnel", CloudflaredTunnel("shop-dev")),)
