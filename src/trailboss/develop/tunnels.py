"""Tunnels of the account: made, found, listed, deleted; the rules that say where a host name leads.

https://developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.develop.files import TUNNEL
from trailboss.errors import AlreadyExists, ConflictError, NotFound, RefusedError, UsageError
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.develop.files import Files

PERMISSION = "Cloudflare Tunnel Write"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LOCAL = re.compile(r"^[a-z0-9+]+://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$")
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A tunnel as the account has it; `status` is inactive, down, degraded or healthy."""

    id: str
    name: str
    status: str
    created_at: str
    connections: int = 0
    source: str = "cloudflare"

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Tunnel:
        """From the API's object."""
        return cls(
            str(found["id"]),
            str(found.get("name", "")),
            str(found.get("status", "")),
            str(found.get("created_at") or ""),
            len(found.get("connections") or ()),
            str(found.get("config_src") or "local"),
        )

    @property
    def address(self) -> str:
        """What a DNS record of one of its host names leads to."""
        return f"{self.id}.cfargotunnel.com"


@dataclass(frozen=True, slots=True)
class Rule:
    """One ingress rule: `hostname` "" is the last one, which takes everything else."""

    hostname: str
    service: str
    path: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_wire(self) -> dict[str, Any]:
        """The API's object."""
        found: dict[str, Any] = {"service": self.service}
        if self.hostname:
            found["hostname"] = self.hostname
        if self.path:
            found["path"] = self.path
        return {**found, "originRequest": dict(self.settings)} if self.settings else found


async def list_tunnels(cloud: Cloud) -> list[Tunnel]:
    """The tunnels that are not deleted, newest first."""
    return [Tunnel.read(found) async for found in _pages(cloud, {})]


async def find_tunnel(cloud: Cloud, name: str) -> Tunnel:
    """The tunnel of that name or id.

    Raises:
        NotFound: TB2311 there is none.
    """
    if _UUID.fullmatch(name):
        try:
            found = await cloud.get(f"{cloud.account}/cfd_tunnel/{name}")
        except NotFound:
            found = {"deleted_at": "never there"}
        if not found.get("deleted_at"):
            return Tunnel.read(found)
    else:
        async for one in _pages(cloud, {"name": name}):
            if one.get("name") == name:
                return Tunnel.read(one)
    raise NotFound("TB2311", f"there is no tunnel '{name}'", hint=f"Make it: trailboss tunnel create {name}")


async def create_tunnel(cloud: Cloud, name: str) -> Tunnel:
    """A remotely managed tunnel that is in no file; Cloudflare makes its secret, and we do not keep it.

    Raises:
        UsageError: TB9470 the name looks like an id. AlreadyExists: something has that name.
    """
    from trailboss.resources.cloudflared_tunnel import KIND, CloudflaredTunnel

    if _UUID.fullmatch(name):
        raise UsageError("TB9470", "a tunnel's name must not look like an id", hint="Choose another name.")
    made = await KIND.create(cloud, CloudflaredTunnel(name))
    return await find_tunnel(cloud, made.id)


async def ensure_tunnel(cloud: Cloud, name: str, files: Files | None = None) -> tuple[Tunnel, bool]:
    """The tunnel of that name, made when there is none, and then in `files` where they take it; and whether
    it was made now.

    Raises:
        AlreadyExists: the name is taken by what is no such tunnel. And what `Files.make` raises.
    """
    declared = files.tunnel(name) if files else None
    name = declared.spec.name if declared else name
    try:
        return await find_tunnel(cloud, name), False
    except NotFound:
        if _UUID.fullmatch(name):
            raise
    try:
        if files is None or (declared is None and not files.takes):
            return await create_tunnel(cloud, name), True
        key, table = (declared.key, {}) if declared else (name, {"config_src": "cloudflare"})
        made = await files.make(cloud, TUNNEL, key, table)
        return await find_tunnel(cloud, made.id), True
    except AlreadyExists:
        with suppress(NotFound):  # somebody made it at the same moment
            return await find_tunnel(cloud, name), False
        raise


async def delete_tunnel(cloud: Cloud, tunnel: Tunnel, *, force: bool = False) -> None:
    """Delete it; with `force` its connections are ended first. One that is gone is fine.

    Raises:
        RefusedError: TB9471 it serves and `force` was not given.
    """
    if not force:
        await need_idle(cloud, tunnel)
    path = f"{cloud.account}/cfd_tunnel/{segment(tunnel.id)}"
    if force:
        await cloud.delete(f"{path}/connections")
    await cloud.delete(path, params={"cascade": True} if force else None)


