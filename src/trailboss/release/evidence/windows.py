"""Counts of the stable version and the canary over one stretch of time in which nobody moved the split.

A sampled, scaled-up figure is not a count: three sampled failures shown as 300 carry the evidence of
three. `Estimated` is therefore another type than `Exact`, and only `Exact` fits into a `Window`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trailboss.errors import ReleaseError

LENGTH = 10.0  # seconds; longer windows delay a verdict by their own length and change nothing else
PROPAGATION = 5.0  # seconds after a change of weights in which both splits are in use


@dataclass(frozen=True, slots=True)
class Exact:
    """`errors` of `requests`, each seen once. Raises ReleaseError TB4304 when it cannot be a count."""

    requests: int = 0
    errors: int = 0

    def __post_init__(self) -> None:
        whole = isinstance(self.requests, int) and isinstance(self.errors, int)
        if not whole or not 0 <= self.errors <= self.requests:
            raise ReleaseError(
                "TB4304",
                f"{self.errors} failed of {self.requests} requests cannot be a count",
                hint="a count is two whole numbers, the failures among the requests; check the source",
            )

    def __add__(self, other: Exact) -> Exact:
        return Exact(self.requests + other.requests, self.errors + other.errors)


NONE = Exact()


@dataclass(frozen=True, slots=True)
class Estimated:
    """A figure scaled up from a sample, good for display only.

    `sampled` holds the records behind it where the source tells: those may be counted, because
    sampling that does not depend on version and outcome together leaves the odds ratio as it is."""

    requests: float
    errors: float
    sampled: Exact | None = None

    def counted(self) -> Exact:
        """The records behind the estimate. Raises ReleaseError TB4301 when they are not known."""
        if self.sampled is None:
            raise ReleaseError(
                "TB4301",
                f"{self.errors:.0f} failures of {self.requests:.0f} requests are a scaled-up estimate",
                hint="count with a Tail Worker or Analytics Engine, or give the number of sampled records",
            )
        return self.sampled


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open `[start, end)` in seconds since 1970; `id` is the start in milliseconds, so whoever cuts
    the same rollout again, on any machine, gets the same ids."""

    start: float
    end: float

    @property
    def id(self) -> int:
        return round(self.start * 1000)


@dataclass(frozen=True, slots=True)
class Window:
    """What both versions did in one span. `probes` are our own requests to the canary: they count for
    the certificate, never in the comparison, since the stable version did not get the like.

    Raises ReleaseError TB4301 for anything but exact counts."""

    id: int
    stable: Exact
    canary: Exact
    probes: Exact = NONE

    def __post_init__(self) -> None:
        for counts in (self.stable, self.canary, self.probes):
            if not isinstance(counts, Exact):
                raise ReleaseError(
                    "TB4301",
                    f"window {self.id} was given {counts!r}, which is not a count",
                    hint="scaled-up estimates are for display: use Estimated.counted()",
                )


class Event(NamedTuple):
    """One request: when (seconds since 1970), to which version, how it ended, and the version key it
    carried (`Cloudflare-Workers-Version-Key`), if any."""

    at: float
    canary: bool
    failed: bool
    key: str | None = None


def cut(
    since: float,
    until: float,
    changes: Sequence[float] = (),
    *,
    length: float = LENGTH,
    skip: float = PROPAGATION,
) -> tuple[Span, ...]:
    """Spans of `length` seconds between `since` and `until` that hold no change of weights.

    `changes` are the times of deployments; `skip` seconds after each (`since` included) belong to no
    span. What is left before a change is a shorter span; what is left before `until` is not ready yet."""
    inner = sorted(c for c in changes if since < c < until)
    starts, ends = [since, *inner], [*inner, until]
    spans: list[Span] = []
    for begin, end in zip(starts, ends, strict=True):
        # Every border is worked out from the beginning, once: one span ends exactly where the next begins.
        at, index = begin + skip, 1
        while (border := begin + skip + index * length) <= end:
            spans.append(Span(at, border))
            at, index = border, index + 1
        if end != until and at < end:
            spans.append(Span(at, end))
    return tuple(spans)


def gather(spans: Iterable[Span], events: Iterable[Event]) -> tuple[Window, ...]:
    """One window per span, requests as the unit; events outside every span are left out."""
    inside = sorted(events, key=lambda event: event.at)
    times = [event.at for event in inside]
    windows = []
    for span in spans:
        tally = [[0, 0], [0, 0]]
        for event in inside[bisect_left(times, span.start) : bisect_left(times, span.end)]:
            tally[event.canary][0] += 1
            tally[event.canary][1] += event.failed
        windows.append(Window(span.id, Exact(*tally[0]), Exact(*tally[1])))
    return tuple(windows)
