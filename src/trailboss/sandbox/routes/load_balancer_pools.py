"""Pools of origins, which are really probed: by their monitor's interval, and when their health is asked for.

Faithful: shapes, defaults, references, health by the numbers in a row a monitor wants. Simplified: one place
looks, and answers for every region of the pool; names are looked up in the account's zones first.
https://developers.cloudflare.com/api/resources/load_balancers/subresources/pools/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.health_state import (
    GROUP,
    HEALTH,
    MONITOR,
    POOL,
    REGION,
    monitors_of,
    next_probe,
    probe_pool,
    region_health,
)
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.load_balancer_monitors import (
    built,
    invalid,
    not_found,
    not_unique,
    previewed,
    reference,
    referenced,
)

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record, Store

BALANCER = "load_balancer"
_REGIONS = "WNAM ENAM WEU EEU NSAM SSAM OC ME NAF SAF SAS SEAS NEAS CHINA ALL_REGIONS"
REGIONS = frozenset(_REGIONS.split())
MOST_ORIGINS = 200
POLICIES = frozenset({"random", "hash", "least_outstanding_requests", "least_connections"})
KEPT = ("health_sources", "load_shedding", "notification_filter", "networks", "monitor_group", "monitor")
POOL_LISTS = ("region_pools", "country_pools", "pop_pools")


def pools_of(balancer: Record) -> set[str]:
    """Every pool a load balancer names, its rules included."""
    found = {balancer.get("fallback_pool"), *(balancer.get("default_pools") or [])}
    for name in POOL_LISTS:
        for pools in (balancer.get(name) or {}).values():
            found.update(pools)
    for rule in balancer.get("rules") or []:
        found |= pools_of(rule.get("overrides") or {})
    return {one for one in found if one}


def users_of(store: Store, pool: str) -> list[Record]:
    """The load balancers with a pool."""
    return [reference("load_balancer", one) for one in store.all(BALANCER) if pool in pools_of(one)]


def _pool_of(call: Call) -> Record:
    found = call.store.get(POOL, call["pool_id"])
    if found is None:
        raise not_found()
    return found


def _origin(given: Any, present: Record, now: str) -> Record:
    if not isinstance(given, dict) or not given.get("name") or not given.get("address"):
        raise invalid("origins need a name and an address")
    origin: Record = {
        "name": given["name"],
        "address": given["address"],
        "enabled": given.get("enabled", True),
        "weight": given.get("weight", 1),
    }
    for name in ("port", "header", "virtual_network_id", "flatten_cname"):
        if given.get(name):
            origin[name] = given[name]
    if not 0 <= origin["weight"] <= 1:
        raise invalid(f"origin {origin['name']}: weight is not in range [0, 1]")
    if not 0 <= origin.get("port", 0) <= 65535:
        raise invalid(f"origin {origin['name']}: port is not in range [0, 65535]")
    return origin if origin["enabled"] else {**origin, "disabled_at": present.get("disabled_at") or now}


def _origins(given: Any, present: Record, now: str) -> list[Record]:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_ORIGINS:
        raise invalid(f"origins is not in range [1, {MOST_ORIGINS}]")
    before = {origin["name"]: origin for origin in present.get("origins") or []}
    origins = [_origin(one, before.get(str(one.get("name")), {}), now) for one in given]
    names = [origin["name"] for origin in origins]
    places = [(one["address"], one.get("port"), one.get("virtual_network_id")) for one in origins]
    if len(set(names)) < len(names):
        raise invalid("origin names must be unique")
    if len(set(places)) < len(places):
        raise invalid("origin addresses must be unique")
    return origins


def _checked(call: Call, record: Record) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", record["name"]):
        raise invalid("name may have letters, digits, hyphens and underscores only")
    others = [one for one in call.store.all(POOL) if one["id"] != record["id"]]
    if any(one["name"] == record["name"] for one in others):
        raise not_unique("name")
    if record.get("monitor") and record.get("monitor_group"):
        raise invalid("monitor and monitor_group exclude each other")
    for kind, name in ((MONITOR, "monitor"), (GROUP, "monitor_group")):
        if record.get(name) and call.store.get(kind, record[name]) is None:
            raise invalid(f"{name} {record[name]} not found")
    if not set(record["check_regions"] or []) <= REGIONS:
        raise invalid("check_regions has unknown regions")
    if ("latitude" in record) != ("longitude" in record):
        raise invalid("latitude and longitude must be given together")
    if record["minimum_origins"] < 0:
        raise invalid("minimum_origins must not be negative")
    if record["origin_steering"].get("policy") not in POLICIES:
        raise invalid("origin_steering.policy is not known")


def built_pool(call: Call, body: Record, present: Record) -> Record:
    """The pool that `body` describes, `present` being its identity. Raises ApiError."""
    now, enabled = call.clock.iso(), body.get("enabled", True)
    record: Record = {
        "id": present["id"],
        "name": str(body.get("name") or ""),
        "description": body.get("description") or "",
        "enabled": enabled,
        "minimum_origins": body.get("minimum_origins", 1),
        "check_regions": body.get("check_regions"),
        "origin_steering": body.get("origin_steering") or {"policy": "random"},
        "notification_email": body.get("notification_email") or "",
        "origins": _origins(body.get("origins"), present, now),
        **{name: body[name] for name in KEPT if body.get(name)},
        **{name: body[name] for name in ("latitude", "longitude") if body.get(name) is not None},
        "created_on": present["created_on"],
        "modified_on": now,
    }
    if not enabled:
        record["disabled_at"] = present.get("disabled_at") or now
    _checked(call, record)
    return record


def kept_pool(call: Call, record: Record) -> Record:
    """Store a pool."""
    call.store.put(POOL, record["id"], record)
    call.clock.touch()  # it may be due
    return record


async def list_pools(call: Call) -> Reply:
    """All of them, or those with a `monitor`, by name."""
    pools = call.store.all(POOL)
    if wanted := call.query("monitor"):
        pools = [one for one in pools if one.get("monitor") == wanted]
    return call.single(sorted(pools, key=lambda one: str(one["name"])))


async def create_pool(call: Call) -> Record:
    """A new pool; names are unique in the account."""
    present = {"id": call.ids.hex(), "created_on": call.clock.iso()}
    return kept_pool(call, built_pool(call, await call.object(), present))


async def edit_pools(call: Call) -> Reply:
    """PATCH of all pools: takes the notification address away, and nothing else."""
    if (await call.object()).get("notification_email", "") != "":
        raise invalid("notification_email can only be removed")
    affected = [one for one in call.store.all(POOL) if one["notification_email"]]
    return call.single([kept_pool(call, {**one, "notification_email": ""}) for one in affected])


async def get_pool(call: Call) -> Record:
    """One pool."""
    return _pool_of(call)


async def update_pool(call: Call) -> Record:
    """PUT: everything anew."""
    return kept_pool(call, built_pool(call, await call.object(), _pool_of(call)))


async def edit_pool(call: Call) -> Record:
    """PATCH: what is not named stays; `origins` are replaced whole."""
    present = _pool_of(call)
    return kept_pool(call, built_pool(call, {**present, **await call.object()}, present))


async def delete_pool(call: Call) -> Record:
    """Not while a load balancer has it."""
    record = _pool_of(call)
    if users_of(call.store, record["id"]):
        raise referenced()
    with call.store.transaction():
        call.store.delete(POOL, record["id"])
        call.store.delete(HEALTH, record["id"])
    return {"id": record["id"]}


async def list_references(call: Call) -> Reply:
    """The load balancers that have it."""
    return call.single(users_of(call.store, _pool_of(call)["id"]))


async def get_health(call: Call) -> Record:
    """By region, probed now; a pool nobody monitors has none (and counts as healthy)."""
    pool = _pool_of(call)
    seen = await probe_pool(call.box, pool)
    if seen is None:
        return {"pool_id": pool["id"], "pop_health": {}}
    health = region_health(pool, seen["origins"])
    regions = [one for one in pool["check_regions"] or [] if one != "ALL_REGIONS"] or [REGION]
    return {"pool_id": pool["id"], "pop_health": dict.fromkeys(regions, health)}


async def preview_pool(call: Call) -> Record:
    """Probe the pool with the monitor of the body, without changing anything."""
    pool, body = _pool_of(call), await call.object()
    present = {"id": "", "created_on": "", **next(iter(monitors_of(call.store, pool)), {})}
    return await previewed(call, built(call, {**present, **body}, present), [pool])


async def watch(box: Box) -> None:
    """Probe every pool as often as its monitor says, by the sandbox's clock."""
    while True:
        now, moments = box.clock.now(), []
        for pool in box.store.all(POOL):
            moment = next_probe(box.store, pool, now)
            if moment is None:
                continue
            if moment <= now:
                seen = box.store.get(HEALTH, pool["id"]) or {"origins": {}}
                box.store.put(HEALTH, pool["id"], {**seen, "at": now})
                box.spawn(probe_pool(box, pool), f"probe of pool {pool['name']}")
                moment = next_probe(box.store, pool, now) or now
            moments.append(moment)
        await box.clock.sleep_until(min(moments, default=None))


