"""What gates are made of: records of requests, statistics over them, and answers of those who are asked.

A statistic is a frozen value: `after(batch)` is the same one window later. Its numbers are saved as plain
floats in the deployment's message, so a rollout goes on where it was. A check is one function
`ask(gate, asking) -> Answer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from trailboss.release.evidence.combine import Outcome
from trailboss.release.evidence.windows import NONE, Exact, Span, Window

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.rollout.policy import Policy
    from trailboss.release.rollout.probing import Prober


class Record(NamedTuple):
    """One invocation, seen once. `at` is seconds since 1970; `failed`: not ok, or a status of 500 and above;
    `raised`: an exception nobody caught; `wall` and `cpu` are milliseconds, None where not measured; `key` is
    the version key, `user` a digest of who asked."""

    at: float
    canary: bool
    failed: bool
    raised: bool = False
    wall: float | None = None
    cpu: float | None = None
    key: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One window: its span, the canary's share (0 to 1), what both versions did, and our probes."""

    span: Span
    share: float
    records: tuple[Record, ...]
    probes: Exact = NONE

    def window(self, bad: Callable[[Record], bool]) -> Window:
        """The counts of both versions."""
        tally = [[0, 0], [0, 0]]
        for record in self.records:
            tally[record.canary][0] += 1
            tally[record.canary][1] += bad(record)
        return Window(self.span.id, Exact(*tally[0]), Exact(*tally[1]), self.probes)


class Statistic(Protocol):
    """A gate that counts."""

    @property
    def name(self) -> str: ...

    @property
    def log_e(self) -> float: ...

    def after(self, batch: Batch) -> Self: ...

    def saved(self) -> list[float]: ...

    def loaded(self, values: list[float], window: int | None) -> Self: ...

    def figures(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check says: the outcome, one line about it, and how many of its requests were good and bad."""

    outcome: Outcome
    note: str
    good: int = 0
    bad: int = 0
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a check is told of one Worker."""

    worker: str
    stable: str
    canary: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Everything a check may use. `phase` is "before" any traffic, "during" a step, or "after" a rollback."""

    cloud: Cloud
    policy: Policy
    workers: tuple[Asked, ...]
    share: float
    phase: str
    prober: Prober
    rollout: str = ""
    environment: str | None = None
    folder: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


def passed(note: str, **counts: Any) -> Answer:
    """A pass."""
    return Answer(Outcome.PASS, note, **counts)


def failed(note: str, **counts: Any) -> Answer:
    """A failure."""
    return Answer(Outcome.FAIL, note, **counts)


def undecided(note: str, **counts: Any) -> Answer:
    """Nothing can be said: never a pass."""
    return Answer(Outcome.UNDECIDED, note, **counts)