async def need_idle(cloud: Cloud, tunnel: Tunnel) -> None:
    """Raises RefusedError TB9471 while the tunnel is connected."""
    if (await find_tunnel(cloud, tunnel.id)).connections:
        raise RefusedError(
            "TB9471",
            f"the tunnel {tunnel.name} is connected and was not deleted",
            hint="Stop its connectors first, or end their connections with --force.",
        )


async def read_token(cloud: Cloud, tunnel: Tunnel) -> Secret:
    """What a connector is started with."""
    return Secret(str(await cloud.get(f"{cloud.account}/cfd_tunnel/{segment(tunnel.id)}/token")))


async def read_rules(cloud: Cloud, tunnel: Tunnel) -> tuple[Rule, ...]:
    """The ingress rules in their order, without the last one that takes everything else."""
    config, _ = await _configuration(cloud, tunnel)
    return tuple(_rule(one) for one in config.get("ingress") or () if one.get("hostname"))


def _rule(found: Mapping[str, Any]) -> Rule:
    settings = found.get("originRequest") or {}
    return Rule(str(found["hostname"]), str(found["service"]), str(found.get("path") or ""), settings)


async def put_rule(cloud: Cloud, tunnel: Tunnel, rule: Rule, *, force: bool = False) -> bool:
    """Let `rule.hostname` lead to `rule.service`; every other rule stays. False when it did already.

    A rule that leads to this or another laptop's own address is one that a killed `dev` left behind, and is
    replaced.

    Raises:
        RefusedError: TB9472 the host name leads elsewhere, TB9483 the rules are on the connector's machine;
            and `force` was not given.
        ConflictError: TB9473 others keep writing the configuration.
    """
    if tunnel.source != "cloudflare" and not force:
        raise RefusedError(
            "TB9483",
            f"the tunnel {tunnel.name} takes its rules from a config.yml on its machine",
            hint="Write the rule there. Rules kept at Cloudflare would replace that file for good: --force.",
        )

    def changed(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        wanted = rule.as_wire()
        for number, one in enumerate(rules):
            if one.get("hostname") == rule.hostname and (one.get("path") or "") == rule.path:
                if not force and one["service"] != rule.service and not LOCAL.match(one["service"]):
                    raise RefusedError(
                        "TB9472",
                        f"{rule.hostname} leads to {one['service']} already, through {tunnel.name}",
                        hint="Choose another host name, or replace that rule: tunnel route --force.",
                    )
                return [*rules[:number], wanted, *rules[number + 1 :]]
        return [wanted, *rules]  # the first match wins: before any wildcard

    return await _edit(cloud, tunnel, changed)


async def remove_rule(cloud: Cloud, tunnel: Tunnel, hostname: str, service: str | None = None) -> bool:
    """Take the rule of `hostname` away, if it still leads to `service`; False when there was none."""

    def changed(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            one
            for one in rules
            if one.get("hostname") != hostname or (service is not None and one["service"] != service)
        ]

    return await _edit(cloud, tunnel, changed)


Change = Any


async def _edit(cloud: Cloud, tunnel: Tunnel, change: Change) -> bool:
    """Read, change, write, read back: the API has no condition on a write, so what was overwritten by
    somebody else at the same moment is seen afterwards and written again.
    """
    wrote = False
    for _ in range(ATTEMPTS):
        config, version = await _configuration(cloud, tunnel)
        rules = list(config.get("ingress") or ())
        last = rules.pop() if rules and not rules[-1].get("hostname") else {"service": "http_status:404"}
        wanted = [*change(rules), last]
        if [*rules, last] == wanted:
            return wrote
        body = {"config": {**config, "ingress": wanted}}
        done = await cloud.put(_config_path(cloud, tunnel), json=body, idempotent=False)
        wrote = True
        if done.get("version") == version + 1:
            return True
    raise ConflictError(
        "TB9473",
        f"others keep changing the rules of {tunnel.name}",
        hint="Try again when they are done.",
    )


async def _configuration(cloud: Cloud, tunnel: Tunnel) -> tuple[dict[str, Any], int]:
    found = await cloud.get(_config_path(cloud, tunnel))
    return dict(found.get("config") or {}), int(found.get("version") or 0)


def _config_path(cloud: Cloud, tunnel: Tunnel) -> str:
    return f"{cloud.account}/cfd_tunnel/{segment(tunnel.id)}/configurations"


def _pages(cloud: Cloud, more: Mapping[str, str]) -> Any:
    return cloud.pages(f"{cloud.account}/cfd_tunnel", params={"is_deleted": False, **more}, per_page=100)
