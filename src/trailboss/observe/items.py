"""What a running tail hands over, in the order it happened."""

from __future__ import annotations

from dataclasses import dataclass

from trailboss.observe.events import Event


@dataclass(frozen=True, slots=True)
class Connected:
    """The tail of `worker` is open; `again` after a lost connection. `expires` is ISO 8601."""

    worker: str
    tail_id: str
    expires: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """One invocation of `worker`. `frame` is what came over the wire, unchanged."""

    worker: str
    event: Event
    frame: str


@dataclass(frozen=True, slots=True)
class Overload:
    """Cloudflare shows only a sample from here on (`sampling`), or everything again."""

    worker: str
    sampling: bool
    message: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing was seen between `since` and `until` (seconds since 1970): what happened then is not shown
    and never will be. `reason` says why the connection was lost."""

    worker: str
    since: float
    until: float
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that is no event; shown so that nothing disappears without a word."""

    worker: str
    frame: str
    reason: str


Item = Connected | Received | Overload | Gap | Unreadable


@dataclass(frozen=True, slots=True)
class TailSummary:
    """How a tail ended: invocations received, those that passed the filters, connections lost, seconds it
    ran."""

    workers: tuple[str, ...]
    received: int
    shown: int
    gaps: int
    seconds: float
