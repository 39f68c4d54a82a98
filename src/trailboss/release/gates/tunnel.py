"""tunnel: is the Cloudflare Tunnel that the Worker depends on healthy?

https://developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels/
"""

from __future__ import annotations

import re
from typing import Any

from trailboss.cloud import segment
from trailboss.errors import CloudError, NotFound
from trailboss.release.gates.base import Answer, Asking, failed, passed, undecided
from trailboss.release.rollout.policy import Gate

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


async def ask(gate: Gate, asking: Asking) -> Answer:
    """healthy passes, inactive and down fail, degraded (some connections are down) is undecided."""
    try:
        found = await _find(gate.target, asking)
    except NotFound:
        found = None
    except CloudError as error:
        return undecided(f"the account does not say: {error.message}")
    if found is None or found.get("deleted_at"):
        return failed(f'there is no tunnel "{gate.target}"')
    status = str(found.get("status") or "unknown")
    if status == "healthy":
        return passed("healthy")
    if status in ("down", "inactive"):
        return failed(status)
    return undecided(status)


async def _find(target: str, asking: Asking) -> dict[str, Any] | None:
    path = f"{asking.cloud.account}/cfd_tunnel"
    if _ID.fullmatch(target):
        found: dict[str, Any] = await asking.cloud.get(f"{path}/{segment(target)}")
        return found
    listed = await asking.cloud.get(path, params={"name": target, "is_deleted": False})
    return next((item for item in listed or () if item.get("name") == target), None)
