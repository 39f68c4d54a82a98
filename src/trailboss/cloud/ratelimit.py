"""Reads what an answer says about the rate limit, in every spelling Cloudflare has used.

`Ratelimit: "default";r=50;t=30` with `Ratelimit-Policy: "default";q=1200;w=300` (RFC draft), the older
`x-ratelimit-limit/-remaining/-reset`, and `Retry-After` in seconds or as an HTTP date.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

QUOTA = 1200
STOP_SHARE = 0.8
_FIELD = re.compile(r";\s*([a-z]+)\s*=\s*\"?([0-9.]+)")


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait that the answer asks for, of any size; None when it does not say."""
    return _seconds(headers.get("retry-after"), now)


def block_seconds(headers: Mapping[str, str], now: float) -> float:
    """Seconds during which nothing should be sent: 80 % of the allowance is used up. 0 when there is room."""
    current = headers.get("ratelimit")
    if current:
        fields = dict(_FIELD.findall(current))
        policy = dict(_FIELD.findall(headers.get("ratelimit-policy", "")))
        return _needed(fields.get("r"), policy.get("q"), _seconds(fields.get("t"), now))
    left = headers.get("x-ratelimit-remaining")
    if left is None:
        return 0.0
    return _needed(left, headers.get("x-ratelimit-limit"), _seconds(headers.get("x-ratelimit-reset"), now))


def _needed(left: str | None, quota: str | None, reset: float | None) -> float:
    remaining, limit = _number(left), _number(quota) or QUOTA
    if remaining is None or reset is None:
        return 0.0
    # The smallest limits (a product's own, of a few calls) would never let a call through at 80 %.
    reserve = math.floor(limit * (1 - STOP_SHARE) + 1e-9)
    return reset if remaining <= reserve else 0.0


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None


def _seconds(text: str | None, now: float) -> float | None:
    """Seconds, a moment since the epoch or an HTTP date, as seconds from `now`; never negative."""
    if text is None:
        return None
    value = _number(text.strip())
    if value is not None:
        value = value - now if value > 1_000_000_000 else value
        return max(0.0, value)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None
