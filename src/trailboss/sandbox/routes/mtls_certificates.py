"""mTLS certificates: client certificates Workers present, and certificate authorities.

Faithful: shapes, codes, dates and issuer, the private key is never shown. Simplified: chains and keys are not
verified; the sandbox does not keep the key, for nothing here can present it.
https://developers.cloudflare.com/api/resources/mtls_certificates/
"""

from __future__ import annotations

import hashlib
import re
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.workers.model import deployed_versions

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record, Store

KIND, ASSOCIATION = "mtls_certificate", "mtls_hostnames"
BEGIN = "-----BEGIN CERTIFICATE-----"
END = "-----END CERTIFICATE-----"
SHORT = {
    "commonName": "CN",
    "organizationalUnitName": "OU",
    "organizationName": "O",
    "streetAddress": "STREET",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "countryName": "C",
}
"""The parts of a name, most specific first, whatever their order in the certificate."""


def certificate_not_found() -> ApiError:
    """No certificate of that id."""
    return ApiError(404, 1472, "Certificate not found.")


def invalid_certificate(detail: str) -> ApiError:
    """Not a certificate, or no key beside it."""
    return ApiError(400, 1470, detail)


def certificate_exists() -> ApiError:
    """The same certificate was uploaded before."""
    return ApiError(409, 1471, "The certificate already exists.")


def certificate_in_use(hostnames: list[str]) -> ApiError:
    """Hostnames ask for certificates of this authority."""
    return ApiError(409, 1475, f"The certificate is associated with {', '.join(hostnames)}.")


def _certificate_of(call: Call) -> Record:
    found = call.store.get(KIND, call["mtls_certificate_id"])
    if found is None:
        raise certificate_not_found()
    return found


def _shown(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in {"private_key", "digest"}}


def distinguished_name(parts: Sequence[Sequence[tuple[str, str]]]) -> str:
    """A name in the writing of RFC 4514, its parts in Cloudflare's order; unknown ones last."""
    known = list(SHORT)
    pairs = [pair for part in parts for pair in part]
    pairs.sort(key=lambda pair: known.index(pair[0]) if pair[0] in SHORT else len(known))
    return ",".join(f"{SHORT.get(name, name)}={_escaped(value)}" for name, value in pairs)


def _escaped(value: str) -> str:
    value = re.sub(r'([\\,+"<>;])', r"\\\1", value)
    value = re.sub(r"^([ #])", r"\\\1", value)
    return re.sub(r" $", r"\\ ", value)


def _read(pem: str) -> Record:
    """Issuer, serial number and end of the first certificate in `pem`."""
    first = pem[pem.index(BEGIN) : pem.index(END) + len(END)]
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(first)
        file.flush()
        try:
            # The one decoder the standard library has; it takes a path.
            facts = ssl._ssl._test_decode_cert(file.name)  # type: ignore[attr-defined]
        except ssl.SSLError as error:
            raise invalid_certificate(f"The certificate could not be read: {error}") from None
    issuer = distinguished_name(facts["issuer"])
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(facts["notAfter"]), UTC)
    return {
        "issuer": issuer,
        "serial_number": facts["serialNumber"],
        "expires_on": ends.isoformat().replace("+00:00", "Z"),
    }


async def list_certificates(call: Call) -> Reply:
    """By name and by whether they are authorities."""
    found = call.store.all(KIND)
    if call.query("ca"):
        found = [one for one in found if one["ca"] is call.flag("ca")]
    if call.query("name"):
        found = [one for one in found if one["name"] == call.query("name")]
    return call.single([_shown(one) for one in found])


async def upload_certificate(call: Call) -> Record:
    """A leaf needs its key, an authority has none."""
    body = await call.object()
    pem, ca = body.get("certificates"), bool(body.get("ca"))
    if not isinstance(pem, str) or BEGIN not in pem or END not in pem:
        raise invalid_certificate("certificates must be in PEM form.")
    if not ca and "PRIVATE KEY-----" not in str(body.get("private_key") or ""):
        raise invalid_certificate("private_key is required for a leaf certificate.")
    digest = hashlib.sha256(pem.encode()).hexdigest()
    if call.store.find(KIND, digest=digest, ca=ca) is not None:
        raise certificate_exists()
    record = {
        "id": call.ids.uuid(),
        "name": body.get("name") or "",
        "ca": ca,
        "certificates": pem,
        "uploaded_on": call.clock.iso(),
        "type": "custom",
        "digest": digest,
        **_read(pem),
    }
    return _shown(call.store.put(KIND, record["id"], record))


async def get_certificate(call: Call) -> Record:
    """One certificate."""
    return _shown(_certificate_of(call))


async def delete_certificate(call: Call) -> Record:
    """Gone; an authority only when no hostname asks for it."""
    record = _certificate_of(call)
    if hostnames := [name for one in call.store.all(ASSOCIATION, record["id"]) for name in one["hostnames"]]:
        raise certificate_in_use(hostnames)
    call.store.delete(KIND, record["id"])
    return _shown(record)


async def list_associations(call: Call) -> Reply:
    """What uses it: hostnames of an authority, Workers of a client certificate."""
    record, used = _certificate_of(call), []
    if call.store.count(ASSOCIATION, record["id"]):
        used.append("api_shield")
    if any(_binds(version, record) for version in deployed(call.store)):
        used.append("workers")
    return call.single([{"service": service, "status": "active"} for service in used])


def _binds(version: Record, certificate: Record) -> bool:
    return any(binding.get("certificate_id") == certificate["id"] for binding in version["bindings"])


def deployed(store: Store) -> Iterator[Record]:
    """Every version that takes traffic."""
    for script in store.all("script"):
        yield from deployed_versions(store, script["name"])


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a certificate that exists."""
    if store.get(KIND, str(binding.get("certificate_id", ""))) is not None:
        return None
    return ApiError(400, 10083, f"mTLS certificate '{binding.get('certificate_id')}' was not found.")


router = Router("mtls_certificates")
_ROOT, _ONE, _SDK = "A/mtls_certificates", "A/mtls_certificates/{mtls_certificate_id}", "mtls_certificates"
_TYPE = "mtls_certificates.MTLSCertificate"
router.add("GET", _ROOT, list_certificates, sdk=f"{_SDK}.list", reply=_TYPE)
router.add(
    "POST",
    _ROOT,
    upload_certificate,
    sdk=f"{_SDK}.create",
    request=f"{_TYPE}CreateParams",
    reply=f"{_TYPE}CreateResponse",
)
router.add("GET", _ONE, get_certificate, sdk=f"{_SDK}.get", reply=_TYPE)
router.add("DELETE", _ONE, delete_certificate, sdk=f"{_SDK}.delete", reply=_TYPE)
router.add(
    "GET",
    f"{_ONE}/associations",
    list_associations,
    sdk=f"{_SDK}.associations.get",
    reply="mtls_certificates.CertificateAsssociation",
)
router.target("mtls_certificate", check_binding)
