"""An answer of Cloudflare that is not a success becomes one typed error.

    TB2001 another refusal              TB2401 too many requests
    TB2101 token refused                TB2402 our own budget is used up
    TB2201 permission missing           TB2501 cannot be reached (nothing was sent)
    TB2202 stopped by a WAF challenge   TB2502 sent, but no answer
    TB2301 not there                    TB2503 Cloudflare failed (5xx)
    TB2302 there already                TB2504 the answer cannot be read

The message holds method, path and Cloudflare's words; never a credential, a header or a body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trailboss.cloud.codes import BUSY, LOGIN, MISSING, RIGHTS, TAKEN, meaning, permission
from trailboss.cloud.redact import Redactor
from trailboss.cloud.retry import is_breakdown
from trailboss.errors import (
    AlreadyExists,
    AuthenticationError,
    CloudError,
    NotFound,
    PermissionDenied,
    RateLimited,
    Unavailable,
)

_CLASS: dict[str, tuple[type[CloudError], str]] = {
    "": (CloudError, "TB2001"),
    LOGIN: (AuthenticationError, "TB2101"),
    RIGHTS: (PermissionDenied, "TB2201"),
    MISSING: (NotFound, "TB2301"),
    TAKEN: (AlreadyExists, "TB2302"),
    BUSY: (RateLimited, "TB2401"),
}
_TAKEN_WORDS = re.compile(r"already (?:exists|taken|in use)|duplicate", re.IGNORECASE)
_INVALID_TOKEN = re.compile(r"invalid (?:access|api) token|invalid token", re.IGNORECASE)
_LOGIN_HINT = "The token is wrong, expired or revoked: check it with `trailboss whoami`."
_OFFLINE_HINT = "Check the network, the proxy settings and CLOUDFLARE_API_BASE_URL."
_CERTIFICATE_HINT = "For a proxy that opens TLS, set SSL_CERT_FILE to a file that holds its certificate."
_CHALLENGE_HINT = "Cloudflare's firewall took this for a bot: try another network, or without VPN and proxy."


def refusal(
    method: str,
    path: str,
    status: int,
    headers: Mapping[str, str],
    errors: list[dict[str, Any]],
    *,
    redactor: Redactor,
    retry_after: float = 0.0,
) -> CloudError:
    """The error for an answer with `status` and Cloudflare's `errors` (empty when the body was not JSON)."""
    errors = redactor.deep(errors)
    place = redactor.text(f"{method} {path}")
    ray = headers.get("cf-ray", "")
    if headers.get("cf-mitigated") == "challenge":
        text = f"{place}: stopped by a Cloudflare challenge{_tail(ray)}"
        return PermissionDenied("TB2202", text, hint=_CHALLENGE_HINT, status=status, ray=ray)
    code = _first_code(errors)
    message = f"{place}: {_words(errors, status)}{_tail(ray)}"
    if is_breakdown(status):
        broken = Unavailable(
            "TB2503", message, hint=_later_hint(method), status=status, errors=errors, ray=ray
        )
        broken.effect_unknown = method not in ("GET", "HEAD")
        return broken
    kind, hint = _judge(method, path, status, code, errors)
    shape, number = _CLASS[kind]
    error = shape(number, message, hint=hint, status=status, errors=errors, ray=ray)
    if isinstance(error, RateLimited):
        error.retry_after = retry_after
    return error


def unreachable(
    method: str, path: str, reason: str, redactor: Redactor, *, sent: bool, code: str = "", status: int = 0
) -> Unavailable:
    """The error when no usable answer came: `sent` tells whether the server may have acted."""
    place = redactor.text(f"{method} {path}: {reason}")
    unknown = sent and method not in ("GET", "HEAD")
    hint = _later_hint(method) if sent else _OFFLINE_HINT
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        hint = _CERTIFICATE_HINT
    error = Unavailable(code or ("TB2502" if sent else "TB2501"), place, hint=hint, status=status)
    error.effect_unknown = unknown
    return error


def over_budget(method: str, path: str, wait: float, redactor: Redactor) -> RateLimited:
    """The error when the next call may go only after `wait` seconds, longer than the caller's patience."""
    place = redactor.text(f"{method} {path}")
    text = f"{place}: not sent, the rate limit allows the next call in {wait:.0f} s"
    hint = "All tools of this Cloudflare user share 1,200 requests in five minutes; run this again later."
    error = RateLimited("TB2402", text, hint=hint)
    error.retry_after = wait
    return error


def _judge(method: str, path: str, status: int, code: int, errors: list[dict[str, Any]]) -> tuple[str, str]:
    kind, hint = meaning(path, code)
    text = " ".join(str(error.get("message", "")) for error in errors)
    if kind:
        return kind, hint
    if status == 429:
        return BUSY, hint or "Other tools of this user count too; the call is allowed again later."
    if status == 401 or (code == 9109 and _INVALID_TOKEN.search(text)):
        return LOGIN, hint or _LOGIN_HINT
    if status == 403 or code in (9109, 10000):
        return RIGHTS, hint or _rights_hint(method, path)
    if status == 404:
        return MISSING, hint
    if status in (400, 409) and not hint and _TAKEN_WORDS.search(text):
        return TAKEN, "Use the existing one, or choose another name."
    return "", hint


def _rights_hint(method: str, path: str) -> str:
    needed = permission(path, writes=method not in ("GET", "HEAD"))
    what = f"lacks the permission '{needed}'" if needed else "lacks a permission"
    return f"The token {what}, or is no longer valid or of another account: `trailboss whoami` tells."


def _later_hint(method: str) -> str:
    if method in ("GET", "HEAD"):
        return "Try again in a moment; https://www.cloudflarestatus.com says whether it is Cloudflare."
    return "It is not known whether this took effect: look before doing it again."


def _first_code(errors: list[dict[str, Any]]) -> int:
    code = errors[0].get("code") if errors else None
    return code if isinstance(code, int) else 0


def _words(errors: list[dict[str, Any]], status: int) -> str:
    if not errors:
        return f"HTTP {status} without a reason"
    return "; ".join(_one(error) for error in errors)


def _one(error: dict[str, Any]) -> str:
    chain = error.get("error_chain")
    below = [_one(e) for e in chain if isinstance(e, dict)] if isinstance(chain, list) else []
    text = f"{error.get('message') or 'no message'} [code: {error.get('code', '?')}]"
    return " <- ".join([text, *below])


def _tail(ray: str) -> str:
    return f" (cf-ray {ray})" if ray else ""
