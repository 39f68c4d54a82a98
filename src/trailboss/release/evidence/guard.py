"""The absolute guard: is the share of failures above a ceiling, whoever is at fault?

A canary that breaks what both versions share (a D1 database, say) looks no worse than the stable one. The
guard compares with a fixed ceiling instead, a one-sample mixture (measures section 1.6):

    E = sum_k v_k prod (t_k/t_max)^x ((1-t_k)/(1-t_max))^(n-x),   odds(t_k) = g_k odds(t_max)

Every factor has mean at most 1 while each request fails with probability at most `ceiling` given the past.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trailboss.release.evidence.conditional import GRID, START, WEIGHTS
from trailboss.release.evidence.wealth import Wealth
from trailboss.release.evidence.windows import NONE, Window

CEILING = 0.05
Arms = Literal["both", "canary"]


def _log_ratios(ceiling: float) -> tuple[tuple[float, float], ...]:
    """Per grid point: the log gain of a failed and of a good request."""
    odds = ceiling / (1 - ceiling)
    rates = [g * odds / (1 + g * odds) for g in GRID]
    return tuple((math.log(t / ceiling), math.log((1 - t) / (1 - ceiling))) for t in rates)


@dataclass(frozen=True, slots=True)
class Guard:
    """`ceiling` is the failing share not to be exceeded, above 0 and below 1; `arms` says whose requests
    count. Choose above the normal rate: an outage of both versions ends the rollout by design."""

    ceiling: float = CEILING
    arms: Arms = "both"
    wealth: Wealth = START

    def __post_init__(self) -> None:
        if not 0 < self.ceiling < 1:
            raise ValueError(f"the ceiling is a share between 0 and 1, not {self.ceiling}")

    def after(self, window: Window) -> Guard:
        """With the window taken into account; itself for a window it already knows. Probes do not count:
        they are not users."""
        if self.wealth.knows(window.id):
            return self
        seen = window.canary + (window.stable if self.arms == "both" else NONE)
        good = seen.requests - seen.errors
        gains = [seen.errors * bad + good * fine for bad, fine in _log_ratios(self.ceiling)]
        return Guard(self.ceiling, self.arms, self.wealth.after(window.id, gains))

    @property
    def log_e(self) -> float:
        return self.wealth.mixed(WEIGHTS)

    @property
    def _design(self) -> str:
        return f"guard {self.ceiling:g} {self.arms}"

    def as_json(self) -> dict[str, Any]:
        return self.wealth.as_json(self._design)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], ceiling: float = CEILING, arms: Arms = "both") -> Guard:
        """Raises ReleaseError TB4303 for the state of another guard."""
        return cls(ceiling, arms, Wealth.from_json(saved, cls(ceiling, arms)._design, len(GRID)))
