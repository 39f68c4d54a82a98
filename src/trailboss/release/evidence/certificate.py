"""Promotion needs proof: a certificate that the canary fails less often than `theta_max`.

Absence of evidence is not health. The certificate is an e-process against "the canary fails at least as
often as theta_max" (measures section 1.6):

    C = sum_f w_f prod (f)^x ((1 - f theta_max) / (1 - theta_max))^(1-x),   f = 0 .1 .25 .5

so a canary that bad is ever certified with probability at most beta, however often one looks. Without a
single failure, C >= 1/beta = 20 takes 65 / 331 / 663 requests for theta_max of 5 / 1 / 0.5 %. Let theta_max
be four times the normal rate or more, or a good canary waits long.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trailboss.release.evidence.wealth import Wealth, log_sum
from trailboss.release.evidence.windows import NONE, Exact, Window

FRACTIONS = (0.0, 0.1, 0.25, 0.5)
WEIGHTS = (0.4, 0.3, 0.2, 0.1)
THETA_MAX = 0.01
BETA = 0.05
_START = Wealth.start(len(FRACTIONS))


def _gains(theta_max: float, seen: Exact) -> list[float]:
    good = seen.requests - seen.errors
    gains = []
    for f in FRACTIONS:
        failed = 0.0 if not seen.errors else (seen.errors * math.log(f) if f else -math.inf)
        gains.append(failed + good * math.log((1 - f * theta_max) / (1 - theta_max)))
    return gains


@dataclass(frozen=True, slots=True)
class Certificate:
    """The proof gathered for one step of a rollout. Begin a new one with each step: what held at 1 %
    of the traffic says nothing of the load at 50 %. `seen` is what it was gathered from."""

    theta_max: float = THETA_MAX
    wealth: Wealth = _START
    seen: Exact = NONE

    def __post_init__(self) -> None:
        if not 0 < self.theta_max < 1:
            raise ValueError(f"theta_max is a share between 0 and 1, not {self.theta_max}")

    def after(self, window: Window) -> Certificate:
        """With the canary's requests and our probes taken into account; itself for a window it knows."""
        if self.wealth.knows(window.id):
            return self
        added = window.canary + window.probes
        wealth = self.wealth.after(window.id, _gains(self.theta_max, added))
        return Certificate(self.theta_max, wealth, self.seen + added)

    @property
    def log_c(self) -> float:
        return self.wealth.mixed(WEIGHTS)

    def proves(self, beta: float = BETA) -> bool:
        """Whether the proof is complete at a risk of `beta`."""
        return self.log_c >= -math.log(beta)

    def missing(self, beta: float = BETA) -> int:
        """How many more requests, all good, would complete the proof."""
        return _clean(self.theta_max, beta, self.wealth)

    @property
    def _design(self) -> str:
        return f"certificate {self.theta_max:g}"

    def as_json(self) -> dict[str, Any]:
        seen = {"requests": self.seen.requests, "errors": self.seen.errors}
        return {**self.wealth.as_json(self._design), "seen": seen}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], theta_max: float = THETA_MAX) -> Certificate:
        """Raises ReleaseError TB4303 for the state of another certificate."""
        wealth = Wealth.from_json(saved, cls(theta_max)._design, len(FRACTIONS))
        return cls(theta_max, wealth, Exact(**saved["seen"]))


def clean_requests(theta_max: float = THETA_MAX, beta: float = BETA) -> int:
    """The requests without one failure that certify `theta_max`: the least a step needs."""
    return Certificate(theta_max).missing(beta)


def _clean(theta_max: float, beta: float, wealth: Wealth) -> int:
    def short(requests: int) -> bool:
        gains = _gains(theta_max, Exact(requests))
        grown = [math.log(w) + a + g for w, a, g in zip(WEIGHTS, wealth.log, gains, strict=True)]
        return log_sum(grown) < -math.log(beta)

    if not short(0):
        return 0
    high = 1
    while short(high):
        high *= 2
    low = high // 2
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if short(middle) else (low, middle)
    return high
