"""Zones. A fresh account has one, example.com, so that routes and domains have a place.

Faithful: shapes, codes, filters. Simplified: a zone is active at once; plans cannot be bought, only planted.
https://developers.cloudflare.com/api/resources/zones/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

KIND = "zone"
NAME = re.compile(r"((?:[^\W_]|-){1,63}\.)+(?:[^\W\d_]{2,63}|xn--[a-z0-9-]{1,59})")
"""A host name, in Unicode or in Punycode."""
FIRST = "example.com"
PLANS = {
    "free": "Free Website",
    "pro": "Pro Website",
    "business": "Business Website",
    "enterprise": "Enterprise Website",
}
OWNED = (
    *("certificate_pack", "dns_record", "healthcheck", "load_balancer", "ruleset", "worker_route"),
    "zone_setting",
)
"""The kinds of records that go with their zone."""
PLAN = {
    "id": "94f3b7b768b0458b56d2cac4fe5ec0f9",
    "name": "Enterprise Website",
    "price": 0,
    "currency": "USD",
    "frequency": "monthly",
    "is_subscribed": True,
    "can_subscribe": False,
    "legacy_id": "enterprise",
    "legacy_discount": False,
    "externally_managed": False,
}


def invalid_name(name: Any) -> ApiError:
    """Not a domain name."""
    return ApiError(400, 1007, f"The zone name provided is not valid: {name!r}")


def zone_exists(name: str) -> ApiError:
    """The account has it already."""
    return ApiError(400, 1061, f"An account with this zone already exists: {name}")


def make_zone(box: Box, name: Any, kind: str = "full", plan: str = "enterprise") -> Record:
    """A new, active zone."""
    if not isinstance(name, str) or not NAME.fullmatch(name.lower()):
        raise invalid_name(name)
    name = name.lower()
    if box.store.find(KIND, name=name) is not None:
        raise zone_exists(name)
    now = box.clock.iso()
    record: Record = {
        "id": box.ids.hex(),
        "name": name,
        "status": "active",
        "paused": False,
        "type": kind,
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": now,
        "modified_on": now,
        "activated_on": now,
        "meta": {
            "step": 4,
            "custom_certificate_quota": 1,
            "page_rule_quota": 3,
            "phishing_detected": False,
        },
        "owner": {"id": box.identity.user_id, "type": "user", "email": None},
        "account": {"id": box.identity.account_id, "name": f"{box.identity.name} sandbox"},
        "tenant": {"id": None, "name": None},
        "tenant_unit": {"id": None},
        "permissions": ["#zone:read", "#zone:edit", "#dns_records:read", "#dns_records:edit"],
        "plan": {**PLAN, "legacy_id": plan, "name": PLANS[plan]},
    }
    return box.store.put(KIND, record["id"], record)


async def list_zones(call: Call) -> Reply:
    """By name, account, status; `match=any` is not understood, all must match."""
    found = call.store.all(KIND)
    name, account, status = call.query("name"), call.query("account.id"), call.query("status")
    if name:
        operator, _, value = name.rpartition(":")
        found = [one for one in found if _named(one["name"], operator, value.lower())]
    if account and account != call.account:
        found = []
    if status:
        found = [one for one in found if one["status"] == status]
    if call.query("order") == "name":
        found.sort(key=lambda one: one["name"], reverse=call.query("direction") == "desc")
    return call.paged(found, most=50)


def _named(name: str, operator: str, value: str) -> bool:
    if operator == "contains":
        return value in name
    if operator == "starts_with":
        return name.startswith(value)
    if operator == "ends_with":
        return name.endswith(value)
    return name == value


async def create_zone(call: Call) -> Record:
    """Names are unique in the account."""
    body = await call.object()
    return make_zone(call.box, body.get("name"), body.get("type") or "full")


async def get_zone(call: Call) -> Record:
    """One zone."""
    return call.store.get(KIND, call["zone_id"]) or {}


async def edit_zone(call: Call) -> Record:
    """Pause it, or change its type."""
    record, body = await get_zone(call), await call.object()
    kept: Record = {name: body[name] for name in ("paused", "type", "vanity_name_servers") if name in body}
    record |= {**kept, "modified_on": call.clock.iso()}
    return call.store.put(KIND, record["id"], record)


async def delete_zone(call: Call) -> dict[str, str]:
    """Its records and settings go with it."""
    zone = call["zone_id"]
    with call.store.transaction():
        call.store.delete(KIND, zone)
        for ruleset in call.store.all("ruleset", zone):
            call.store.delete_all("ruleset_version", ruleset["id"])
        for kind in OWNED:
            call.store.delete_all(kind, zone)
    await call.runtime.sync()
    return {"id": zone}


def first_zone(box: Box) -> None:
    """A fresh account's zone."""
    if not box.store.count(KIND):
        make_zone(box, FIRST)


async def begin(box: Box) -> None:
    """At the daemon's first start."""
    first_zone(box)


async def plant(box: Box, names: Any) -> list[Record]:
    """Seed `{"zones": ["name", {"name": ..., "plan": "free" | "pro" | "business" | "enterprise"}]}`."""
    return [_planted(box, one if isinstance(one, dict) else {"name": one}) for one in names]


def _planted(box: Box, wanted: Record) -> Record:
    plan = wanted.get("plan", "enterprise")
    if plan not in PLANS:
        raise ApiError(400, 1007, f"a zone's plan is one of {', '.join(PLANS)}, not {plan!r}")
    return box.store.find(KIND, name=wanted["name"]) or make_zone(box, wanted["name"], plan=plan)


router = Router("zones")
router.add("GET", "/zones", list_zones, sdk="zones.list", reply="zones.Zone")
router.add(
    "POST", "/zones", create_zone, sdk="zones.create", request="zones.ZoneCreateParams", reply="zones.Zone"
)
router.add("GET", "/zones/{zone_id}", get_zone, sdk="zones.get", reply="zones.Zone")
router.add(
    "PATCH",
    "/zones/{zone_id}",
    edit_zone,
    sdk="zones.edit",
    request="zones.ZoneEditParams",
    reply="zones.Zone",
)
router.add("DELETE", "/zones/{zone_id}", delete_zone, sdk="zones.delete", reply="zones.ZoneDeleteResponse")
router.on_start(begin)
router.on_reset(first_zone)
router.seed("zones", plant)
