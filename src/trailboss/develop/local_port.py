"""A local port that leads through a tunnel, by whichever client can log in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from trailboss.develop import child
from trailboss.develop.forward import listening
from trailboss.develop.ports import free_port
from trailboss.develop.reach import Way
from trailboss.errors import Unavailable

OPEN_SECONDS = 20.0


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
    words = ["access", "tcp", "--hostname", way.place.hostname, "--url", f"127.0.0.1:{port}"]
    running = child.start(
        [str(way.cloudflared.path), *words], name="access", environ={**environ, **way.visitor.environ}
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
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(OPEN_SECONDS):
            while running.ended is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                return
    raise Unavailable("TB2523", f"cloudflared does not listen: {(said or ['it said nothing'])[-1]}")
