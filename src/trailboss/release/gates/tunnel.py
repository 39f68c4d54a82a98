"""tunnel: is the Cloudflare Tunnel that the Worker depends on healthy?

https://developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels/
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.errors import CloudError, NotFound, ReleaseError
from trailboss.release.gates.base import Answer, Asking, failed, passed, undecided
from trailboss.release.rollout.policy import Gate

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


async def ask(gate: Gate, asking: Asking) -> Answer:
    """healthy passes, inactive and down fail, degraded (some connections are down) is undecided."""
    try:
        found = await _find(gate.target, asking.cloud)
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


async def require(gates: Iterable[Gate], cloud: Cloud, coming: Collection[str]) -> None:
    """Refuse gates on tunnels that nobody made, before anything is built; those in `coming` will be there.

    Raises: ReleaseError TB4418.
    """
    for gate in gates:
        if gate.kind != "tunnel" or gate.target in coming:
            continue
        try:
            found = await _find(gate.target, cloud)
        except NotFound:
            found = None
        except CloudError:
            continue  # the gate says so when it is asked
        if found is None or found.get("deleted_at"):
            raise ReleaseError(
                "TB4418",
                f'The gate "{gate.name}" asks for a tunnel "{gate.target}", and there is none.',
                hint=f"Make it: `trailboss tunnel create {gate.target}`, then `trailboss tunnel run "
                f"{gate.target}` where its services are. `trailboss tunnel list` shows what there is.",
            )


async def _find(target: str, cloud: Cloud) -> dict[str, Any] | None:
    path = f"{cloud.account}/cfd_tunnel"
    if _ID.fullmatch(target):
        found: dict[str, Any] = await cloud.get(f"{path}/{segment(target)}")
        return found
    listed = await cloud.get(path, params={"name": target, "is_deleted": False})
    return next((item for item in listed or () if item.get("name") == target), None)
