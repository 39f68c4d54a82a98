"""Access without a browser: the control plane's tokens, and the certificates the edge has signed.

A login with an identity provider cannot be emulated. Who needs what it gives, asks `POST /_sandbox/access`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.envelope import Raw, encode_json
from trailboss.sandbox.products.access_table import CA
from trailboss.sandbox.refusals import ApiError, bad_request

if TYPE_CHECKING:
    from trailboss.sandbox.call import Call

BEFORE, AFTER = 60, 240
"""Seconds for which a certificate is good, around the moment it is signed."""
EXTENSIONS = ("permit-agent-forwarding", "permit-port-forwarding", "permit-pty", "permit-user-rc")


async def post_login(call: Call) -> dict[str, Any]:
    """{"application": id, audience or domain, "email"} -> the token a login would have given: {"jwt", "aud"}.

    It goes in the cookie CF_Authorization or the header Cf-Access-Token; the policies decide what it is good
    for.
    """
    value = await call.object()
    email, wanted = str(value.get("email", "")), str(value.get("application", ""))
    if "@" not in email:
        raise bad_request("email is required")
    claims = {"email": email, "sub": call.ids.uuid(), "country": "US"}
    await call.runtime.sync()
    status, answer = await call.runtime.call("POST", "access", {"application": wanted, "claims": claims})
    if status >= 400:
        raise ApiError(404, 10404, f"no application guards {wanted!r}")
    return dict(answer)


async def from_sign(call: Call) -> Raw:
    """A short-lived SSH certificate for whom the edge has recognised: {application, email, public_key}."""
    value = await call.object()
    authority = call.store.get(CA, str(value["application"]))
    if authority is None:
        return _plain({"error": "the application has no certificate authority"})
    try:
        certificate = await asyncio.to_thread(
            _signed, authority["private_key"], str(value["public_key"]), str(value["email"])
        )
    except (ValueError, TypeError) as error:
        return _plain({"error": str(error)})
    return _plain({"certificate": certificate})


def _plain(value: Any) -> Raw:
    return Raw(encode_json(value), content_type="application/json")


def _signed(authority: str, key: str, email: str) -> str:
    """A user certificate whose principal is the local part of the address, as Access signs them.

    Raises:
        ValueError: the key is none OpenSSH could have made.
    """
    from cryptography.hazmat.primitives import serialization

    private: Any = serialization.load_pem_private_key(authority.encode(), None)
    public: Any = serialization.load_ssh_public_key(key.strip().encode())
    now = int(time.time())  # a host checks it by its own clock, not by the account's
    builder = (
        serialization.SSHCertificateBuilder()
        .public_key(public)
        .type(serialization.SSHCertificateType.USER)
        .serial(now)
        .key_id(email.encode())
        .valid_principals([email.partition("@")[0].encode()])
        .valid_after(now - BEFORE)
        .valid_before(now + AFTER)
    )
    for name in EXTENSIONS:
        builder = builder.add_extension(name.encode(), b"")
    return builder.sign(private).public_bytes().decode()
