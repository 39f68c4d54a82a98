"""What a project's files take for granted of an account, made in a sandbox: the zones of [zones].

In Cloudflare a zone is a domain somebody registered; on a laptop there is nothing to register.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


def zones_of(tables: dict[str, Any]) -> tuple[str, ...]:
    """The domains in `[zones]` of trailboss.toml."""
    zones = tables.get("zones")
    lines = zones.values() if isinstance(zones, dict) else ()
    names = (line.get("name") if isinstance(line, dict) else line for line in lines)
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and "." in name))


async def seed(cloud: Cloud, zones: tuple[str, ...]) -> None:
    """Make the zones that the sandbox does not have."""
    there = {str(zone["name"]) async for zone in cloud.pages("/zones", per_page=50)}
    for name in zones:
        if name not in there:
            body = {"name": name, "account": {"id": await cloud.account_id()}, "type": "full"}
            await cloud.post("/zones", json=body)
