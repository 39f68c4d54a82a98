"""The WebSocket of one tail: subprotocol `trace-v1`, a ping every ten seconds, frames out.

The address comes from Cloudflare with the permission in it, so no credential of ours is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from trailboss.errors import Unavailable

PING_EVERY = 10.0
LARGEST_FRAME = 16 * 1024 * 1024


class Closed(Exception):
    """The connection ended. `done` is a goodbye (close code 1000) after which nothing is to be resumed."""

    def __init__(self, reason: str, *, done: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.done = done


class Frames(Protocol):
    """An open tail."""

    async def next(self) -> str:
        """The next frame. Raises Closed."""
        ...


class _Socket:
    def __init__(self, connection: object) -> None:
        self._connection = connection

    async def next(self) -> str:
        from websockets.exceptions import ConnectionClosed

        try:
            frame = await self._connection.recv()  # type: ignore[attr-defined]
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else 1006
            said = error.rcvd.reason if error.rcvd else ""
            raise Closed(said or _meaning(code), done=code == 1000) from error
        return frame if isinstance(frame, str) else bytes(frame).decode("utf-8", "replace")


@asynccontextmanager
async def open_socket(url: str) -> AsyncIterator[Frames]:
    """Connect to a tail. Pings are sent and their answers awaited underneath; a silent peer ends in Closed.

    Raises Unavailable TB2510 when it cannot be reached or does not speak `trace-v1`.
    """
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    try:
        connection = await connect(
            url,
            subprotocols=["trace-v1"],  # type: ignore[list-item]
            ping_interval=PING_EVERY,
            ping_timeout=PING_EVERY,
            max_size=LARGEST_FRAME,
            open_timeout=PING_EVERY,
            close_timeout=2,
        )
    except (OSError, WebSocketException, TimeoutError) as error:
        raise Unavailable(
            "TB2510", f"The tail cannot be reached: {error}.", hint="Try again in a moment."
        ) from error
    try:
        await connection.send('{"debug":false}')
        yield _Socket(connection)
    finally:
        await connection.close()


def _meaning(code: int) -> str:
    return {1001: "the server went away", 1006: "the connection broke", 1011: "the server failed"}.get(
        code, f"the server closed it with code {code}"
    )
