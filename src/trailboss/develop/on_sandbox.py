"""`dev --sandbox`: the project deployed into a sandbox, and again after every edit.

What wrangler's dev server does not have is there: AI, Vectorize, several versions, the real upload path.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

from trailboss.develop.lines import Entry, Ready, Reloaded
from trailboss.develop.session import Tell
from trailboss.errors import TrailbossError

LEFT_OUT = frozenset({"node_modules", ".git", ".wrangler", ".trailboss", "__pycache__", ".venv", "dist"})
"""Folders in which an edit is not the project's."""

Deploy = Callable[[], Awaitable[str]]
"""Deploys the project as its files are now; the first Worker's address."""


class SandboxServer:
    """Deploys when started and after every edit below `folders`; `follow` tells what the Workers log."""

    def __init__(
        self, deploy: Deploy, follow: Callable[[], Awaitable[None]], folders: Iterable[Path], tell: Tell
    ) -> None:
        self._deploy = deploy
        self._follow = follow
        self._folders = tuple(folders)
        self._tell = tell
        self.ready = asyncio.Event()
        self.url = ""

    async def run(self) -> None:
        """Serves until it is cancelled. Raises what the first deploy raises; later failures are told."""
        began = time.monotonic()
        edited = asyncio.Event()
        watching = asyncio.create_task(self._watch(edited))
        following: asyncio.Task[None] | None = None
        try:
            self.url = await self._deploy()
            self.ready.set()
            self._tell(Ready(self.url, time.monotonic() - began))
            following = asyncio.ensure_future(self._follow())
            while True:
                await edited.wait()
                edited.clear()
                await self._again()
        finally:
            tasks = [task for task in (watching, following) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _again(self) -> None:
        began = time.monotonic()
        try:
            await self._deploy()
        except TrailbossError as error:
            self._tell(Entry("dev", f"{error} ({error.code}); what was live before stays", "error"))
        else:
            self._tell(Reloaded(time.monotonic() - began))

    async def _watch(self, edited: asyncio.Event) -> None:
        async for _ in edits(self._folders):
            edited.set()


async def edits(folders: tuple[Path, ...]) -> AsyncIterator[None]:
    """Once after each edit below `folders`, but not in what is installed, built or kept there."""
    import watchfiles

    def counts(_change: watchfiles.Change, path: str) -> bool:
        inside = [Path(path).relative_to(one) for one in folders if Path(path).is_relative_to(one)]
        return any(not LEFT_OUT & set(one.parts) and not one.name.startswith(".#") for one in inside)

    stop = asyncio.Event()
    try:
        async for _ in watchfiles.awatch(
            *folders, step=20, debounce=100, stop_event=stop, watch_filter=counts
        ):
            yield
    finally:
        stop.set()
