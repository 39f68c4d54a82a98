"""Who may speak to the sandbox at all: this machine, and no web page."""

from __future__ import annotations

import hmac

from trailboss.sandbox.identity import Identity
from trailboss.sandbox.refusals import (
    ApiError,
    authentication_error,
    invalid_account,
    malformed_credentials,
)

CALLBACKS = "/_sandbox/runtime/"
LOCAL_HOSTS = {"127.0.0.1", "localhost", "[::1]"}


def refuse_foreign(headers: dict[str, str], path: str) -> ApiError | None:
    """403 for a Host that is not this machine (DNS rebinding) or any Origin (a page in a browser).

    The runtime calls back under the host name `control`, which no page can be served from; it shows the
    token too.
    """
    host = headers.get("host", "").lower()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name not in LOCAL_HOSTS and not (name == "control" and path.startswith(CALLBACKS)):
        return ApiError(403, 10403, f"The sandbox answers only to localhost, not to {host or 'no host'!r}.")
    if "origin" in headers:
        return ApiError(403, 10403, "The sandbox does not answer web pages.")
    return None


def bearer(headers: dict[str, str]) -> str:
    """The token of the request, "" when there is none.

    Raises:
        ApiError: 6003 when the header is there but is not `Bearer <token>`.
    """
    header, key = headers.get("authorization", ""), headers.get("x-auth-key", "")
    scheme, _, token = header.partition(" ")
    if key and not token.strip():  # Go's SDK sends an empty token beside the key
        return key
    if not header:
        return ""
    if scheme.lower() != "bearer" or not token.strip() or any(char.isspace() for char in token.strip()):
        raise malformed_credentials()
    return token.strip()


def same(left: str, right: str) -> bool:
    """Compare without telling how much was right."""
    return hmac.compare_digest(left.encode(), right.encode())


def check_account(path: str, account: str, identity: Identity) -> None:
    """Refuse another account's id: 7003 when it cannot be an id, 10000 when it is not this token's."""
    if account == identity.account_id:
        return
    if len(account) != 32 or any(char not in "0123456789abcdef" for char in account):
        raise invalid_account(path)
    raise authentication_error()
