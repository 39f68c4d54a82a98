"""Is the canary slower than the stable version's own quantiles?

Thresholds are taken from what the stable version did *before* a window; "slower than that" is then one more
stream of yes and no, and the conditional e-process judges it exactly. One process per threshold (p50, p90,
p99); their average is again an e-process, so a shift of everything and a longer tail are both seen.

It takes raw times, or a histogram per version whose bounds do not move. Quantiles alone (GraphQL gives no
more) cannot be tested exactly: two medians say nothing of how many requests stand behind them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from trailboss.release.evidence.conditional import MARGIN, Conditional
from trailboss.release.evidence.wealth import log_sum
from trailboss.release.evidence.windows import Exact, Window

QUANTILES = (0.5, 0.9, 0.99)


class Times(Protocol):
    """How long some requests took, in milliseconds."""

    @property
    def total(self) -> int: ...

    def slower(self, than: float) -> int: ...

    def quantile(self, q: float) -> float: ...


class Values:
    """Every time by itself."""

    def __init__(self, values: Sequence[float]) -> None:
        self._sorted = sorted(values)

    @property
    def total(self) -> int:
        return len(self._sorted)

    def slower(self, than: float) -> int:
        return len(self._sorted) - bisect_right(self._sorted, than)

    def quantile(self, q: float) -> float:
        """The least value that a share `q` of all does not exceed."""
        return self._sorted[min(self.total - 1, max(0, math.ceil(q * self.total) - 1))]


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts[i]` requests took at most `bounds[i]` ms and more than the bound before; one more count
    holds what exceeded all bounds. Both versions must use the same bounds."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.bounds) + 1 or list(self.bounds) != sorted(set(self.bounds)):
            raise ValueError("a histogram has rising bounds, and one count more than bounds")

    @property
    def total(self) -> int:
        return sum(self.counts)

    def slower(self, than: float) -> int:
        """Exact where `than` is one of the bounds, as every quantile of this class is."""
        return sum(self.counts[bisect_right(self.bounds, than) :])

    def quantile(self, q: float) -> float:
        reached = 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            reached += count
            if reached >= q * self.total:
                return bound
        return self.bounds[-1]


def thresholds(history: Times) -> tuple[float, ...]:
    """p50, p90 and p99 of what the stable version did, in milliseconds; `history` must not be empty."""
    return tuple(history.quantile(q) for q in QUANTILES)


@dataclass(frozen=True, slots=True)
class Latency:
    """`taus` are the thresholds for the next window; `streams` one e-process for each."""

    taus: tuple[float, ...]
    streams: tuple[Conditional, ...]

    @classmethod
    def start(cls, history: Times, margin: float = MARGIN) -> Latency:
        taus = thresholds(history)
        return cls(taus, tuple(Conditional(margin) for _ in taus))

    def after(self, window: int, stable: Times, canary: Times) -> Latency:
        """With the times of one window taken into account; itself for a window it already knows."""
        streams = []
        for tau, stream in zip(self.taus, self.streams, strict=True):
            arms = [Exact(times.total, times.slower(tau)) for times in (stable, canary)]
            streams.append(stream.after(Window(window, *arms)))
        return Latency(self.taus, tuple(streams))

    def retuned(self, history: Times) -> Latency:
        """The same evidence with thresholds for the windows to come. `history` may hold every window
        already judged, never one still to be judged: that would choose the question by its answer."""
        return replace(self, taus=thresholds(history))

    @property
    def log_e(self) -> float:
        return log_sum([stream.log_e for stream in self.streams]) - math.log(len(self.streams))

    def as_json(self) -> dict[str, Any]:
        return {"taus": list(self.taus), "streams": [stream.as_json() for stream in self.streams]}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], margin: float = MARGIN) -> Latency:
        """Raises ReleaseError TB4303 for the state of another margin."""
        streams = tuple(Conditional.from_json(stream, margin) for stream in saved["streams"])
        return cls(tuple(float(tau) for tau in saved["taus"]), streams)
