"""load-balancer: do the regions that watch a pool see it healthy?

https://developers.cloudflare.com/api/resources/load_balancers/subresources/pools/subresources/health/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trailboss.cloud import segment
from trailboss.errors import CloudError, NotFound
from trailboss.release.gates.base import Answer, Asking, failed, passed, undecided
from trailboss.release.rollout.policy import Gate

_ID = re.compile(r"[0-9a-f]{32}")


async def ask(gate: Gate, asking: Asking) -> Answer:
    """All regions healthy passes, half of them or more unhealthy fails, between is undecided."""
    path = f"{asking.cloud.account}/load_balancers/pools"
    try:
        pool = gate.target if _ID.fullmatch(gate.target) else await _named(gate.target, path, asking)
        if pool is None:
            return failed(f'there is no pool "{gate.target}"')
        return read(await asking.cloud.get(f"{path}/{segment(pool)}/health"))
    except NotFound:
        return failed(f'there is no pool "{gate.target}"')
    except CloudError as error:
        return undecided(f"the account does not say: {error.message}")


async def _named(name: str, path: str, asking: Asking) -> str | None:
    for pool in await asking.cloud.get(path) or ():
        if pool.get("name") == name:
            return str(pool["id"])
    return None


def read(reply: Any) -> Answer:
    """The answer in a pool's health: per region as the API documents it, or one figure for all as its SDK
    has it."""
    health = (reply or {}).get("pop_health") or {}
    if isinstance(health.get("healthy"), bool):
        health = {"all regions": health}
    seen = {
        region: one["healthy"]
        for region, one in health.items()
        if isinstance(one, Mapping) and isinstance(one.get("healthy"), bool)
    }
    if not seen:
        return undecided("no region has looked yet")
    bad = sorted(region for region, healthy in seen.items() if not healthy)
    if not bad:
        return passed(f"healthy in {len(seen)} of {len(seen)} regions")
    note = f"unhealthy in {len(bad)} of {len(seen)} regions ({', '.join(bad[:3])})"
    return failed(note) if 2 * len(bad) >= len(seen) else undecided(note)
