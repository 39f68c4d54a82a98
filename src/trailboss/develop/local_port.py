"""A local port that leads through a tunnel, by whichever client can log in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from trailboss.develop import child
from trailboss.develop.forward import listening
from trailboss.develop.ports import free_port, is_served
from trailboss.develop.reach import Way
from trailboss.errors import Unavailable

OPEN_SECONDS = 20.0
LISTENS = "Start Websocket listener"
"""What it says just before it listens."""


@asynccontextmanager
async def through(way: Way, environ: Mapping[str, str], port: int = 0) -> AsyncIterator[int]:
    """The port (0: a free one) within the block.

    Raises:
        AuthenticationError, Unavailable: see `forward.listening`; TB2523 cloudflared does not listen.
    """
    if way.cloudflared is None:
        async with listening(way.gate, port) as found:
            yield found
        return
    async with _by_cloudflared(way, port or free_port(), environ) as found:
        yield found


@asynccontextmanager
async def _by_cloudflared(way: Way, port: int, environ: Mapping[str, str]) -> AsyncIterator[int]:
    """`cloudflared access tcp`, which may open a browser to log in."""
    assert way.cloudflared is not None
    words = ["access", "tcp", "--loglevel", "info", "--hostname", way.place.hostname]
    words += ["--url", f"127.0.0.1:{port}"]
    kept = {name: value for name, value in environ.items() if not name.startswith("TUNNEL_SERVICE_")}
    running = child.start(
        [str(way.cloudflared.path), *words], name="access", environ={**kept, **way.visitor.environ}
    )
    said: list[str] = []
    reading = asyncio.create_task(_collect(running, said))
    try:
        await _until_listening(port, running, said)
        yield port
    finally:
        await running.stop()
        await reading


async def _collect(running: child.Child, said: list[str]) -> None:
    async for line in running.lines():
        said.append(line)


async def _until_listening(port: int, running: child.Child, said: list[str]) -> None:
    """Until it listens. A connection to find that out would go through the tunnel, and may open a browser."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(OPEN_SECONDS):
            while running.ended is None:
                if any(LISTENS in line for line in said) and is_served(port):
                    return
                await asyncio.sleep(0.02)
    raise Unavailable("TB2523", f"cloudflared does not listen: {(said or ['it said nothing'])[-1]}")
