"""The state of an e-process: one log wealth per grid point, and the last window that moved it.

A window is taken once: its id must be above the last one's. So a window read twice, or a process that
died after saving and starts over, changes nothing; and a window that turns up late is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from trailboss.errors import ReleaseError


def log_sum(terms: Sequence[float]) -> float:
    """log(sum(exp(t))) without overflow; minus infinity for nothing."""
    top = max(terms, default=-math.inf)
    if math.isinf(top):
        return top
    return top + math.log(math.fsum(math.exp(t - top) for t in terms))


@dataclass(frozen=True, slots=True)
class Wealth:
    """`log` wealth per grid point (0 at the start), `last` window taken (None at the start)."""

    log: tuple[float, ...]
    last: int | None = None

    @classmethod
    def start(cls, size: int) -> Self:
        return cls((0.0,) * size)

    def knows(self, window: int) -> bool:
        return self.last is not None and window <= self.last

    def after(self, window: int, gains: Sequence[float]) -> Wealth:
        """Every grid point multiplied by its gain (in logs); the same value for a window already taken."""
        if self.knows(window):
            return self
        return Wealth(tuple(a + b for a, b in zip(self.log, gains, strict=True)), window)

    def mixed(self, weights: Sequence[float]) -> float:
        """Log of the weighted average over the grid."""
        return log_sum([math.log(v) + a for v, a in zip(weights, self.log, strict=True)])

    def as_json(self, design: str) -> dict[str, Any]:
        """`design` says what the numbers belong to; minus infinity (ruined) becomes null."""
        return {
            "design": design,
            "log": [None if math.isinf(value) else value for value in self.log],
            "last": self.last,
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], design: str, size: int) -> Wealth:
        """Raises ReleaseError TB4303 when the numbers belong to another design: changing margin or
        thresholds half-way would void the guarantee."""
        log = saved.get("log")
        if saved.get("design") != design or not isinstance(log, list) or len(log) != size:
            raise ReleaseError(
                "TB4303",
                f"the saved evidence is of {saved.get('design')!r}, the gate now asks for {design!r}",
                hint="finish or abort the rollout with the settings it began with, then change them",
            )
        return cls(tuple(-math.inf if value is None else float(value) for value in log), saved.get("last"))
