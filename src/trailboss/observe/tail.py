"""`tail`: watch one or several Workers live, through filters, until it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
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

    `filters` act at Cloudflare (they save traffic), `match` acts here (see `matching.read_matcher`). It
    ends after `seconds`, when the server says goodbye to all, or when it is cancelled; every tail is
    deleted then. Lost connections are made again with growing pauses, and the time in between is reported
    as a Gap.

    Raises CloudError when a tail cannot be had: NotFound for a Worker that does not exist, PermissionDenied
    without "Workers Tail Read".
    """
    counts = {"received": 0, "shown": 0, "gaps": 0}
    wanted = match or Matcher()

    def take(item: Item) -> None:
        counts["gaps"] += isinstance(item, Gap)
        if isinstance(item, Received):
            counts["received"] += 1
            if not wanted(item.event):
                return
            counts["shown"] += 1
        on_item(item)

    began = time.monotonic()
    sessions = [Session(cloud, name, filters or ServerFilters(), take) for name in workers]
    first: BaseException | None = None
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for session in sessions:
                group.create_task(session.follow())
    except TimeoutError:
        pass
    except BaseExceptionGroup as failures:
        first = failures.exceptions[0]
    if first is not None:
        raise first
    return TailSummary(tuple(workers), **counts, seconds=time.monotonic() - began)
