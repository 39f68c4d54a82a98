"""The tail's socket, against a real WebSocket server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve

from trailboss.cloud.tail_socket import open_tail
from trailboss.errors import Unavailable


def tail(
    handler: Callable[[ServerConnection], Awaitable[None]], *, protocols: list[str] | None = None
) -> list[bytes]:
    """What a tail yields from a server with this handler."""

    async def main() -> list[bytes]:
        chosen = ["trace-v1"] if protocols is None else protocols
        async with serve(handler, "127.0.0.1", 0, subprotocols=chosen or None) as server:  # type: ignore[arg-type]
            port = next(iter(server.sockets)).getsockname()[1]
            async with open_tail(f"ws://127.0.0.1:{port}/tail?key=hidden", ping_seconds=0.05) as frames:
                return [frame async for frame in frames]

    return asyncio.run(main())


def test_frames_arrive_raw_and_the_greeting_is_wranglers() -> None:
    greeting: list[object] = []

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert "authorization" not in connection.request.headers
        greeting.append(await connection.recv())
        await connection.send('{"outcome":"ok"}')
        await connection.send(b'{"outcome":"exception"}')

    assert tail(handler) == [b'{"outcome":"ok"}', b'{"outcome":"exception"}']
    assert greeting == ['{"debug":false}']


def test_a_broken_connection_is_told() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send("{}")
        await connection.close(1011, "restart")

    with pytest.raises(Unavailable) as caught:
        tail(handler)
    assert caught.value.code == "TB2512"
    assert "1011" in str(caught.value)


def test_another_protocol_is_refused() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    with pytest.raises(Unavailable) as caught:
        tail(handler, protocols=[])
    assert caught.value.code == "TB2511"


def test_nothing_there() -> None:
    async def main() -> None:
        async with open_tail("ws://127.0.0.1:9/tail?key=hidden"):
            raise AssertionError

    with pytest.raises(Unavailable) as caught:
        asyncio.run(main())
    assert caught.value.code == "TB2511"
    assert "hidden" not in str(caught.value)
