"""`tunnel route`: where a public host name leads, both halves of it: the DNS record and the ingress rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.develop.files import RECORD
from trailboss.develop.hostnames import ensure_record, find_place, public_url, remove_record
from trailboss.develop.rules import drop_rule, keep_rule
from trailboss.develop.tunnels import (
    Rule,
    Tunnel,
    delete_tunnel,
    find_tunnel,
    need_idle,
    read_rules,
)
from trailboss.errors import RefusedError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.develop.files import Files


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
    cloud: Cloud,
    name: str,
    hostname: str,
    service: str | None,
    *,
    force: bool = False,
    files: Files | None = None,
) -> Routed:
    """Lead `hostname` to the tunnel, and there to `service` (None: the rules stay as they are).

    Raises:
        NotFound: TB2311, TB2312. UsageError: TB9474. RefusedError: TB9472, TB9475.
    """
    place = await find_place(cloud, hostname)
    tunnel = await find_tunnel(cloud, _meant(name, files))
    changed = False
    if service is not None:
        changed = await keep_rule(cloud, tunnel, Rule(place.hostname, service), files, force=force)
    changed = await ensure_record(cloud, place, tunnel, files, force=force) or changed
    url = public_url(cloud, place.hostname)
    return Routed(tunnel.name, tunnel.id, place.hostname, service, place.zone, url, changed)


async def unroute(cloud: Cloud, name: str, hostname: str, files: Files | None = None) -> Routed:
    """Take rule and record of `hostname` away, where they lead to this tunnel.

    Raises:
        NotFound: TB2311, TB2312. UsageError: TB9474. RefusedError: TB9487.
    """
    place = await find_place(cloud, hostname)
    tunnel = await find_tunnel(cloud, _meant(name, files))
    changed = await drop_rule(cloud, tunnel, place.hostname, files)
    changed = await remove_record(cloud, place, tunnel, files) or changed
    url = public_url(cloud, place.hostname)
    return Routed(tunnel.name, tunnel.id, place.hostname, None, place.zone, url, changed)


async def delete(cloud: Cloud, tunnel: Tunnel, files: Files | None, *, force: bool = False) -> None:
    """Delete the tunnel, and what of the files leads to it, there and in the account.

    Raises:
        RefusedError: TB9471 it is connected; TB9487, TB9488 it is every environment's, another's.
    """
    if files is not None and (other := files.elsewhere(tunnel.name)) is not None:
        raise RefusedError(
            "TB9488",
            f"the tunnel {tunnel.name} belongs to the environment {other}",
            hint=f"Delete it there: trailboss tunnel delete {tunnel.name} --env {other}",
        )
    owner = files.tunnel(tunnel.name) if files else None
    if files is not None and owner is not None:
        if not force:
            await need_idle(cloud, tunnel)
        around = files.of(owner)
        files.drop([owner, *around])
        for one in around:
            if one.kind == RECORD:
                await remove_record(cloud, await find_place(cloud, one.spec.name), tunnel)
    await delete_tunnel(cloud, tunnel, force=force)


def _meant(name: str, files: Files | None) -> str:
    declared = files.tunnel(name) if files else None
    return str(declared.spec.name) if declared else name
