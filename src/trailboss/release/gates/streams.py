"""Streams of yes and no judged against the stable version: what errors.py and exceptions.py share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from trailboss.release.evidence import Conditional, Event, Exact, Keyed, Unit, choose_unit, tempered
from trailboss.release.evidence.wealth import Wealth
from trailboss.release.evidence.windows import NONE, Window
from trailboss.release.gates.base import Batch, Record
from trailboss.release.rollout.mark import lowered
from trailboss.release.rollout.policy import Gate, Judgement


@dataclass(frozen=True, slots=True)
class Stream:
    """`process` is the e-process, over requests or over keys; `stable` and `canary` are the totals, for
    display; `met` is the last window as the certificate counts it, where keys are the unit."""

    name: str
    bad: Callable[[Record], bool]
    process: Conditional | Keyed
    phi: float = 1.0
    stable: Exact = NONE
    canary: Exact = NONE
    met: Window | None = None

    @classmethod
    def of(cls, gate: Gate, judgement: Judgement, bad: Callable[[Record], bool]) -> Self:
        """A new stream. Raises ReleaseError TB4302 never: keys are the unit where labels stick."""
        margin = gate.margin or judgement.margin
        counting = choose_unit(sticky=judgement.sticky, keys=True, phi=judgement.phi)
        if counting.unit is Unit.KEY:
            return cls(gate.name, bad, Keyed(margin))
        return cls(gate.name, bad, Conditional(margin), counting.phi)

    @property
    def log_e(self) -> float:
        return tempered(self.process.log_e, self.phi)

    def after(self, batch: Batch) -> Self:
        """One window later; a window that is known changes nothing."""
        if self.process.wealth.knows(batch.span.id):
            return self
        window = batch.window(self.bad)
        counted = replace(self, stable=self.stable + window.stable, canary=self.canary + window.canary)
        if isinstance(self.process, Keyed):
            events = [Event(item.at, item.canary, self.bad(item), item.key) for item in batch.records]
            keyed, met = self.process.after(batch.span, batch.share, events)
            return replace(counted, process=keyed, met=replace(met, probes=batch.probes))
        return replace(counted, process=self.process.after(window))

    def next_step(self) -> Self:
        """For the next step, whose certificate meets every key anew."""
        if isinstance(self.process, Keyed):
            return replace(self, process=self.process.next_step())
        return self

    def saved(self) -> list[float]:
        """The log wealth."""
        return lowered(self.process.wealth.log)

    def loaded(self, values: list[float], window: int | None) -> Self:
        """With wealth that was saved. Keys that failed before are not known any more, so over keys the
        process starts anew: that costs evidence, and up to alpha for the break."""
        if isinstance(self.process, Keyed):
            return replace(self, process=replace(self.process, wealth=Wealth((0.0,) * len(values), window)))
        return replace(self, process=replace(self.process, wealth=Wealth(tuple(values), window)))

    def figures(self) -> dict[str, Any]:
        """Counts of both versions."""
        return {
            "stable": {"requests": self.stable.requests, "bad": self.stable.errors},
            "canary": {"requests": self.canary.requests, "bad": self.canary.errors},
        }
