"""`tail`: watch one or several Workers live, through filters, until it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.observe.items import Gap, Item, Received, TailSummary
from trailboss.observe.matching import Matcher
from trailboss.observe.server_filters import ServerFilters
from trailboss.observe.session import Session

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


async def tail(
    cloud: Cloud,
    workers: Sequence[str],
    on_item: Callable[[Item], None],
    *,
    filters: ServerFilters | None = None,
    match: Matcher | None = None,
    seconds: float | None = None,
) -> TailSummary:
    """Follow `workers`, at the same time, handing every item to `on_item` as it happens.

    `filters` act at Cloudflare (they save traffic), `match` acts here (see `matching.read_matcher`). It ends
    after `seconds`, when the server says goodbye to all, or when it is cancelled; every tail is deleted then.
    Lost connections are made again with growing pauses, and the time in between is reported as a Gap.

    Raises CloudError when a tail cannot be had: NotFound for a Worker that does not exist, PermissionDenied
    without "Workers Tail Read".
    """
    gate = _Gate(on_item, match or Matcher())
    began = time.monotonic()
    sessions = [Session(cloud, name, filters or ServerFilters(), gate) for name in workers]
    await _follow_all(sessions, seconds)
    ran = time.monotonic() - began
    return TailSummary(tuple(workers), gate.received, gate.shown, gate.gaps, ran)


async def _follow_all(sessions: Sequence[Session], seconds: float | None) -> None:
    """Until all have ended or the time is up. Raises the first failure itself, never a group."""
    first: BaseException | None = None
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for session in sessions:
                group.create_task(session.follow())
    except TimeoutError:
        return
    except BaseExceptionGroup as failures:
        first = failures.exceptions[0]
    if first is not None:
        raise first


@dataclass(slots=True)
class _Gate:
    """Counts what comes and lets through what matches; gaps and news of the tail always pass."""

    on_item: Callable[[Item], None]
    match: Matcher
    received: int = 0
    shown: int = 0
    gaps: int = 0

    def __call__(self, item: Item) -> None:
        self.gaps += isinstance(item, Gap)
        if isinstance(item, Received):
            self.received += 1
            if not self.match(item.event):
                return
            self.shown += 1
        self.on_item(item)
