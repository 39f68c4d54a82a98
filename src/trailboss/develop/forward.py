"""TCP through a public host name: a WebSocket whose binary frames are the stream, as cloudflared has it.

Protocol: https://developers.cloudflare.com/cloudflare-one/access-controls/applications/non-http/ ; the
service token goes in Cf-Access-Client-Id and Cf-Access-Client-Secret, a user's own token in Cf-Access-Token.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from trailboss.errors import AuthenticationError, Unavailable
from trailboss.values import Secret
from trailboss.version import __version__

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

OPEN_SECONDS = 15.0
CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Gate:
    """Where a host name is reached, and what is shown to Access there.

    `edge` None means the host name itself over TLS; at a sandbox it is the edge's URL.
    """

    hostname: str
    edge: str | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """The WebSocket's URL."""
        return f"wss://{self.hostname}" if self.edge is None else f"ws://{self.hostname}"


class Writer(Protocol):
    """Where what comes out of the tunnel goes."""

    def write(self, data: bytes) -> None:
        """Take `data`."""

    async def drain(self) -> None:
        """Wait until there is room for more."""


@asynccontextmanager
async def opened(gate: Gate) -> AsyncIterator[ClientConnection]:
    """A connection through the tunnel.

    Raises:
        AuthenticationError: TB2121 Access does not let us in. Unavailable: TB2521 it cannot be opened.
    """
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidStatus, InvalidURI, WebSocketException

    place = _place(gate)
    try:
        connection = await connect(
            gate.url,
            additional_headers={name: value.reveal() for name, value in gate.headers.items()},
            user_agent_header=f"trailboss/{__version__}",
            compression=None,
            max_size=None,
            open_timeout=OPEN_SECONDS,
            proxy=None if place else True,
            **place,
        )
    except InvalidStatus as error:
        raise _refused(gate, error.response.status_code) from None
    except InvalidURI:  # a redirection to the login page is no WebSocket's
        raise _refused(gate, 302) from None
    except (OSError, TimeoutError, WebSocketException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unavailable(
            "TB2521",
            f"{gate.hostname} cannot be reached: {why}",
            hint="Is its DNS record there? `trailboss tunnel info`.",
        ) from None
    try:
        yield connection
    finally:
        await connection.close()


def _place(gate: Gate) -> dict[str, Any]:
    """Where to connect instead of what the host name resolves to."""
    if gate.edge is None:
        return {}
    parts = urlsplit(gate.edge)
    return {"host": parts.hostname, "port": parts.port}


def _refused(gate: Gate, status: int) -> Exception:
    if status in (301, 302, 401, 403):
        return AuthenticationError(
            "TB2121",
            f"Access does not let us in to {gate.hostname} (HTTP {status})",
            hint="Set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET to a service token that its policies"
            " name, or install cloudflared, which logs in with a browser.",
            status=status,
        )
    why = {
        530: "no connector serves it (trailboss tunnel run)",
        502: "the service behind the tunnel does not answer",
        404: "no rule of a tunnel leads there",
        200: "what answers there takes no TCP: its rule must lead to ssh:// or tcp://",
    }.get(status, f"HTTP {status}")
    return Unavailable("TB2521", f"{gate.hostname} cannot be reached: {why}", status=status)


async def pump(gate: Gate, reader: asyncio.StreamReader, writer: Writer) -> None:
    """Carry one connection until either side ends it. Raises as `opened`."""
    async with opened(gate) as connection:
        outgoing = asyncio.create_task(_send(connection, reader))
        incoming = asyncio.create_task(_receive(connection, writer))
        done, pending = await asyncio.wait({outgoing, incoming}, return_when=asyncio.FIRST_COMPLETED)
        if incoming not in done:  # our side said everything; the answer may still be on its way
            await connection.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(incoming, OPEN_SECONDS)
        for task in pending:
            task.cancel()
        await asyncio.gather(outgoing, incoming, return_exceptions=True)


async def _send(connection: ClientConnection, reader: asyncio.StreamReader) -> None:
    from websockets.exceptions import ConnectionClosed

    with contextlib.suppress(ConnectionClosed):
        while data := await reader.read(CHUNK):
            await connection.send(data)


async def _receive(connection: ClientConnection, writer: Writer) -> None:
    from websockets.exceptions import ConnectionClosed

    with contextlib.suppress(ConnectionClosed, ConnectionError):
        async for frame in connection:
            writer.write(frame if isinstance(frame, bytes) else frame.encode())
            await writer.drain()


async def over_stdio(gate: Gate) -> None:
    """One connection over our own standard input and output: what ssh wants of a ProxyCommand."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=4 * CHUNK)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    await pump(gate, reader, _Stdout(sys.stdout.fileno()))


class _Stdout:
    """Standard output, which may be a pipe, a socket or a file: written in a thread, so that it may block."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._data = b""

    def write(self, data: bytes) -> None:
        """Keep it for `drain`."""
        self._data += data

    async def drain(self) -> None:
        """Write what was kept."""
        data, self._data = self._data, b""
        await asyncio.to_thread(self._all, data)

    def _all(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._handle, data) :]


@asynccontextmanager
async def listening(gate: Gate, port: int = 0) -> AsyncIterator[int]:
    """A port of the loopback address, each connection to which goes through the tunnel; it gets the port.

    The first connection is tried at once, so that what is wrong is said before a client starts.

    Raises:
        AuthenticationError: TB2121. Unavailable: TB2521. OSError: the port is taken.
    """
    async with opened(gate):
        pass

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await pump(gate, reader, writer)
        except (AuthenticationError, Unavailable):
            return  # the client sees its connection end; it was possible a moment ago
        finally:
            writer.close()

    server = await asyncio.start_server(carry, "127.0.0.1", port)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
