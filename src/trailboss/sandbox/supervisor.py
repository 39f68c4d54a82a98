"""Keeps a side-car running: notices its death at once, restarts it with growing pauses, says so."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from trailboss.sandbox.sidecar_process import Child, Launch, Output, spawn, stop

log = logging.getLogger("trailboss.sandbox")
PAUSES = (0.05, 0.2, 0.5, 1, 2, 5, 10)
CALM = 60.0
"""Seconds alive after which an old crash is forgotten."""


class Supervisor:
    """The side-car's life. `state` is starting, ready, restarting or stopped."""

    def __init__(self, launch: Launch, child: Child) -> None:
        self.launch = launch
        self.child = child
        self.state = "starting"
        self.restarts = 0
        self.last_exit: int | None = None
        self.on_ready: Callable[[], Awaitable[None]] | None = None
        self._ready = asyncio.Event()
        self._stopping = False
        self._failures = 0

    async def run(self) -> None:
        """Watch, restart, watch; until `stop`."""
        while not self._stopping:
            began = time.monotonic()
            output = Output(self.child)
            await output.open()
            if await output.ready():
                self.launch.config["edge"]["port"] = self.child.edge_port
                self.state = "ready"
                if self.on_ready is not None:
                    await self._announce(self.on_ready)
                self._ready.set()
            self.last_exit = await output.ended()
            self._ready.clear()
            if not self._stopping:
                await self._restart(time.monotonic() - began)

    async def _announce(self, on_ready: Callable[[], Awaitable[None]]) -> None:
        try:
            await on_ready()
        except Exception:
            log.exception("the side-car did not take the state after its start")

    async def _restart(self, lived: float) -> None:
        self._failures = 1 if lived > CALM else self._failures + 1
        pause = PAUSES[min(self._failures, len(PAUSES)) - 1]
        self.state = "restarting"
        log.warning("the side-car ended (%s) after %.1f s; starting it again", self.last_exit, lived)
        await asyncio.sleep(pause)
        if not self._stopping:
            self.restarts += 1
            self.child = spawn(self.launch)

    async def ready(self, patience: float = 30.0) -> bool:
        """Wait until the side-car is ready (and has the state); False after `patience` seconds."""
        try:
            await asyncio.wait_for(self._ready.wait(), patience)
        except TimeoutError:
            return False
        return True

    def lost(self, control_port: int) -> None:
        """Somebody found the side-car of that port gone before its end was noticed."""
        if self.child.control_port == control_port:
            self._ready.clear()

    async def stop(self) -> None:
        """End the side-car and everything it started."""
        self._stopping = True
        self.state = "stopped"
        await stop(self.child)

    def status(self) -> dict[str, Any]:
        """What `sandbox status` shows."""
        return {
            "state": self.state,
            "pid": self.child.process.pid,
            "restarts": self.restarts,
            "last_exit": self.last_exit,
        }
