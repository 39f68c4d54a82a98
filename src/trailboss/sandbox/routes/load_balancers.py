"""Load balancers of zones (and, for private traffic, of the account), the regions there are, and a search.

Faithful: shapes, defaults, references to pools, steering, affinity and its ranges, rules. Simplified: the
edge does not answer for a load balancer's name.
https://developers.cloudflare.com/api/resources/load_balancers/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products import expression
from trailboss.sandbox.products.health_state import MONITOR, POOL
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.load_balancer_monitors import invalid, not_found, not_unique, reference
from trailboss.sandbox.routes.load_balancer_monitors import users_of as users_of_monitor
from trailboss.sandbox.routes.load_balancer_pools import BALANCER, POOL_LISTS, pools_of, users_of

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

ACCOUNT = "account"
STEERING = (
    *("off", "geo", "random", "dynamic_latency", "proximity"),
    *("least_outstanding_requests", "least_connections", ""),
)
AFFINITY = ("none", "cookie", "ip_cookie", "header")
AFFINITY_DEFAULT = {"cookie": 82800, "ip_cookie": 82800, "header": 1800}
AFFINITY_SECONDS = {"cookie": (1800, 604800), "ip_cookie": (1800, 604800), "header": (30, 3600)}
KEPT = (
    *("adaptive_routing", "location_strategy", "random_steering", "networks", "pool_sets"),
    *("session_affinity_attributes", "session_affinity_ttl", *POOL_LISTS),
)
REGIONS: dict[str, tuple[str, ...]] = {
    "WNAM": ("US", "CA", "MX"),
    "ENAM": ("US", "CA"),
    "WEU": ("GB", "FR", "DE", "ES", "NL"),
    "EEU": ("PL", "CZ", "RO", "UA"),
    "NSAM": ("CO", "VE", "EC"),
    "SSAM": ("BR", "AR", "CL"),
    "OC": ("AU", "NZ"),
    "ME": ("AE", "IL", "SA"),
    "NAF": ("EG", "MA", "TN"),
    "SAF": ("ZA", "NA", "BW"),
    "SAS": ("IN", "PK", "BD"),
    "SEAS": ("SG", "ID", "TH"),
    "NEAS": ("JP", "KR", "TW"),
}
"""A few countries of each region."""


def _scope(call: Call) -> str:
    return call.path.get("zone_id", ACCOUNT)


def _shown(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "scope"}


def _balancer_of(call: Call) -> Record:
    found = call.store.get(BALANCER, call["load_balancer_id"])
    if found is None or found["scope"] != _scope(call):
        raise not_found()
    return found


def _check_pools(call: Call, record: Record) -> None:
    known = {pool["id"] for pool in call.store.all(POOL)}
    for one in sorted(pools_of(record)):
        if one not in known:
            raise invalid(f"pool {one} not found")
    for region in record.get("region_pools") or {}:
        if region not in REGIONS:
            raise invalid(f"region {region} is not known")


def _check_name(call: Call, record: Record) -> None:
    zone = call.store.get("zone", _scope(call))
    name = record["name"]
    if not re.fullmatch(r"(\*\.)?([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}", name):
        raise invalid(f"name {name!r} is not a host name")
    if zone is not None and name != zone["name"] and not name.endswith(f".{zone['name']}"):
        raise invalid(f"name {name} is not in the zone {zone['name']}")
    others = call.store.all(BALANCER, _scope(call))
    if any(one["name"] == name and one["id"] != record["id"] for one in others):
        raise not_unique("name")


def _check_affinity(record: Record) -> None:
    kind, seconds = record["session_affinity"], record.get("session_affinity_ttl")
    if kind not in AFFINITY:
        raise invalid(f"session_affinity {kind} is not known")
    if kind == "header" and not (record.get("session_affinity_attributes") or {}).get("headers"):
        raise invalid("session_affinity_attributes.headers is required for header affinity")
    low, high = AFFINITY_SECONDS.get(kind, (0, 604800))
    if seconds is not None and not low <= seconds <= high:
        raise invalid(f"session_affinity_ttl is not in range [{low}, {high}]")


def _rule(at: int, given: Record) -> Record:
    rule: Record = {"name": "", "condition": "", "disabled": False, "priority": at, "overrides": {}, **given}
    if not rule["name"]:
        raise invalid("rules need a name")
    if rule["condition"]:
        try:
            expression.check_filter(rule["condition"], "load_balancing")
        except expression.ExpressionError as error:
            raise invalid(f"rule {rule['name']}: {error.reason}") from None
    return {**rule, "terminates": bool(rule.get("terminates")) or "fixed_response" in rule}


def built_balancer(call: Call, body: Record, present: Record) -> Record:
    """The load balancer that `body` describes, `present` being its identity. Raises ApiError."""
    proxied = bool(body.get("proxied", False))
    record: Record = {
        "id": present["id"],
        "name": str(body.get("name") or "").lower(),
        "description": body.get("description") or "",
        "enabled": body.get("enabled", True),
        "proxied": proxied,
        "default_pools": body.get("default_pools") or [],
        "fallback_pool": body.get("fallback_pool") or "",
        "steering_policy": body.get("steering_policy") or "",
        "session_affinity": body.get("session_affinity") or "none",
        "rules": [_rule(at, one) for at, one in enumerate(body.get("rules") or [])],
        **{name: body[name] for name in KEPT if body.get(name)},
        "created_on": present["created_on"],
        "modified_on": call.clock.iso(),
        "scope": _scope(call),
    }
    if record["session_affinity"] in AFFINITY_DEFAULT:
        record.setdefault("session_affinity_ttl", AFFINITY_DEFAULT[record["session_affinity"]])
    record["ttl"] = body.get("ttl") or 30  # it counts where the load balancer is not proxied
    if not record["steering_policy"]:
        record["steering_policy"] = "geo" if any(record.get(name) for name in POOL_LISTS) else "off"
    if zone := call.store.get("zone", _scope(call)):
        record["zone_name"] = zone["name"]
    _check_name(call, record)
    if not record["default_pools"] or not record["fallback_pool"]:
        raise invalid("default_pools and fallback_pool are required")
    if record["steering_policy"] not in STEERING:
        raise invalid(f"steering_policy {record['steering_policy']} is not known")
    _check_affinity(record)
    _check_pools(call, record)
    return record


def kept_balancer(call: Call, record: Record) -> Record:
    """Store a load balancer; as the API shows it."""
    return _shown(call.store.put(BALANCER, record["id"], record, parent=record["scope"]))


async def list_balancers(call: Call) -> Reply:
    """Of the zone, or the account's own."""
    return call.single([_shown(one) for one in call.store.all(BALANCER, _scope(call))])


