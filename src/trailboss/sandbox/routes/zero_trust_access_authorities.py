"""Certificate authorities for short-lived SSH certificates: one per application, one for infrastructure.

Faithful: shapes, codes, real keys that a real sshd trusts (`TrustedUserCAKeys`).
https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.access_rules import conflict, not_found, scope_of
from trailboss.sandbox.products.access_table import CA
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.zero_trust_access_applications import application_of

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

GATEWAY = "access_gateway_ca"
COMMENT = "open-ssh-ca@cloudflareaccess.org"


def _keypair() -> tuple[str, str]:
    """An authority's public key as OpenSSH writes it, and its private key in PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return f"{public.decode()} {COMMENT}", private.decode()


def _shown(record: Record) -> Record:
    return {name: record[name] for name in ("id", "aud", "public_key") if name in record}


def _authority_of(call: Call) -> Record:
    found = call.store.get(CA, application_of(call)["id"])
    if found is None:
        raise not_found()
    return found


async def list_authorities(call: Call) -> Reply:
    """Those of all applications."""
    return call.paged([_shown(one) for one in call.store.all(CA, scope_of(call.path))], per_page=25)


async def create_authority(call: Call) -> Record:
    """One per application."""
    app = application_of(call)
    public, private = await asyncio.to_thread(_keypair)
    if call.store.get(CA, app["id"]) is not None:
        raise conflict("the application already has a certificate authority")
    record = {"id": call.ids.uuid(), "aud": app["aud"], "public_key": public, "private_key": private}
    call.store.put(CA, app["id"], record, parent=app["zone"])
    await call.runtime.sync()
    return _shown(record)


async def get_authority(call: Call) -> Record:
    """An application's."""
    return _shown(_authority_of(call))


async def delete_authority(call: Call) -> Reply:
    """What it signed is trusted no less: hosts decide that."""
    record = _authority_of(call)
    call.store.delete(CA, application_of(call)["id"])
    await call.runtime.sync()
    return Reply({"id": record["id"]}, status=202)


async def list_gateway(call: Call) -> Reply:
    """The account's authority for Access for Infrastructure."""
    return call.single([_shown(one) for one in call.store.all(GATEWAY)])


async def create_gateway(call: Call) -> Record:
    """One per account."""
    public, private = await asyncio.to_thread(_keypair)
    if call.store.count(GATEWAY):
        raise conflict("the account already has a certificate authority")
    record = {"id": call.ids.uuid(), "public_key": public, "private_key": private}
    return _shown(call.store.put(GATEWAY, record["id"], record))


async def delete_gateway(call: Call) -> Record:
    """Gone."""
    if not call.store.delete(GATEWAY, call["certificate_id"]):
        raise not_found()
    return {"id": call["certificate_id"]}


router = Router("zero_trust_access_authorities")
_SDK, _TYPE = "zero_trust.access.applications.cas", "zero_trust.access.applications.CA"
for _root in ("A/access/apps", "Z/access/apps"):
    _one = f"{_root}/{{app_id}}/ca"
    router.add("GET", f"{_root}/ca", list_authorities, sdk=f"{_SDK}.list", reply=_TYPE)
    router.add("POST", _one, create_authority, sdk=f"{_SDK}.create", reply=_TYPE)
    router.add("GET", _one, get_authority, sdk=f"{_SDK}.get", reply=_TYPE)
    router.add("DELETE", _one, delete_authority, sdk=f"{_SDK}.delete", reply=f"{_TYPE}DeleteResponse")
_GATEWAY, _SDK, _TYPE = "A/access/gateway_ca", "zero_trust.access.gateway_ca", "zero_trust.access.GatewayCA"
router.add("GET", _GATEWAY, list_gateway, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
router.add("POST", _GATEWAY, create_gateway, sdk=f"{_SDK}.create", reply=f"{_TYPE}CreateResponse")
router.add(
    "DELETE",
    f"{_GATEWAY}/{{certificate_id}}",
    delete_gateway,
    sdk=f"{_SDK}.delete",
    reply=f"{_TYPE}DeleteResponse",
)
