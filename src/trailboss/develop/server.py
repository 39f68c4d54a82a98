"""wrangler's dev server, kept running."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable

from trailboss.develop import child
from trailboss.develop.keeper import Crashed, Keeper
from trailboss.develop.lines import Entry, Reader, Ready, Said
from trailboss.develop.setup import Setup

ATTEMPTS = 5
PORT_SECONDS = 10.0
"""How long a port that was taken while the server started may stay so."""
_TAKEN = re.compile(r"^Address already in use\b")


class Server:
    """The running server: `url` once `ready` is set. `tell` hears everything it says.

    A start that dies of a port which was free a moment ago is made again when that port is free.
    """

    def __init__(self, setup: Setup, tell: Callable[[Said | Crashed], None]) -> None:
        self._setup = setup
        self._tell = tell
        self._keeper = Keeper("the server", "worker", self._launch, self._read, tell, excuse=self._excuse)
        self.ready = self._keeper.ready
        self.run = self._keeper.run
        self.restart = self._keeper.restart
        self.url = ""
        self._taken: Entry | None = None
        self._begun = 0

    def _launch(self) -> child.Child:
        self._begun += 1
        return child.start(
            self._setup.command_line(),
            name="worker",
            environ=self._setup.variables(),
            folder=self._setup.wish.folder,
        )

    async def _read(self, lines: AsyncIterator[str]) -> AsyncIterator[Said]:
        reader = Reader("worker")
        async for line in lines:
            for said in reader.read(line):
                if isinstance(said, Ready):
                    self.url = said.url
                    self.ready.set()
                if isinstance(said, Entry) and not self.ready.is_set() and _TAKEN.match(said.text):
                    self._taken = said  # told when it is not mended
                else:
                    yield said

    async def _excuse(self) -> bool:
        """Whether the server may be started again: another program was faster with one of its ports.

        Raises:
            UsageError: TB9460 that program keeps a port that was asked for.
        """
        taken, self._taken = self._taken, None
        if taken is None:
            return False
        if self._begun >= ATTEMPTS:
            self._tell(taken)
            return False
        text = "another program took a port of the server while it started; it starts again"
        self._tell(Entry("dev", text, "warn"))
        self._setup.devtools.release()
        for place in self._setup.places:
            await place.until_free(PORT_SECONDS)
        return True
