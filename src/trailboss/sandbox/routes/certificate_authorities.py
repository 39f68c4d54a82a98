"""Client certificates of a zone, and the hostnames that ask visitors for one.

Faithful: shapes, one list of hostnames per authority (an uploaded one, or the zone's managed one), PUT
replaces it; certificates are really signed. Simplified: revoking and reactivating take effect at once, and
the sandbox's edge has no TLS to ask for a certificate.
https://developers.cloudflare.com/api/resources/certificate_authorities/
https://developers.cloudflare.com/api/resources/client_certificates/
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.managed_ca import issue, make_authority
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.mtls_certificates import ASSOCIATION, KIND, certificate_not_found

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

AUTHORITY, CLIENT = "managed_authority", "client_certificate"
MAX_DAYS = 3650


def client_not_found() -> ApiError:
    """No client certificate of that id in the zone."""
    return ApiError(404, 1450, "Client certificate not found.")


def _asked(call: Call, certificate: str) -> str:
    """The key of the list of hostnames of an authority of this zone; "" is the managed one."""
    if certificate:
        found = call.store.get(KIND, certificate)
        if found is None:
            raise certificate_not_found()
        if not found["ca"]:
            raise bad_request("mtls_certificate_id must name a certificate authority", 1473)
    return f"{call['zone_id']}/{certificate}"


async def get_associations(call: Call) -> Record:
    """The hostnames of ?mtls_certificate_id, else of the managed authority."""
    found = call.store.get(ASSOCIATION, _asked(call, call.query("mtls_certificate_id")))
    return {"hostnames": found["hostnames"] if found else []}


async def put_associations(call: Call) -> Record:
    """These hostnames and no others."""
    body = await call.object()
    certificate = str(body.get("mtls_certificate_id") or "")
    key, hostnames = _asked(call, certificate), body.get("hostnames") or []
    zone = (call.store.get("zone", call["zone_id"]) or {})["name"]
    for name in hostnames:
        if not isinstance(name, str) or (name != zone and not name.endswith(f".{zone}")):
            raise bad_request(f"hostname {name!r} is not part of the zone {zone}", 1474)
    record = {"zone_id": call["zone_id"], "mtls_certificate_id": certificate, "hostnames": hostnames}
    if hostnames:
        call.store.put(ASSOCIATION, key, record, parent=certificate)
    else:
        call.store.delete(ASSOCIATION, key)
    return {"hostnames": hostnames}


def _authority(call: Call) -> Record:
    """The zone's own authority, made when it is first needed."""
    zone = call["zone_id"]
    found = call.store.get(AUTHORITY, zone)
    if found is None:
        name = f"Managed CA {call.ids.hex()}"
        made = make_authority(name, _now(call))
        found = call.store.put(AUTHORITY, zone, {"id": call.ids.uuid(), "name": name, **made})
    return found


def _now(call: Call) -> datetime:
    return datetime.fromtimestamp(int(call.clock.now()), UTC)


def _client_of(call: Call) -> Record:
    found = call.store.get(CLIENT, call["client_certificate_id"])
    if found is None or found["zone_id"] != call["zone_id"]:
        raise client_not_found()
    return found


def _shown(record: Record, status: str = "") -> Record:
    shape = {name: value for name, value in record.items() if name != "zone_id"}
    return {**shape, "status": status or record["status"]}


async def list_clients(call: Call) -> Reply:
    """By status; all but `all` is a filter."""
    status = call.query("status", "all")
    found = [one for one in call.store.all(CLIENT, call["zone_id"]) if status in ("all", one["status"])]
    return call.paged([_shown(one) for one in found])


async def create_client(call: Call) -> Record:
    """Sign a request."""
    body, authority, now = await call.object(), _authority(call), _now(call)
    days = body.get("validity_days")
    if not isinstance(days, int) or not 1 <= days <= MAX_DAYS:
        raise bad_request(f"validity_days must be between 1 and {MAX_DAYS}", 1448)
    csr = str(body.get("csr") or "").replace("\\n", "\n")
    record = {
        "id": call.ids.uuid(),
        "zone_id": call["zone_id"],
        "certificate_authority": {"id": authority["id"], "name": authority["name"]},
        "csr": csr,
        "status": "active",
        "validity_days": days,
        "issued_on": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "expires_on": (now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **issue(authority, csr, days, now),
    }
    return _shown(call.store.put(CLIENT, record["id"], record, parent=call["zone_id"]))


async def get_client(call: Call) -> Record:
    """One certificate."""
    return _shown(_client_of(call))


async def reactivate_client(call: Call) -> Record:
    """A revoked one works again."""
    record, body = _client_of(call), await call.object()
    if not body.get("reactivate") or record["status"] != "revoked":
        raise bad_request("only a revoked certificate can be reactivated", 1451)
    return _turn(call, record, "active", "pending_reactivation")


async def revoke_client(call: Call) -> Record:
    """Revoked certificates stay in the list."""
    return _turn(call, _client_of(call), "revoked", "pending_revocation")


def _turn(call: Call, record: Record, status: str, told: str) -> Record:
    record["status"] = status
    return _shown(call.store.put(CLIENT, record["id"], record, parent=record["zone_id"]), told)


router = Router("certificate_authorities")
_LINKS, _LINK_SDK = (
    "Z/certificate_authorities/hostname_associations",
    "certificate_authorities.hostname_associations",
)
_LINK = "certificate_authorities.HostnameAssociation"
router.add("GET", _LINKS, get_associations, sdk=f"{_LINK_SDK}.get", reply=f"{_LINK}GetResponse")
router.add(
    "PUT",
    _LINKS,
    put_associations,
    sdk=f"{_LINK_SDK}.update",
    request=f"{_LINK}UpdateParams",
    reply=f"{_LINK}UpdateResponse",
)
_ROOT, _ONE = "Z/client_certificates", "Z/client_certificates/{client_certificate_id}"
_SDK, _TYPE = "client_certificates", "client_certificates.ClientCertificate"
router.add("GET", _ROOT, list_clients, sdk=f"{_SDK}.list", reply=_TYPE)
router.add("POST", _ROOT, create_client, sdk=f"{_SDK}.create", request=f"{_TYPE}CreateParams", reply=_TYPE)
router.add("GET", _ONE, get_client, sdk=f"{_SDK}.get", reply=_TYPE)
router.add("PATCH", _ONE, reactivate_client, sdk=f"{_SDK}.edit", request=f"{_TYPE}EditParams", reply=_TYPE)
router.add("DELETE", _ONE, revoke_client, sdk=f"{_SDK}.delete", reply=_TYPE)
