"""Whatever a server sends, a call ends in a result or a typed error with a place and a hint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloud.conftest import TOKEN
from tests.cloud.loopback import Answer, Loopback, ok
from trailboss.cloud import Cloud
from trailboss.cloud.retry import Retry
from trailboss.cloud.transport import Timeouts
from trailboss.errors import CloudError

Connect = Callable[..., Cloud]
QUICK = {"timeouts": Timeouts(total=0.5), "retry": Retry(attempts=2)}
RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ENVELOPE = st.fixed_dictionaries(
    {}, optional={"success": JSON, "errors": JSON, "messages": JSON, "result": JSON, "result_info": JSON}
)


async def _call(cloud: Cloud) -> None:
    """Every way of reading an answer; only CloudError may come out."""
    for call in (
        lambda: cloud.get("/x"),
        lambda: cloud.post("/x", json={}),
        lambda: cloud.raw("GET", "/x"),
        lambda: anext(aiter(cloud.pages("/x", style="cursor")), None),
        lambda: anext(aiter(cloud.pages("/x")), None),
    ):
        try:
            await call()
        except CloudError as error:
            assert error.code.startswith("TB2")
            assert " /x" in str(error)
            assert TOKEN not in str(error)


@RELAXED
@given(head=st.binary(max_size=40), body=st.binary(max_size=60), proper=st.booleans())
def test_any_bytes(connect: Connect, head: bytes, body: bytes, proper: bool) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10_000)
        writer.write((b"HTTP/1.1 200 OK\r\n" if proper else b"") + head + b"\r\n\r\n" + body)
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        async with (
            server,
            connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", **QUICK) as cloud,
        ):
            await _call(cloud)

    asyncio.run(main())


@RELAXED
@given(status=st.sampled_from([200, 201, 400, 401, 403, 404, 409, 429, 500, 503, 520]), envelope=ENVELOPE)
def test_any_envelope(connect: Connect, status: int, envelope: dict[str, object]) -> None:
    import json

    answer = Answer(status, json.dumps(envelope).encode(), {"retry-after": "1", "cf-ray": "r"})

    async def main() -> None:
        async with Loopback(lambda _: answer) as server, connect(server, **QUICK) as cloud:
            await _call(cloud)

    asyncio.run(main())


def test_a_connection_closed_while_idle_is_not_used(connect: Connect) -> None:
    async def main() -> int:
        gone = asyncio.Event()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-length: 31\r\n\r\n" + b'{"success":true,"result":12345}'
            )
            writer.close()
            await writer.wait_closed()
            gone.set()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, connect(url) as cloud:
            for _ in range(3):
                gone.clear()
                assert await cloud.post("/x") == 12345
                await gone.wait()
            return cloud.stats.retries

    assert asyncio.run(main()) == 0


def test_cancelling_frees_the_connection(connect: Connect) -> None:
    async def main() -> int:
        started = asyncio.Event()

        def respond(request: object) -> Answer:
            started.set()
            return ok(delay=30) if len(server.requests) == 1 else ok(7)

        async with Loopback(respond) as server, connect(server) as cloud:
            task = asyncio.ensure_future(cloud.get("/slow"))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            result: int = await cloud.get("/quick")
            return result

    assert asyncio.run(main()) == 7
