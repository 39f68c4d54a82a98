"""Which calls may be sent again, and when. Pure: no clock, no network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# Cloudflare's own "something went wrong inside": sometimes sent with a 4xx.
_INTERNAL = frozenset({10002, 10013})


class Outcome(Enum):
    """How one attempt ended, seen from what it may have changed at the other side."""

    REFUSED = "refused"  # 429: the server did nothing
    NOT_SENT = "not sent"  # no byte left this machine
    LOST = "lost"  # sent, and no usable answer came back
    BROKEN = "broken"  # a 5xx, or Cloudflare's code for an internal error
    FINAL = "final"  # an answer: right or wrong, asking again will not change it


@dataclass(frozen=True, slots=True)
class Retry:
    """Attempts in total, and the bounds of the waiting in seconds (full jitter below a doubling ceiling)."""

    attempts: int = 5
    base: float = 0.5
    ceiling: float = 8.0

    def delay(self, attempt: int, rng: random.Random) -> float:
        """Seconds to wait after attempt number `attempt` (from 1): uniform between 0 and the ceiling."""
        return rng.uniform(0, min(self.ceiling, self.base * 2 ** (attempt - 1)))


def is_safe(method: str) -> bool:
    """Whether a request only reads, so that its effect is never in doubt."""
    return method in ("GET", "HEAD", "OPTIONS")


def is_idempotent(method: str, idempotent: bool | None) -> bool:
    """Whether sending twice does what sending once does: the caller's word, else the method's (RFC 9110)."""
    return method in _REPEATABLE if idempotent is None else idempotent


def may_repeat(outcome: Outcome, method: str, idempotent: bool | None) -> bool:
    """Whether the same request may be sent again after `outcome`.

    A POST or PATCH goes out again only when the first certainly did nothing: it was refused with 429, or the
    connection failed before a byte was sent.
    """
    if outcome is Outcome.FINAL:
        return False
    if outcome in (Outcome.REFUSED, Outcome.NOT_SENT):
        return True
    return is_idempotent(method, idempotent)


def is_breakdown(status: int) -> bool:
    """Whether a status says that the server failed; 501 says that it never will do this."""
    return status >= 500 and status != 501


def outcome_of(status: int, codes: list[int]) -> Outcome:
    """The outcome of an answer with this HTTP status and these Cloudflare codes."""
    if status == 429:
        return Outcome.REFUSED
    if is_breakdown(status) or _INTERNAL.intersection(codes):
        return Outcome.BROKEN
    return Outcome.FINAL
