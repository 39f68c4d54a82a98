"""Life stories of tunnels, private networks and Access."""

from __future__ import annotations

import base64
from typing import Any

from tests.sandbox.walk.walker import Walk


def tunnels(walk: Walk) -> None:
    product, here = walk.sdk.zero_trust.tunnels.cloudflared, walk.here
    secret = base64.b64encode(b"s" * 32).decode()
    made = product.create(name="office", config_src="cloudflare", tunnel_secret=secret, **here).id
    assert made is not None
    assert product.edit(made, name="home", **here).name == "home"
    assert product.get(made, **here).status == "inactive"
    assert [item.id for item in product.list(is_deleted=False, **here)] == [made]
    assert [item.id for item in walk.sdk.zero_trust.tunnels.list(name="home", **here)] == [made]
    assert product.token.get(made, **here)
    assert product.management.create(made, resources=["logs"], **here).count(".") == 2
    _configured(walk, made)
    product.delete(made, **here)
    assert [item.id for item in product.list(is_deleted=True, **here)] == [made]


def _configured(walk: Walk, tunnel: str) -> None:
    product, here = walk.sdk.zero_trust.tunnels.cloudflared, walk.here
    rules = [{"hostname": "a.example.com", "service": "hello_world"}, {"service": "http_status:404"}]
    walk.plain("PUT", f"cfd_tunnel/{tunnel}/configurations", json={"config": {"ingress": rules}})
    assert walk.plain("GET", f"cfd_tunnel/{tunnel}/configurations")["version"] == 1
    (connector,) = product.connections.get(tunnel, **here)
    assert connector.id is not None
    assert product.connectors.get(connector.id, tunnel_id=tunnel, **here).id == connector.id
    product.connections.delete(tunnel, **here)
    assert list(product.connections.get(tunnel, **here)) == []


def networks(walk: Walk) -> None:
    product, here = walk.sdk.zero_trust.networks, walk.here
    tunnel = str(walk.sdk.zero_trust.tunnels.cloudflared.create(name="lan", **here).id)
    (default,) = product.virtual_networks.list(**here)
    assert default.is_default_network
    network = product.virtual_networks.create(name="lab", comment="a", **here).id
    assert product.virtual_networks.edit(network, comment="b", **here).comment == "b"
    assert product.virtual_networks.get(network, **here).name == "lab"
    route = product.routes.create(network="10.0.0.0/8", tunnel_id=tunnel, **here).id
    assert route is not None
    assert product.routes.edit(route, comment="ours", **here).comment == "ours"
    assert product.routes.get(route, **here).network == "10.0.0.0/8"
    assert [item.tunnel_name for item in product.routes.list(network_superset="10.1.0.0/16", **here)] == [
        "lan"
    ]
    assert product.routes.ips.get("10.1.2.3", **here).id == route
    name = product.hostname_routes.create(hostname="wiki.internal", tunnel_id=tunnel, **here).id
    assert name is not None
    assert product.hostname_routes.edit(name, comment="ours", **here).comment == "ours"
    assert product.hostname_routes.get(name, **here).tunnel_name == "lan"
    assert [item.id for item in product.hostname_routes.list(**here)] == [name]
    product.hostname_routes.delete(name, **here)
    product.routes.delete(route, **here)
    product.virtual_networks.delete(network, **here)
    walk.sdk.zero_trust.tunnels.cloudflared.delete(tunnel, **here)


STORIES: Any = (tunnels, networks)
