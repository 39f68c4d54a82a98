"""The sandbox's own say over tunnels, under `/_sandbox/tunnels`: look, and force a state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.products.tunnel_health import KIND, STATES, observe
from trailboss.sandbox.refusals import ApiError, bad_request

if TYPE_CHECKING:
    from trailboss.sandbox.call import Call
    from trailboss.sandbox.store import Record


async def get_tunnels(call: Call) -> list[dict[str, Any]]:
    """Every tunnel with its state, whether that is forced, and the host names that lead to it."""
    from trailboss.sandbox.products.tunnel_table import tunnels_table

    hosts: dict[str, str] = tunnels_table(call.box).get("hosts", {})
    tunnels = call.store.all(KIND)
    return [
        {
            "id": shown["id"],
            "name": shown["name"],
            "status": shown["status"],
            "forced": kept.get("forced"),
            "hosts": sorted(host for host, tunnel in hosts.items() if tunnel == shown["id"]),
        }
        for kept, shown in zip(tunnels, await observe(call.box, tunnels), strict=True)
    ]


async def put_tunnel(call: Call) -> list[dict[str, Any]]:
    """{"tunnel": name or id, "status": one of `STATES`, or "auto" for what the origins say}."""
    value = await call.object()
    status = value.get("status")
    if status not in (*STATES, "auto"):
        raise bad_request(f"status must be one of {', '.join((*STATES, 'auto'))}")
    tunnel = _named(call, str(value.get("tunnel", "")))
    tunnel = {**tunnel, "forced": None if status == "auto" else status}
    call.store.put(KIND, tunnel["id"], tunnel)
    await call.runtime.sync()
    return await get_tunnels(call)


def _named(call: Call, wanted: str) -> Record:
    found = call.store.get(KIND, wanted) or call.store.find(KIND, name=wanted)
    if found is None:
        raise ApiError(404, 10404, f"there is no tunnel {wanted!r}")
    return found
