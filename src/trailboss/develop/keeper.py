"""Keeps a program running: started, read, started again after a crash with growing pauses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from trailboss.develop.child import Child
from trailboss.develop.lines import Entry, Said
from trailboss.errors import BuildError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
HEALTHY_SECONDS = 60.0
"""After so long without a crash the next one counts as the first again."""
MOST_CRASHES = 8


@dataclass(frozen=True, slots=True)
class Crashed:
    """`what` ended by itself with `status`; it is started again in `pause` seconds."""

    source: str
    what: str
    status: int
    pause: float

    def entry(self) -> Entry:
        """As a line of the log."""
        how = f"signal {-self.status}" if self.status < 0 else f"status {self.status}"
        return Entry(self.source, f"{self.what} crashed ({how}); it starts again in {self.pause:g} s", "warn")


class Keeper:
    """One kept program. `launch` starts it, `read` turns its lines into what is told; `ready` is set by
    whoever sees that it is, and until then an end is final, unless `excuse` finds that it was not its fault.
    """

    def __init__(
        self,
        what: str,
        source: str,
        launch: Callable[[], Child],
        read: Callable[[AsyncIterator[str]], AsyncIterator[Said]],
        tell: Callable[[Said | Crashed], None],
        *,
        excuse: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._what = what
        self._source = source
        self._launch = launch
        self._read = read
        self._tell = tell
        self._excuse = excuse
        self._child: Child | None = None
        self._again = False
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Runs until it is cancelled; then the program has ended.

        Raises:
            BuildError: TB3601 it ended before it was ready, TB3602 it crashed again and again.
            UsageError: TB9462 it cannot be started. Whatever `excuse` raises.
        """
        crashes = 0
        while True:
            began = time.monotonic()
            status = await self._once()
            if self._again:
                self._again = False
                continue
            if not self.ready.is_set():
                if self._excuse is not None and await self._excuse():
                    continue
                raise BuildError(
                    "TB3601",
                    f"{self._what} ended with status {status} before it was ready",
                    hint="Its own words are above.",
                )
            crashes = 1 if time.monotonic() - began > HEALTHY_SECONDS else crashes + 1
            if crashes >= MOST_CRASHES:
                raise BuildError(
                    "TB3602", f"{self._what} crashed {crashes} times, the last with status {status}"
                )
            pause = min(FIRST_PAUSE * 2 ** (crashes - 1), LONGEST_PAUSE)
            self._tell(Crashed(self._source, self._what, status, pause))
            await asyncio.sleep(pause)

    async def restart(self) -> None:
        """Start it anew; what `launch` then starts may be something else."""
        if self._child is not None:
            self._again = True
            await self._child.stop()

    async def _once(self) -> int:
        running = self._launch()
        self._child = running
        reading = asyncio.create_task(self._hear(running))
        try:
            return await running.wait()
        finally:
            self._child = None
            await running.stop()
            await reading

    async def _hear(self, running: Child) -> None:
        async for said in self._read(running.lines()):
            self._tell(said)
