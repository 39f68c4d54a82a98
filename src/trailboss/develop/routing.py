"""`tunnel route`: where a public host name leads, both halves of it: the DNS record and the ingress rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.develop.hostnames import ensure_record, find_place, public_url, remove_record
from trailboss.develop.tunnels import (
    Rule,
    Tunnel,
    ensure_tunnel,
    find_tunnel,
    put_rule,
    read_rules,
    remove_rule,
)

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Routed:
    """What `tunnel route` made sure of; `changed` says whether anything had to be done."""

    tunnel: str
    tunnel_id: str
    hostname: str
    service: str | None
    zone: str
    url: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A tunnel with the host names that lead to it."""

    tunnel: Tunnel
    rules: tuple[Rule, ...]


async def show(cloud: Cloud, name: str) -> Shown:
    """A tunnel and its rules. Raises NotFound TB2311."""
    tunnel = await find_tunnel(cloud, name)
    return Shown(tunnel, await read_rules(cloud, tunnel))


async def route(
    cloud: Cloud, name: str, hostname: str, service: str | None, *, force: bool = False, make: bool = False
) -> Routed:
    """Lead `hostname` to the tunnel, and there to `service` (None: the rules stay as they are).

    With `make` the tunnel is made when there is none.

    Raises:
        NotFound: TB2311, TB2312. UsageError: TB9474. RefusedError: TB9472, TB9475.
    """
    place = await find_place(cloud, hostname)
    tunnel = (await ensure_tunnel(cloud, name))[0] if make else await find_tunnel(cloud, name)
    changed = False
    if service is not None:
        changed = await put_rule(cloud, tunnel, Rule(place.hostname, service), force=force)
    changed = await ensure_record(cloud, place, tunnel, force=force) or changed
    url = public_url(cloud, place.hostname)
    return Routed(tunnel.name, tunnel.id, place.hostname, service, place.zone, url, changed)


async def unroute(cloud: Cloud, name: str, hostname: str) -> Routed:
    """Take rule and record of `hostname` away, where they lead to this tunnel.

    Raises:
        NotFound: TB2311, TB2312. UsageError: TB9474.
    """
    place = await find_place(cloud, hostname)
    tunnel = await find_tunnel(cloud, name)
    changed = await remove_rule(cloud, tunnel, place.hostname)
    changed = await remove_record(cloud, place, tunnel) or changed
    url = public_url(cloud, place.hostname)
    return Routed(tunnel.name, tunnel.id, place.hostname, None, place.zone, url, changed)
