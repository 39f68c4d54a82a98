"""The comparison under version affinity, where a key (a user, a session) keeps its version.

A key that fails in every window must not count in every window: once it failed, its label is known. Nor is it
enough to drop it from then on and compare windows as usual: the keys that stay carry labels already seen,
and the mean of such an e-value exceeds 1 (by enumeration: up to 2.9 with six keys). What is exact: labels are
drawn by a hash with the known share s, whatever the keys do. So each key's *first* failure is one draw, and

    S_k = (w_k/c)^x_b ((1-s+s c) / (1-s+s w_k))^m

for m keys that failed for the first time, x_b of them on the canary: conditional.py with endless requests
at share s. Raising s keeps this exact, since nothing was learnt of the keys that have not failed yet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2s
from typing import Any

from trailboss.release.evidence.conditional import GRID, MARGIN, START, WEIGHTS
from trailboss.release.evidence.wealth import Wealth
from trailboss.release.evidence.windows import NONE, Event, Exact, Span, Window

_REMEMBERED = 5000  # canary keys kept per step; later ones count only when they fail


def _short(key: str) -> str:
    """Keys may name people: only a digest is kept."""
    return blake2s(key.encode(), digest_size=8).hexdigest()


def log_gains(stable: int, canary: int, share: float, margin: float = MARGIN) -> tuple[float, ...]:
    """log S_k for first failures on either version; `share` of the canary from 0 to 1."""
    if not 0 < share < 1:
        return (0.0,) * len(GRID)
    null = 1 - share + share * margin
    odds = [1 - share + share * margin * g for g in GRID]
    return tuple(
        canary * math.log(g) - (stable + canary) * math.log(other / null)
        for g, other in zip(GRID, odds, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Keyed:
    """The e-process over keys. `failed`: digests of keys that failed in this rollout; `met`: those the
    canary served in this step."""

    margin: float = MARGIN
    wealth: Wealth = START
    failed: frozenset[str] = frozenset()
    met: frozenset[str] = frozenset()

    def after(self, span: Span, share: float, events: Iterable[Event]) -> tuple[Keyed, Window]:
        """With one span's events at the canary's `share` (0 to 1), and the window for the certificate: keys
        new to the canary in this step, and those that failed for the first time. Events without a
        key are left out. Itself, and an empty window, for a span it already knows."""
        if self.wealth.knows(span.id):
            return self, Window(span.id, NONE, NONE)
        inside = [event for event in events if span.start <= event.at < span.end and event.key is not None]
        arm: dict[str, bool] = {}
        for event in sorted(inside, key=lambda event: event.at):
            if event.failed and (key := _short(event.key or "")) not in self.failed:
                arm.setdefault(key, event.canary)
        bad = sum(arm.values())
        served = {_short(event.key or "") for event in inside if event.canary} - self.met
        fresh = frozenset(sorted(served)[: _REMEMBERED - len(self.met)])
        turned = sum(1 for key, canary in arm.items() if canary and key not in fresh)
        gains = log_gains(len(arm) - bad, bad, share, self.margin)
        later = Keyed(
            self.margin, self.wealth.after(span.id, gains), self.failed | arm.keys(), self.met | fresh
        )
        return later, Window(span.id, NONE, Exact(len(fresh) + turned, bad))

    def next_step(self) -> Keyed:
        """For the next step, whose certificate meets every key anew."""
        return replace(self, met=frozenset())

    @property
    def log_e(self) -> float:
        return self.wealth.mixed(WEIGHTS)

    @property
    def _design(self) -> str:
        return f"keyed {self.margin:g}"

    def as_json(self) -> dict[str, Any]:
        return {
            **self.wealth.as_json(self._design),
            "failed": sorted(self.failed),
            "met": sorted(self.met),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], margin: float = MARGIN) -> Keyed:
        """Raises ReleaseError TB4303 for the state of another margin."""
        wealth = Wealth.from_json(saved, cls(margin)._design, len(GRID))
        return cls(margin, wealth, frozenset(saved["failed"]), frozenset(saved["met"]))