async def create_balancer(call: Call) -> Record:
    """A new load balancer; its name is unique."""
    present = {"id": call.ids.hex(), "created_on": call.clock.iso()}
    return kept_balancer(call, built_balancer(call, await call.object(), present))


async def get_balancer(call: Call) -> Record:
    """One load balancer."""
    return _shown(_balancer_of(call))


async def update_balancer(call: Call) -> Record:
    """PUT: everything anew."""
    return kept_balancer(call, built_balancer(call, await call.object(), _balancer_of(call)))


async def edit_balancer(call: Call) -> Record:
    """PATCH: what is not named stays."""
    present = _balancer_of(call)
    return kept_balancer(call, built_balancer(call, {**present, **await call.object()}, present))


async def delete_balancer(call: Call) -> Record:
    """Gone; its pools stay."""
    record = _balancer_of(call)
    call.store.delete(BALANCER, record["id"])
    return {"id": record["id"]}


def _region(code: str) -> Record:
    countries = [{"country_code_a2": one, "country_name": one} for one in REGIONS[code]]
    return {"region_code": code, "countries": countries}


async def list_regions(call: Call) -> Record:
    """All, or the one of a country."""
    country = call.query("country_code_a2")
    found = [_region(code) for code, countries in REGIONS.items() if not country or country in countries]
    return {
        "iso_standard": "Country and subdivision codes follow ISO 3166-1 and ISO 3166-2",
        "regions": found,
    }


async def get_region(call: Call) -> Record:
    """One region."""
    if call["region_id"] not in REGIONS:
        raise not_found()
    return {"regions": [_region(call["region_id"])]}


async def search(call: Call) -> Reply:
    """Monitors, pools and load balancers whose name has the query, with what they refer to."""
    found: list[Record] = []
    for kind, records in (("monitor", MONITOR), ("pool", POOL), ("load_balancer", BALANCER)):
        for record in call.store.all(records):
            shape = reference(kind, record)
            if call.query("query").lower() in str(shape["resource_name"]).lower():
                found.append({**shape, "reference_type": None, "references": _references(call, kind, record)})
    page = call.paged(found, per_page=20)
    return Reply({"resources": page.result}, info=page.info)


def _references(call: Call, kind: str, record: Record) -> list[Any]:
    wanted, found = call.query("references"), []
    if wanted in {"*", "referrer"} and kind != "load_balancer":
        of = users_of_monitor if kind == "monitor" else users_of
        found += of(call.store, record["id"])
    if wanted in {"*", "referral"} and kind == "load_balancer":
        pools = [pool for one in sorted(pools_of(record)) if (pool := call.store.get(POOL, one))]
        found += [{**reference("pool", pool), "reference_type": "referral"} for pool in pools]
    return found


router = Router("load_balancers")
_SDK, _TYPE = "load_balancers", "load_balancers.LoadBalancer"
for _root in ("Z/load_balancers", "A/load_balancers"):
    _one = f"{_root}/{{load_balancer_id}}"
    for _method, _path, _handler, _name, _request in (
        ("GET", _root, list_balancers, "list", ""),
        ("POST", _root, create_balancer, "create", f"{_TYPE}CreateParams"),
        ("GET", _one, get_balancer, "get", ""),
        ("PUT", _one, update_balancer, "update", f"{_TYPE}UpdateParams"),
        ("PATCH", _one, edit_balancer, "edit", f"{_TYPE}EditParams"),
    ):
        router.add(_method, _path, _handler, sdk=f"{_SDK}.{_name}", request=_request, reply=_TYPE)
    router.add("DELETE", _one, delete_balancer, sdk=f"{_SDK}.delete", reply=f"{_TYPE}DeleteResponse")
_REGIONS = "A/load_balancers/regions"
router.add(
    "GET", _REGIONS, list_regions, sdk=f"{_SDK}.regions.list", reply="load_balancers.RegionListResponse"
)
router.add(
    "GET",
    f"{_REGIONS}/{{region_id}}",
    get_region,
    sdk=f"{_SDK}.regions.get",
    reply="load_balancers.RegionGetResponse",
)
router.add(
    "GET",
    "A/load_balancers/search",
    search,
    sdk=f"{_SDK}.searches.list",
    reply="load_balancers.SearchListResponse",
)
