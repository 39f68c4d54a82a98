"""wrangler's dev server, looked after: started, read, started again when it crashes, ended for good."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from trailboss.develop import child
from trailboss.develop.lines import Entry, Reader, Ready, Said
from trailboss.develop.setup import Setup
from trailboss.errors import BuildError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
HEALTHY_SECONDS = 60.0
"""After so long without a crash the next one counts as the first again."""
MOST_CRASHES = 8


@dataclass(frozen=True, slots=True)
class Crashed:
    """The server ended by itself with `status`; it is started again in `pause` seconds."""

    status: int
    pause: float


class Server:
    """The running server: `url` once `ready` is set. `tell` hears everything it says."""

    def __init__(self, setup: Setup, tell: Callable[[Said | Crashed], None]) -> None:
        self._setup = setup
        self._tell = tell
        self._child: child.Child | None = None
        self._again = False
        self.ready = asyncio.Event()
        self.url = ""

    async def run(self) -> None:
        """Runs until it is cancelled.

        Raises:
            BuildError: TB3601 it ended before it was ready, TB3602 it crashed again and again.
            UsageError: TB9462 it cannot be started.
        """
        crashes = 0
        while True:
            began = time.monotonic()
            status = await self._once()
            if self._again:
                self._again = False
                continue
            if not self.ready.is_set():
                raise BuildError(
                    "TB3601",
                    f"wrangler ended with status {status} before it was ready",
                    hint="Its own words are above.",
                )
            crashes = 1 if time.monotonic() - began > HEALTHY_SECONDS else crashes + 1
            if crashes >= MOST_CRASHES:
                raise BuildError("TB3602", f"wrangler crashed {crashes} times, the last with status {status}")
            pause = min(FIRST_PAUSE * 2 ** (crashes - 1), LONGEST_PAUSE)
            self._tell(Crashed(status, pause))
            await asyncio.sleep(pause)

    async def restart(self) -> None:
        """Start it anew with the setup as it is now."""
        if self._child is not None:
            self._again = True
            await self._child.stop()

    async def _once(self) -> int:
        running = child.start(
            self._setup.command_line(),
            name="worker",
            environ=self._setup.variables(),
            folder=self._setup.wish.folder,
        )
        self._child = running
        reading = asyncio.create_task(self._read(running))
        try:
            return await running.wait()
        finally:
            self._child = None
            await running.stop()
            await reading

    async def _read(self, running: child.Child) -> None:
        reader = Reader("worker")
        async for line in running.lines():
            for said in reader.read(line):
                if isinstance(said, Ready):
                    self.url = said.url
                    self.ready.set()
                self._tell(said)


def crashed(said: Crashed) -> Entry:
    """A crash as a line of the log."""
    how = f"signal {-said.status}" if said.status < 0 else f"status {said.status}"
    return Entry("dev", f"the server crashed ({how}); it starts again in {said.pause:g} s", "warn")
