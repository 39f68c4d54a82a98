"""A tunnel for the suites over all kinds."""

from trailboss.resources.cloudflared_tunnel import CloudflaredTunnel

BARE = CloudflaredTunnel("shop-dev")
FULL = CloudflaredTunnel("shop-dev", config_src="cloudflare", tunnel_secret="${TUNNEL_SECRET}")
SECRETS = {"${TUNNEL_SECRET}": "c2VjcmV0LW9mLWEtdHVubmVsLWluLXRoZS10ZXN0cy4="}
BEFORE: tuple[tuple[str, object], ...] = ()
