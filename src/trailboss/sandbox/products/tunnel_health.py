"""Whether a tunnel is up. There is no connector here: the edge itself dials the origins of a tunnel's rules.

So a tunnel is healthy when everything it leads to can be dialled, degraded when some can, and down (or, if
it never was up, inactive) when nothing can or when it leads nowhere. A state may also be forced, for tests.
Connections that were deleted come back after `RECONNECT` seconds of the sandbox's time, as a connector's do.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.products.tunnel_rules import dialled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record

KIND = "cfd_tunnel"
STATES = ("inactive", "down", "degraded", "healthy")
UP = frozenset({"healthy", "degraded"})
PATIENCE = 0.5
"""Seconds to wait for an origin to take a connection."""
FRESH = 0.2
"""Seconds for which one answer stands: a list of a thousand tunnels dials each origin once."""
RECONNECT = 5.0
COLO = "dfw01"
VERSION = "2026.8.2"

_known: dict[tuple[str, int] | str, tuple[float, bool]] = {}


async def observe(box: Box, tunnels: Sequence[Record]) -> list[Record]:
    """The tunnels as the API shows them now. What changed of their connections is kept."""
    return list(await asyncio.gather(*(_observed(box, tunnel) for tunnel in tunnels)))


async def _observed(box: Box, tunnel: Record) -> Record:
    status = "down" if tunnel["deleted_at"] else await status_of(box, tunnel)
    if tunnel["deleted_at"] and not tunnel["conns_active_at"]:
        status = "inactive"
    changed = _transition(box, tunnel, status)
    return {
        **{name: value for name, value in changed.items() if name not in PRIVATE},
        "status": status,
        "connections": [] if status not in UP else [_connection(box, changed)],
    }


PRIVATE = ("secret", "config", "version", "configured_at", "forced", "dropped_at", "connector")
"""What a tunnel's record holds beyond what the API shows."""


async def status_of(box: Box, tunnel: Record) -> str:
    """Its state: the forced one, else what dialling the origins says."""
    if tunnel.get("forced"):
        return str(tunnel["forced"])
    dropped = tunnel.get("dropped_at")
    if dropped is not None and box.clock.now() < dropped + RECONNECT:
        return _absent(tunnel)
    rules = (tunnel.get("config") or {}).get("ingress") or []
    places = {place for rule in rules if (place := dialled(rule["service"])) is not None}
    answers = await asyncio.gather(*(_answers(place) for place in places))
    if not any(answers):
        return _absent(tunnel)
    return "healthy" if all(answers) else "degraded"


def _absent(tunnel: Record) -> str:
    return "down" if tunnel["conns_active_at"] else "inactive"


async def _answers(place: tuple[str, int] | str) -> bool:
    if place == "":
        return True
    moment, answer = _known.get(place, (0.0, False))
    if time.monotonic() - moment > FRESH:
        answer = await _dial(place)
        _known[place] = (time.monotonic(), answer)
    return answer


async def _dial(place: tuple[str, int] | str) -> bool:
    opening = (
        asyncio.open_unix_connection(place) if isinstance(place, str) else asyncio.open_connection(*place)
    )
    try:
        _, writer = await asyncio.wait_for(opening, PATIENCE)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _transition(box: Box, tunnel: Record, status: str) -> Record:
    """Note when connections came and went."""
    was_up = tunnel["conns_active_at"] is not None and tunnel["conns_inactive_at"] is None
    if (status in UP) is was_up:
        return tunnel
    if status in UP:
        connector = tunnel.get("connector") or box.ids.uuid()
        changes: dict[str, Any] = {"conns_inactive_at": None, "connector": connector}
        changes["conns_active_at"] = box.clock.iso()
    else:
        changes = {"conns_inactive_at": box.clock.iso()}
    changed = {**tunnel, **changes}
    if box.store.get(KIND, tunnel["id"]) == tunnel:  # nobody changed it while the origins were dialled
        box.store.put(KIND, tunnel["id"], changed)
    return changed


def _connection(box: Box, tunnel: Record) -> Record:
    connector = str(tunnel.get("connector"))
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{connector}/{tunnel['conns_active_at']}"))
    return {
        "id": identifier,
        "uuid": identifier,
        "client_id": connector,
        "client_version": VERSION,
        "colo_name": COLO,
        "is_pending_reconnect": False,
        "opened_at": tunnel["conns_active_at"],
        "origin_ip": "127.0.0.1",
    }


def connector_of(shown: Record, config_version: int) -> Record:
    """The one connector of a tunnel that is up, as `connections` lists it."""
    (connection,) = shown["connections"]
    return {
        "id": connection["client_id"],
        "arch": "linux_amd64",
        "version": VERSION,
        "config_version": config_version,
        "features": ["ha-origin", "allow_remote_config", "serialized_headers"],
        "run_at": connection["opened_at"],
        "conns": [connection],
    }
