"""The Node side-car as a child process: start it, know when it is ready, know when it dies.

`spawn` needs nothing but the standard library, so the daemon calls it first and imports the rest meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

MAIN = Path(__file__).parent / "sidecar" / "main.mjs"
log = logging.getLogger("trailboss.sandbox")


@dataclass(frozen=True, slots=True)
class Launch:
    """What the side-car is started with: the Node binary, and the first line it reads."""

    node: str
    config: dict[str, Any]


@dataclass(slots=True)
class Child:
    """A running side-car; its ports are known once `ready` has returned."""

    process: subprocess.Popen[bytes]
    edge_port: int = 0
    control_port: int = 0

    @property
    def stdin(self) -> IO[bytes]:
        """Closing it makes the side-car shut everything down."""
        assert self.process.stdin is not None
        return self.process.stdin


def spawn(launch: Launch) -> Child:
    """Start Node and hand it its configuration; does not wait."""
    process = subprocess.Popen(
        [launch.node, "--no-warnings", str(MAIN)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
        env={**os.environ, "MINIFLARE_WORKERD_V8_FLAGS": ""},
    )
    child = Child(process)
    child.stdin.write(json.dumps(launch.config).encode() + b"\n")
    child.stdin.flush()
    return child


class Output:
    """The side-car's stdout: one ready line, then silence until it ends."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._reader = asyncio.StreamReader()

    async def open(self) -> None:
        """Attach the pipe to the running loop."""
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(self._reader)
        await loop.connect_read_pipe(lambda: protocol, self._child.process.stdout)

    async def ready(self) -> bool:
        """Wait for the ready line and note the ports; False when it ended without one."""
        while line := await self._reader.readline():
            try:
                message = json.loads(line)
            except ValueError:
                log.info("side-car: %s", line.decode(errors="replace").rstrip())
                continue
            if isinstance(message, dict) and message.get("ready"):
                self._child.edge_port = int(message["edge_port"])
                self._child.control_port = int(message["control_port"])
                return True
            if isinstance(message, dict) and message.get("error"):
                log.error("side-car: %s", message["error"])
        return False

    async def ended(self) -> int:
        """Wait until the side-car is gone; its exit status (negative: the signal)."""
        while line := await self._reader.readline():
            log.info("side-car: %s", line.decode(errors="replace").rstrip())
        return await asyncio.to_thread(self._child.process.wait)


async def stop(child: Child, patience: float = 5.0) -> None:
    """Close its stdin, wait, and kill it if it does not go."""
    if child.process.poll() is not None:
        return
    child.stdin.close()
    try:
        await asyncio.wait_for(asyncio.to_thread(child.process.wait), patience)
    except TimeoutError:
        log.warning("the side-car did not stop and was killed")
        child.process.kill()
        await asyncio.to_thread(child.process.wait)
