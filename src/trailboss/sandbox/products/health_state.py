"""Whether origins are healthy: probes counted against the numbers a monitor wants in a row, and kept."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.products.health_probe import Outcome, Target, probe

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

POOL, MONITOR, GROUP = "load_balancer_pool", "load_balancer_monitor", "load_balancer_monitor_group"
HEALTH = "health"
REGION = "WEU"
"""From where the sandbox looks when nobody says."""
MOST_ALIASES = 8


def resolved(store: Store, name: str) -> str:
    """The address a name has in the zones of this account; the name itself when it is none of theirs."""
    for _ in range(MOST_ALIASES):
        if _is_address(name):
            return name
        found = [
            record
            for record in store.all("dns_record")
            if record["name"] == name and record["type"] in {"A", "AAAA", "CNAME"}
        ]
        if not found:
            return name
        name = str(found[0]["content"])
    return name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def target_of(store: Store, monitor: Record, origin: Record) -> Target:
    """A monitor's question to one origin."""
    headers = {name: values[0] for name, values in (monitor.get("header") or {}).items() if values}
    own = (origin.get("header") or {}).get("Host")
    return Target(
        kind=monitor["type"],
        address=resolved(store, origin["address"]),
        port=monitor.get("port") or origin.get("port") or None,
        method=monitor.get("method") or "GET",
        path=monitor.get("path") or "/",
        headers={**headers, **({"Host": own[0]} if own else {})},
        codes=tuple(code for code in (monitor.get("expected_codes") or "").split(",") if code.strip()),
        body=monitor.get("expected_body") or "",
        timeout=float(monitor.get("timeout") or 5),
        retries=int(monitor.get("retries") or 0),
        redirects=bool(monitor.get("follow_redirects")),
        insecure=bool(monitor.get("allow_insecure")),
    )


def judged(before: Record | None, outcome: Outcome, up: int, down: int) -> Record:
    """An origin's state after one more probe: it changes after `up` good or `down` bad ones in a row."""
    good = before["good"] + 1 if before and outcome.healthy else int(outcome.healthy)
    bad = before["bad"] + 1 if before and not outcome.healthy else int(not outcome.healthy)
    healthy = outcome.healthy
    if before is not None and before["healthy"] != healthy:
        enough = good >= max(1, up) if healthy else bad >= max(1, down)
        healthy = healthy if enough else before["healthy"]
    return {"healthy": healthy, "good": good, "bad": bad, "seen": outcome.shown()}


async def probe_all(store: Store, monitor: Record, origins: list[Record]) -> list[Outcome]:
    """Every origin at the same time."""
    return await asyncio.gather(*(probe(target_of(store, monitor, origin)) for origin in origins))


def monitors_of(store: Store, pool: Record) -> list[Record]:
    """The pool's monitor, or those of its group that decide."""
    if pool.get("monitor"):
        found = store.get(MONITOR, pool["monitor"])
        return [found] if found else []
    group = store.get(GROUP, pool.get("monitor_group") or "") or {"members": []}
    members = [one["monitor_id"] for one in group["members"] if one["enabled"] and not one["monitoring_only"]]
    return [found for one in members if (found := store.get(MONITOR, one)) is not None]


def watched(pool: Record) -> list[Record]:
    """The origins that are asked."""
    return [origin for origin in pool["origins"] if origin["enabled"]] if pool["enabled"] else []


async def probe_pool(box: Box, pool: Record) -> Record | None:
    """Probe a pool and keep what was seen; None for a pool nobody monitors."""
    monitors, origins = monitors_of(box.store, pool), watched(pool)
    if not monitors or not pool["enabled"]:
        return None
    states: dict[str, Record] = {}
    before = (box.store.get(HEALTH, pool["id"]) or {"origins": {}})["origins"]
    for monitor in monitors:
        outcomes = await probe_all(box.store, monitor, origins)
        for origin, outcome in zip(origins, outcomes, strict=True):
            numbers = (int(monitor.get("consecutive_up") or 0), int(monitor.get("consecutive_down") or 0))
            state = judged(before.get(origin["name"]), outcome, *numbers)
            worse = states.get(origin["name"])
            states[origin["name"]] = worse if worse and not worse["healthy"] else state
    record = {"at": box.clock.now(), "origins": states}
    if box.store.get(POOL, pool["id"]) is not None:
        box.store.put(HEALTH, pool["id"], record)
    return record


def region_health(pool: Record, states: dict[str, Record]) -> dict[str, Any]:
    """What one place saw: the pool is healthy while enough of its origins are."""
    origins = []
    for origin in watched(pool):
        state = states.get(origin["name"])
        if state is not None:
            origins.append({origin["address"]: {**state["seen"], "healthy": state["healthy"]}})
    fine = sum(one["healthy"] for origin in origins for one in origin.values())
    return {"healthy": fine >= pool["minimum_origins"], "origins": origins}


def next_probe(store: Store, pool: Record, now: float) -> float | None:
    """When the pool is due (Unix seconds); None when nobody asks."""
    monitors = monitors_of(store, pool)
    if not monitors or not watched(pool):
        return None
    last = store.get(HEALTH, pool["id"])
    interval = min(int(one.get("interval") or 60) for one in monitors)
    return now if last is None else float(last["at"]) + interval
