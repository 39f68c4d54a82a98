"""Certificate packs: what may be ordered, and how far an order is.

A pack goes through the states one after the other, each for `pace` seconds of the sandbox's clock; with a
pace of 0, the default, it has arrived by the next time anybody looks.
Source: https://developers.cloudflare.com/ssl/edge-certificates/advanced-certificate-manager/
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from trailboss.sandbox.refusals import ApiError

Record = dict[str, Any]
WALK = ("initializing", "pending_validation", "pending_issuance", "pending_deployment", "active")
TIMED_OUT = {
    "initializing": "initializing_timed_out",
    "pending_validation": "validation_timed_out",
    "pending_issuance": "issuance_timed_out",
    "pending_deployment": "deployment_timed_out",
}
"""Where an order may get stuck -> what it becomes then."""
MOST_HOSTS = 50
VALIDITY = {"google": (14, 30, 90), "lets_encrypt": (90,), "ssl_com": (14, 30, 90, 365)}
"""Authority -> days."""
METHODS = ("txt", "http", "email")
DAY = 86400.0
SIGNATURES = ("ECDSAWithSHA256", "SHA256WithRSA")
BRANDED = "sni.cloudflaressl.com"


def invalid(detail: str) -> ApiError:
    """An order that cannot be filled."""
    return ApiError(400, 1430, detail)


def check_order(order: Record, zone: str) -> None:
    """An order of an advanced certificate.

    Raises:
        ApiError: what is wrong with it.
    """
    authority, method = order.get("certificate_authority"), order.get("validation_method")
    if order.get("type") != "advanced":
        raise invalid("Only certificates of the type advanced can be ordered.")
    if authority not in VALIDITY:
        raise invalid(f"The certificate authority must be one of {', '.join(VALIDITY)}.")
    if order.get("validity_days") not in VALIDITY[authority]:
        days = ", ".join(map(str, VALIDITY[authority]))
        raise invalid(f"The validity of a certificate of {authority} must be one of {days} days.")
    if method not in METHODS or (method == "email" and authority != "ssl_com"):
        raise invalid(f"The validation method {method} is not available with {authority}.")
    _check_hosts(order.get("hosts") or [], zone, method)


def _check_hosts(hosts: list[str], zone: str, method: str) -> None:
    if not 1 <= len(hosts) <= MOST_HOSTS:
        raise invalid(f"A certificate has 1 to {MOST_HOSTS} hosts.")
    if len(set(hosts)) < len(hosts):
        raise invalid("The hosts must be unique.")
    if zone not in hosts:
        raise invalid(f"The hosts must include the zone apex {zone}.")
    for host in hosts:
        if host != zone and not host.endswith(f".{zone}"):
            raise invalid(f"The host {host} is not in the zone {zone}.")
        if "*" in host[1:] or (host.startswith("*") and not host.startswith("*.")):
            raise invalid(f"The host {host} may have one wildcard, as its first label.")
        if host.startswith("*") and method == "http":
            raise invalid("Wildcards cannot be validated by http.")


def status_at(pack: Record, now: float) -> str:
    """The state of an order at a moment (Unix seconds)."""
    passed, pace = now - _began(pack), float(pack["pace"])
    step = len(WALK) - 1 if pace <= 0 else min(int(passed / pace), len(WALK) - 1)
    stuck = pack.get("stuck_at", "")
    if stuck in TIMED_OUT and step > WALK.index(stuck):
        return TIMED_OUT[stuck]
    if step == len(WALK) - 1 and now >= _expiry(pack):
        return "expired"
    return WALK[step]


def _began(pack: Record) -> float:
    """When the order was made (Unix seconds); what is written is rounded, perhaps up."""
    return datetime.fromisoformat(pack["started_on"]).timestamp() - 1e-6


def _expiry(pack: Record) -> float:
    return _began(pack) + float(pack["pace"]) * (len(WALK) - 1) + float(pack["validity_days"]) * DAY


def shown(pack: Record, status: str, iso: Any) -> Record:
    """The pack as the API shows it in that state; `iso` writes a moment."""
    shape: Record = {
        "id": pack["id"],
        "type": pack["type"],
        "hosts": pack["hosts"],
        "status": status,
        "certificate_authority": pack["certificate_authority"],
        "validation_method": pack["validation_method"],
        "validity_days": pack["validity_days"],
        "cloudflare_branding": pack["cloudflare_branding"],
        "primary_certificate": "0",
        "certificates": [],
    }
    if status == "active":
        shape["certificates"] = [
            _certificate(pack, kind, iso) for kind in ("ECDSAWithSHA256", "SHA256WithRSA")
        ]
        shape["primary_certificate"] = shape["certificates"][0]["id"]
    elif status in {"pending_validation", "validation_timed_out"}:
        shape["validation_records"] = [_validation(pack, host) for host in pack["hosts"]]
    if status.endswith("timed_out"):
        message = f"The order got stuck in {pack['stuck_at']}; PATCH the pack to start again."
        shape["validation_errors"] = [{"message": message}]
    return shape


def _digest(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()


def _certificate(pack: Record, signature: str, iso: Any) -> Record:
    issuers = {"google": "GoogleTrustServices", "lets_encrypt": "LetsEncrypt", "ssl_com": "SSLCorporation"}
    digest = _digest(pack["id"], signature, pack["started_on"])
    return {
        "id": f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}",
        "hosts": [*([BRANDED] if pack["cloudflare_branding"] else []), *pack["hosts"]],
        "issuer": issuers[pack["certificate_authority"]],
        "signature": signature,
        "status": "active",
        "bundle_method": "ubiquitous",
        "zone_id": pack["zone"],
        "uploaded_on": pack["started_on"],
        "modified_on": pack["started_on"],
        "expires_on": iso(_expiry(pack)),
        "priority": None,
        "geo_restrictions": None,
    }


def _validation(pack: Record, host: str) -> Record:
    bare, token = host.removeprefix("*."), _digest(pack["id"], host, pack["started_on"])[:43]
    if pack["validation_method"] == "http":
        url = f"http://{bare}/.well-known/pki-validation/{token[:32]}.txt"
        return {"status": "pending", "http_url": url, "http_body": token}
    if pack["validation_method"] == "email":
        return {"status": "pending", "emails": [f"{name}@{bare}" for name in ("admin", "hostmaster")]}
    return {"status": "pending", "txt_name": f"_acme-challenge.{bare}", "txt_value": token}


def universal(zone: Record) -> Record:
    """The pack every zone has: its apex and one level below."""
    digest = _digest("universal", zone["id"])
    return {
        "id": f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}",
        "zone": zone["id"],
        "type": "universal",
        "hosts": [zone["name"], f"*.{zone['name']}"],
        "certificate_authority": "google",
        "validation_method": "txt",
        "validity_days": 90,
        "cloudflare_branding": False,
        "started_on": zone["created_on"],
        "pace": 0,
    }
