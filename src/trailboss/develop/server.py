"""wrangler's dev server, kept running."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from trailboss.develop import child
from trailboss.develop.keeper import Crashed, Keeper
from trailboss.develop.lines import Reader, Ready, Said
from trailboss.develop.setup import Setup


class Server:
    """The running server: `url` once `ready` is set. `tell` hears everything it says."""

    def __init__(self, setup: Setup, tell: Callable[[Said | Crashed], None]) -> None:
        self._setup = setup
        self._keeper = Keeper("the server", "worker", self._launch, self._read, tell)
        self.ready = self._keeper.ready
        self.run = self._keeper.run
        self.restart = self._keeper.restart
        self.url = ""

    def _launch(self) -> child.Child:
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
                yield said
