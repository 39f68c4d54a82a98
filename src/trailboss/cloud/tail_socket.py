"""The socket of a tail: raw event frames as Cloudflare sends them.

Protocol `trace-v1` as wrangler 4.164 speaks it: no Authorization, `{"debug":false}` once after opening, a
ping every ten seconds. Delivery stops silently when the tail expires; the reader decides when to open anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from trailboss.errors import Unavailable
from trailboss.version import __version__

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

PROTOCOL = "trace-v1"
PING_SECONDS = 10.0
MAX_FRAME = 16 * 1024 * 1024


class Closed(Exception):
    """The connection ended with WebSocket close code `code`; after a goodbye (1000) nothing is resumed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    @property
    def done(self) -> bool:
        """Whether the server said goodbye."""
        return self.code == 1000


class TailSocket:
    """An open tail: `next()` for one frame (JSON bytes) per event, or iterate until the server says goodbye.

    The iteration raises Unavailable TB2512 when the connection breaks in any other way.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def next(self) -> bytes:
        """The next frame. Raises Closed."""
        from websockets.exceptions import ConnectionClosed

        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else 1006
            said = error.rcvd.reason if error.rcvd else ""
            raise Closed(code, said or _meaning(code)) from error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                frame = await self.next()
            except Closed as closed:
                if closed.done:
                    return
                raise Unavailable(
                    "TB2512",
                    f"the tail's connection broke (code {closed.code}): {closed.reason}",
                    hint="Open a new tail to go on.",
                ) from closed
            yield frame


def _meaning(code: int) -> str:
    return {1001: "the server went away", 1006: "the connection broke", 1011: "the server failed"}.get(
        code, f"the server closed it with code {code}"
    )


@asynccontextmanager
async def open_tail(url: str, *, ping_seconds: float = PING_SECONDS) -> AsyncIterator[TailSocket]:
    """Connect to the `url` that creating a tail returned; closed at the end of the block.

    Raises:
        Unavailable: TB2511 it cannot be opened, or the other side does not speak `trace-v1`.
    """
    import websockets
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    reason, connection = "", None
    try:
        connection = await connect(
            url,
            subprotocols=[Subprotocol(PROTOCOL)],
            user_agent_header=f"trailboss/{__version__}",
            ping_interval=ping_seconds,
            ping_timeout=ping_seconds,
            max_size=MAX_FRAME,
        )
        if connection.subprotocol != PROTOCOL:
            reason = f"the other side does not speak {PROTOCOL}"
        else:
            with suppress(websockets.ConnectionClosed):  # the reader sees it, after what came before
                await connection.send('{"debug":false}')
    except (OSError, TimeoutError, websockets.WebSocketException) as error:
        reason = _reason(error)
    try:
        if connection is None or reason:
            hint = "A tail's address is good for a short while only: create a new tail."
            raise Unavailable("TB2511", f"the tail cannot be opened: {reason}", hint=hint)
        yield TailSocket(connection)
    finally:
        if connection is not None:
            await connection.close()


def _reason(error: Exception) -> str:
    """What went wrong, without the address: it lets anybody who has it read the tail."""
    from websockets.exceptions import InvalidStatus

    if isinstance(error, InvalidStatus):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
