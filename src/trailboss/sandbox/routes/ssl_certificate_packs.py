"""Certificate packs of a zone: the universal one, and advanced ones that are ordered.

Faithful: shapes, what can be ordered together, the walk from initializing to active, orders that get stuck
and are started again, only active packs in a plain list. Simplified: an order arrives at once unless a pace
was planted: `{"certificates": {"pace": seconds, "stuck_at": "pending_validation"}}`; nothing is issued.
https://developers.cloudflare.com/api/resources/ssl/subresources/certificate_packs/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.certificate_packs import (
    TIMED_OUT,
    WALK,
    check_order,
    invalid,
    shown,
    status_at,
    universal,
)
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.zones_settings import kept

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

KIND, HABITS, UNIVERSAL = "certificate_pack", "certificate_habits", "universal_ssl"
QUOTA = 100


def not_found() -> ApiError:
    """No pack of that id in the zone."""
    return ApiError(404, 1401, "The certificate pack was not found.")


def quota_exceeded() -> ApiError:
    """The zone has all it may have."""
    return ApiError(400, 1405, "Quota exceeded: no more advanced certificates can be ordered for this zone.")


def not_yours() -> ApiError:
    """The universal pack is switched, not deleted."""
    return ApiError(400, 1431, "A universal certificate pack cannot be changed; see its settings.")


def zone_of(call: Call) -> Record:
    """The zone of the path."""
    return call.store.get("zone", call["zone_id"]) or {}


def packs_of(call: Call) -> list[Record]:
    """Every pack of the zone, the universal one first unless it is switched off."""
    own = call.store.all(KIND, call["zone_id"])
    switch = kept(call, UNIVERSAL)
    return own if switch is not None and not switch["enabled"] else [universal(zone_of(call)), *own]


def _pack_of(call: Call) -> Record:
    found = next((one for one in packs_of(call) if one["id"] == call["certificate_pack_id"]), None)
    if found is None:
        raise not_found()
    return found


def _own(call: Call) -> Record:
    found = _pack_of(call)
    if found["type"] == "universal":
        raise not_yours()
    return found


def _shown(call: Call, pack: Record) -> Record:
    return shown(pack, status_at(pack, call.clock.now()), call.clock.iso)


async def list_packs(call: Call) -> Reply:
    """Active ones; with `?status=all` all of them."""
    found = [_shown(call, pack) for pack in packs_of(call)]
    if call.query("status") != "all":
        found = [one for one in found if one["status"] == "active"]
    return call.paged(found, per_page=20, most=50)


async def order_pack(call: Call) -> Record:
    """An order, which begins as initializing."""
    body = await call.object()
    check_order(body, zone_of(call)["name"])
    if call.store.count(KIND, call["zone_id"]) >= QUOTA:
        raise quota_exceeded()
    habits = call.store.get(HABITS, "now") or {"pace": 0}
    names = ("type", "hosts", "certificate_authority", "validation_method", "validity_days")
    pack: Record = {
        "id": call.ids.uuid(),
        "zone": call["zone_id"],
        **{name: body[name] for name in names},
        "cloudflare_branding": bool(body.get("cloudflare_branding", False)),
        "started_on": call.clock.iso(),
        **habits,
    }
    call.store.put(KIND, pack["id"], pack, parent=call["zone_id"])
    return shown(pack, WALK[0], call.clock.iso)


async def get_pack(call: Call) -> Record:
    """One pack."""
    return _shown(call, _pack_of(call))


async def edit_pack(call: Call) -> Record:
    """Start the validation again, with branding or without; what got stuck gets through this time."""
    pack, body = _own(call), await call.object()
    if "cloudflare_branding" in body:
        pack["cloudflare_branding"] = bool(body["cloudflare_branding"])
    if status_at(pack, call.clock.now()) == "active" and "cloudflare_branding" not in body:
        return _shown(call, pack)
    pack |= {"started_on": call.clock.iso(), "stuck_at": ""}
    call.store.put(KIND, pack["id"], pack, parent=call["zone_id"])
    return shown(pack, WALK[0], call.clock.iso)


async def delete_pack(call: Call) -> Record:
    """Gone."""
    pack = _own(call)
    call.store.delete(KIND, pack["id"])
    return {"id": pack["id"]}


async def get_quota(call: Call) -> Record:
    """How many advanced packs there are and may be."""
    return {"advanced": {"allocated": QUOTA, "used": call.store.count(KIND, call["zone_id"])}}


async def plant(box: Box, habits: Any) -> Record:
    """Seed `{"certificates": {"pace": seconds per state, "stuck_at": state}}`: how orders go from now on."""
    if not isinstance(habits, dict) or not set(habits) <= {"pace", "stuck_at"}:
        raise bad_request("certificates takes pace and stuck_at")
    pace, stuck = habits.get("pace", 0), habits.get("stuck_at", "")
    if not isinstance(pace, int | float) or pace < 0:
        raise bad_request("pace is a number of seconds")
    if stuck and stuck not in TIMED_OUT:
        raise invalid(f"stuck_at is one of {', '.join(TIMED_OUT)}")
    return box.store.put(HABITS, "now", {"pace": pace, "stuck_at": stuck})


router = Router("ssl_certificate_packs")
_ROOT, _SDK, _TYPE = "Z/ssl/certificate_packs", "ssl.certificate_packs", "ssl.CertificatePack"
_ONE = f"{_ROOT}/{{certificate_pack_id}}"
router.add("GET", _ROOT, list_packs, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
_PARAMS, _REPLY = f"{_TYPE}CreateParams", f"{_TYPE}CreateResponse"
router.add("POST", f"{_ROOT}/order", order_pack, sdk=f"{_SDK}.create", request=_PARAMS, reply=_REPLY)
_REPLY = "ssl.certificate_packs.QuotaGetResponse"
router.add("GET", f"{_ROOT}/quota", get_quota, sdk=f"{_SDK}.quota.get", reply=_REPLY)
router.add("GET", _ONE, get_pack, sdk=f"{_SDK}.get", reply=f"{_TYPE}GetResponse")
_PARAMS, _REPLY = f"{_TYPE}EditParams", f"{_TYPE}EditResponse"
router.add("PATCH", _ONE, edit_pack, sdk=f"{_SDK}.edit", request=_PARAMS, reply=_REPLY)
router.add("DELETE", _ONE, delete_pack, sdk=f"{_SDK}.delete", reply=f"{_TYPE}DeleteResponse")
router.seed("certificates", plant)
