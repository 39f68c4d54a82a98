"""ceiling: do both versions together fail more often than is put up with? For a canary that breaks what the
stable version uses too, and so looks no worse than it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from trailboss.release.evidence import Exact, Guard
from trailboss.release.evidence.wealth import Wealth
from trailboss.release.evidence.windows import NONE
from trailboss.release.gates.base import Batch
from trailboss.release.rollout.mark import lowered
from trailboss.release.rollout.policy import Gate, Judgement


@dataclass(frozen=True, slots=True)
class Ceiling:
    """`guard` is the e-process, `seen` the totals of both versions."""

    name: str
    guard: Guard
    seen: Exact = NONE

    @property
    def log_e(self) -> float:
        return self.guard.log_e

    def after(self, batch: Batch) -> Self:
        """One window later."""
        if self.guard.wealth.knows(batch.span.id):
            return self
        window = batch.window(lambda record: record.failed)
        return replace(self, guard=self.guard.after(window), seen=self.seen + window.stable + window.canary)

    def saved(self) -> list[float]:
        """The log wealth."""
        return lowered(self.guard.wealth.log)

    def loaded(self, values: list[float], window: int | None) -> Self:
        """With wealth that was saved."""
        return replace(self, guard=replace(self.guard, wealth=Wealth(tuple(values), window)))

    def figures(self) -> dict[str, Any]:
        """Counts of both versions together, and the ceiling."""
        return {
            "both": {"requests": self.seen.requests, "bad": self.seen.errors},
            "ceiling": self.guard.ceiling,
        }


def make(gate: Gate, judgement: Judgement) -> Ceiling:
    """The statistic at its start."""
    return Ceiling(gate.name, Guard(gate.limit or judgement.ceiling))