router = Router("load_balancer_pools")
_ROOT, _ONE = "A/load_balancers/pools", "A/load_balancers/pools/{pool_id}"
_SDK, _POOL = "load_balancers.pools", "load_balancers.Pool"
for _method, _path, _handler, _name, _request in (
    ("GET", _ROOT, list_pools, "list", ""),
    ("POST", _ROOT, create_pool, "create", f"{_POOL}CreateParams"),
    ("PATCH", _ROOT, edit_pools, "bulk_edit", f"{_POOL}BulkEditParams"),
    ("GET", _ONE, get_pool, "get", ""),
    ("PUT", _ONE, update_pool, "update", f"{_POOL}UpdateParams"),
    ("PATCH", _ONE, edit_pool, "edit", f"{_POOL}EditParams"),
):
    router.add(_method, _path, _handler, sdk=f"{_SDK}.{_name}", request=_request, reply=_POOL)
router.add("DELETE", _ONE, delete_pool, sdk=f"{_SDK}.delete", reply=f"{_POOL}DeleteResponse")
_TYPES = "load_balancers.pools."
_REPLY = f"{_TYPES}ReferenceGetResponse"
router.add("GET", f"{_ONE}/references", list_references, sdk=f"{_SDK}.references.get", reply=_REPLY)
_REPLY = f"{_TYPES}HealthGetResponse"
router.add("GET", f"{_ONE}/health", get_health, sdk=f"{_SDK}.health.get", reply=_REPLY)
router.add(
    "POST",
    f"{_ONE}/preview",
    preview_pool,
    sdk=f"{_SDK}.health.create",
    request=f"{_TYPES}HealthCreateParams",
    reply=f"{_TYPES}HealthCreateResponse",
)
router.on_start(watch)
