"""Universal SSL of a zone, and the verification of its certificates.

Faithful: shapes; switching Universal SSL off takes its pack away at once. Simplified: nothing is validated.
https://developers.cloudflare.com/api/resources/ssl/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.certificate_packs import METHODS, invalid, status_at
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.ssl_certificate_packs import KIND, UNIVERSAL, not_found, packs_of
from trailboss.sandbox.routes.zones_settings import invalid_value, keep, kept

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

STATUS = {
    "initializing": "initializing",
    "pending_validation": "authorizing",
    "pending_issuance": "issuing",
    "pending_deployment": "pending_deployment",
    "active": "active",
    "expired": "expired",
}
"""A pack's state -> what verification calls it; the others are timing out."""


def _enabled(call: Call) -> bool:
    return bool((kept(call, UNIVERSAL) or {"enabled": True})["enabled"])


async def get_universal(call: Call) -> dict[str, bool]:
    """Whether the zone has a universal certificate."""
    return {"enabled": _enabled(call)}


async def edit_universal(call: Call) -> dict[str, bool]:
    """On or off, at once."""
    wanted = (await call.object()).get("enabled", _enabled(call))
    if not isinstance(wanted, bool):
        raise invalid_value(UNIVERSAL)
    keep(call, UNIVERSAL, {"id": UNIVERSAL, "enabled": wanted})
    return {"enabled": wanted}


async def list_verifications(call: Call) -> list[Record]:
    """How far each certificate of the zone is."""
    return [_verification(call, pack) for pack in packs_of(call)]


def _verification(call: Call, pack: Record) -> Record:
    status = STATUS.get(status_at(pack, call.clock.now()), "timing_out")
    method = pack["validation_method"]
    return {
        "certificate_status": status,
        "brand_check": False,
        "cert_pack_uuid": pack["id"],
        "signature": "ECDSAWithSHA256",
        "validation_method": method if method in {"http", "txt"} else None,
        "verification_status": status == "active",
        "verification_type": "cname",
    }


async def edit_verification(call: Call) -> Record:
    """Validate in another way from now on."""
    method = (await call.object()).get("validation_method")
    pack = call.store.get(KIND, call["certificate_pack_id"])
    if pack is None or pack["zone"] != call["zone_id"]:
        raise not_found()
    if method not in METHODS:
        raise invalid(f"The validation method {method} is not available.")
    pack |= {"validation_method": method, "started_on": call.clock.iso()}
    call.store.put(KIND, pack["id"], pack, parent=call["zone_id"])
    return {"status": status_at(pack, call.clock.now()), "validation_method": method}


router = Router("ssl_universal")
_SETTINGS, _SDK = "Z/ssl/universal/settings", "ssl.universal.settings"
_TYPE = "ssl.universal.UniversalSSLSettings"
router.add("GET", _SETTINGS, get_universal, sdk=f"{_SDK}.get", reply=_TYPE)
_PARAMS = "ssl.universal.SettingEditParams"
router.add("PATCH", _SETTINGS, edit_universal, sdk=f"{_SDK}.edit", request=_PARAMS, reply=_TYPE)
router.add(
    "GET",
    "Z/ssl/verification",
    list_verifications,
    sdk="ssl.verification.get",
    reply="ssl.VerificationGetResponse",
)
router.add(
    "PATCH",
    "Z/ssl/verification/{certificate_pack_id}",
    edit_verification,
    sdk="ssl.verification.edit",
    request="ssl.VerificationEditParams",
    reply="ssl.VerificationEditResponse",
)
