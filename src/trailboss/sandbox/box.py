"""The sandbox's parts, put together once and handed to every handler."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.clock import Clock
from trailboss.sandbox.faults import Faults
from trailboss.sandbox.identity import Identity
from trailboss.sandbox.ids import Ids
from trailboss.sandbox.journal import Journal
from trailboss.sandbox.paths import Folder
from trailboss.sandbox.store import Store

if TYPE_CHECKING:
    from trailboss.sandbox.routes import Router
    from trailboss.sandbox.runtime import Runtime
    from trailboss.sandbox.tails import Tails

log = logging.getLogger("trailboss.sandbox")


@dataclass
class Box:
    """One running sandbox. `api_root` is `http://127.0.0.1:<port>`, for URLs that replies contain."""

    folder: Folder
    identity: Identity
    store: Store
    journal: Journal
    clock: Clock
    ids: Ids
    faults: Faults
    runtime: Runtime
    tails: Tails
    routers: list[Router]
    api_root: str
    edge_port: int
    strict: bool = False
    started: float = 0.0
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    def lock(self, name: str) -> asyncio.Lock:
        """One lock per name: what must not interleave across `await` (two uploads of one script)."""
        return self.locks.setdefault(name, asyncio.Lock())

    def spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        """Run a coroutine beside the requests; it is cancelled at shutdown, and its failure is logged."""
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s failed", task.get_name(), exc_info=task.exception())

    async def stop_tasks(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
