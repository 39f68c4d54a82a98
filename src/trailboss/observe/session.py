"""One Worker's tail, kept alive: created, connected, renewed before it expires, reconnected, deleted."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from trailboss.cloud import segment
from trailboss.cloud.tail_socket import Closed, TailSocket, open_tail
from trailboss.errors import CloudError, RateLimited, Unavailable
from trailboss.observe.events import decode
from trailboss.observe.items import Connected, Gap, Item, Overload, Received, Unreadable
from trailboss.observe.server_filters import ServerFilters

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

RENEW_BEFORE = 120.0
"""Seconds before `expires_at` at which a new tail takes over: Cloudflare does not close an expired one, it
just stops sending."""
MOST_ATTEMPTS = 8
_GOODBYE_SECONDS = 5.0
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Tail:
    """A connected tail; leaving `stack` closes its socket and deletes it."""

    id: str
    expires: str
    frames: TailSocket
    stack: AsyncExitStack


@dataclass(frozen=True, slots=True)
class Session:
    """Follows one Worker until it is cancelled or told goodbye; everything seen goes to `emit`, in order.

    `first_wait` is the first pause (seconds) before a lost connection is tried again; each next one
    doubles."""

    cloud: Cloud
    worker: str
    filters: ServerFilters
    emit: Callable[[Item], None]
    clock: Callable[[], float] = time.time
    first_wait: float = 1.0

    async def follow(self) -> None:
        """Run until the server says goodbye.

        A tail about to expire is followed by the next without a gap: the new one is connected before the
        old one is let go. Raises CloudError when the tail cannot be had, or not be had again."""
        tail = await self.open()
        self.emit(Connected(self.worker, tail.id, tail.expires))
        try:
            while True:
                try:
                    await self._read_until(tail, _renewal(tail.expires, self.clock()))
                    following = await self.open()
                except Closed as closed:
                    if closed.done:
                        return
                    since = self.clock()
                    await tail.stack.aclose()
                    following = await self._reopen()
                    self.emit(Connected(self.worker, following.id, following.expires, again=True))
                    self.emit(Gap(self.worker, since, self.clock(), closed.reason))
                old, tail = tail, following
                await old.stack.aclose()
        finally:
            await tail.stack.aclose()

    async def open(self) -> Tail:
        """Create a tail and connect to it; whatever was made is unmade when the connection fails."""
        path = f"{self.cloud.account}/workers/scripts/{segment(self.worker)}/tails"
        created = await self.cloud.post(path, json={"filters": self.filters.as_wire()})
        stack = AsyncExitStack()
        stack.push_async_callback(self._delete, f"{path}/{segment(str(created['id']))}")
        try:
            frames = await stack.enter_async_context(open_tail(str(created["url"])))
        except BaseException:
            await stack.aclose()
            raise
        return Tail(str(created["id"]), str(created.get("expires_at") or ""), frames, stack)

    async def _reopen(self) -> Tail:
        wait = self.first_wait
        for attempt in range(1, MOST_ATTEMPTS + 1):
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads clients, hides nothing
            try:
                return await self.open()
            except (Unavailable, RateLimited):
                if attempt == MOST_ATTEMPTS:
                    raise
            wait = min(wait * 2, _LONGEST_WAIT)
        raise AssertionError("unreachable")

    async def _delete(self, path: str) -> None:
        """Tell Cloudflare that nobody listens any more; when that fails, the tail expires by itself."""
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self.cloud.delete(path)
        except (CloudError, TimeoutError):
            return

    async def _read_until(self, tail: Tail, seconds: float) -> None:
        """Emit frames for `seconds`. Raises Closed."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._take(await tail.frames.next())
        except TimeoutError:
            return

    def _take(self, raw: bytes) -> None:
        frame = raw.decode("utf-8", "replace")
        try:
            event = decode(frame)
        except ValueError as error:
            self.emit(Unreadable(self.worker, frame, str(error)))
            return
        if event.control is None:
            self.emit(Received(self.worker, event, frame))
            return
        message = str((event.event or {}).get("message") or "")
        self.emit(Overload(self.worker, event.control == "overload", message))


def _renewal(expires: str, now: float) -> float:
    """Seconds from `now` until a tail that expires then is replaced; an hour where Cloudflare does not
    say."""
    try:
        at = datetime.fromisoformat(expires.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 3600.0
    left = at - now
    return max(left - RENEW_BEFORE, left / 2, 1.0)
