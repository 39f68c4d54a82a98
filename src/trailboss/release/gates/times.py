"""How long requests take, judged as "slower than the stable version's own quantiles": wall.py and cpu.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from trailboss.release.evidence import Conditional, Latency, Values, choose_unit, tempered
from trailboss.release.evidence.conditional import GRID
from trailboss.release.evidence.latency import QUANTILES
from trailboss.release.evidence.wealth import Wealth
from trailboss.release.gates.base import Batch, Record
from trailboss.release.rollout.mark import lowered
from trailboss.release.rollout.policy import Gate, Judgement

LEAST = 50
"""Times of the stable version before thresholds are taken from them."""
KEPT = 2000


@dataclass(frozen=True, slots=True)
class Times:
    """`process` is None until the stable version's history is long enough; `history` and `canary` are the
    latest times of both in milliseconds."""

    name: str
    time: Callable[[Record], float | None]
    margin: float
    phi: float = 1.0
    process: Latency | None = None
    history: tuple[float, ...] = ()
    canary: tuple[float, ...] = ()

    @classmethod
    def of(cls, gate: Gate, judgement: Judgement, time: Callable[[Record], float | None]) -> Self:
        """A new statistic. Raises ReleaseError TB4302 under version affinity without a measured phi."""
        counting = choose_unit(sticky=judgement.sticky, keys=False, phi=judgement.phi)
        return cls(gate.name, time, gate.margin or judgement.margin, counting.phi)

    @property
    def log_e(self) -> float:
        return 0.0 if self.process is None else tempered(self.process.log_e, self.phi)

    def after(self, batch: Batch) -> Self:
        """One window later: judged by thresholds from before it, which then learn from it."""
        if self.process is not None and self.process.streams[0].wealth.knows(batch.span.id):
            return self
        arms: tuple[list[float], list[float]] = ([], [])
        for record in batch.records:
            value = self.time(record)
            if value is not None:
                arms[record.canary].append(value)
        process = self.process
        if process is not None:
            process = process.after(batch.span.id, Values(arms[0]), Values(arms[1]))
        history = (*self.history, *arms[0])[-KEPT:]
        if process is not None:
            process = process.retuned(Values(history)) if history else process
        elif len(history) >= LEAST:
            process = Latency.start(Values(history), self.margin)
        canary = (*self.canary, *arms[1])[-KEPT:]
        return replace(self, process=process, history=history, canary=canary)

    def saved(self) -> list[float]:
        """Whether it has begun, the thresholds, the log wealth of each."""
        if self.process is None:
            return [0.0] * (1 + len(QUANTILES) * (1 + len(GRID)))
        logs = [value for stream in self.process.streams for value in lowered(stream.wealth.log)]
        return [1.0, *self.process.taus, *logs]

    def loaded(self, values: list[float], window: int | None) -> Self:
        """With what was saved; thresholds stay until there is history again."""
        if not values[0]:
            return self
        count, size = len(QUANTILES), len(GRID)
        logs = values[1 + count :]
        streams = tuple(
            Conditional(self.margin, Wealth(tuple(logs[at * size : (at + 1) * size]), window))
            for at in range(count)
        )
        return replace(self, process=Latency(tuple(values[1 : 1 + count]), streams))

    def figures(self) -> dict[str, Any]:
        """p50, p90 and p99 of both versions in milliseconds, and how many times they are from."""
        return {"stable": _quantiles(self.history), "canary": _quantiles(self.canary)}


def _quantiles(times: tuple[float, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {"requests": len(times)}
    if times:
        values = Values(times)
        found |= {f"p{q * 100:.0f}": round(values.quantile(q), 3) for q in QUANTILES}
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value for key, value in found.items()
    }
