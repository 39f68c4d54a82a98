"""One `dev`: the server, what watches the project's files, what runs beside it; until Ctrl-C or the end of
the tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trailboss.develop.keeper import Crashed
from trailboss.develop.lines import Entry, Ready, Reloaded, Said
from trailboss.develop.server import Server
from trailboss.errors import BuildError, TrailbossError

if TYPE_CHECKING:
    from trailboss.config import Worker
    from trailboss.develop.setup import Setup

Tell = Callable[[Said | Crashed], None]
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Served(Protocol):
    """Something that serves the project: wrangler's dev server, or the sandbox."""

    ready: asyncio.Event
    url: str

    def run(self) -> Coroutine[Any, Any, None]:
        """Serve until cancelled."""
        ...


Beside = Callable[[str, Tell], Awaitable[int | None]]
"""Runs once the server is ready, with its URL; an integer that it returns ends the session."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a session ended: `status` of the tests, or None when it was interrupted."""

    status: int | None
    url: str


async def serve(
    server: Served,
    tell: Tell,
    *,
    beside: tuple[Beside, ...] = (),
    watch: Awaitable[None],
    patience: float | None = None,
) -> Ended:
    """Run `server`, the watch, and `beside` once it is ready. Everything has ended when this returns.

    Raises whatever the server or one of `beside` raises; BuildError TB3604 when the server is not ready
    within `patience` seconds.
    """
    tasks: list[asyncio.Task[Any]] = []
    with interrupts() as interrupted:
        try:
            tasks.append(asyncio.ensure_future(server.run()))
            tasks.append(asyncio.ensure_future(watch))
            tasks += [asyncio.create_task(_after(server, one, tell, patience)) for one in beside]
            ending = asyncio.create_task(interrupted.wait())
            tasks.append(ending)
            return Ended(await _first(tasks, ending), server.url)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _first(tasks: list[asyncio.Task[Any]], ending: asyncio.Task[Any]) -> int | None:
    """The status that ends the session; None when it was interrupted. Raises the first failure."""
    pending = set(tasks)
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if ending in done:
            return None
        for task in done:
            result = task.result()
            if isinstance(result, int):
                return result


async def _after(server: Served, beside: Beside, tell: Tell, patience: float | None) -> int | None:
    try:
        await asyncio.wait_for(server.ready.wait(), patience)
    except TimeoutError:
        raise BuildError(
            "TB3604",
            f"the server was not ready within {patience:g} s",
            hint="What it said is above; `ready_timeout` under [test] in trailboss.toml allows more.",
        ) from None
    return await beside(server.url, tell)


@contextlib.contextmanager
def interrupts() -> Any:
    """An event that is set by Ctrl-C, a polite end, or a closed terminal; a second Ctrl-C does nothing more,
    as everything is being ended already.
    """
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    for number in STOPPING:
        loop.add_signal_handler(number, event.set)
    try:
        yield event
    finally:
        for number in STOPPING:
            loop.remove_signal_handler(number)


async def follow_files(
    setup: Setup, server: Server, reload: Callable[[], tuple[Worker, ...]], tell: Tell
) -> None:
    """Take over every change of the files that decide what is run. A broken file is told, and the server goes
    on with what it had.
    """
    async for _ in changes(lambda: setup.watched):
        try:
            anew = setup.renew(await asyncio.to_thread(reload))
        except TrailbossError as error:
            tell(Entry("dev", f"{error} ({error.code}); still running what was there before", "error"))
            continue
        tell(Entry("dev", "configuration changed"))
        if anew:
            await server.restart()


async def changes(files: Callable[[], tuple[Path, ...]]) -> AsyncIterator[None]:
    """Once after each change of one of `files` (which may come and go)."""
    import watchfiles

    folders = {file.parent for file in files() if file.parent.is_dir()}
    if not folders:
        await asyncio.Event().wait()
    stop = asyncio.Event()
    try:
        async for found in watchfiles.awatch(
            *folders, recursive=False, step=20, debounce=100, stop_event=stop, watch_filter=None
        ):
            if {Path(name) for _, name in found} & set(files()):
                yield
    finally:
        stop.set()


def seconds(said: Ready | Reloaded) -> str:
    """A duration for people: `132 ms`, `1.7 s`."""
    return f"{said.seconds:.1f} s" if said.seconds >= 1 else f"{said.seconds * 1000:.0f} ms"
