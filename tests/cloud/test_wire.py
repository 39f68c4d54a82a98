"""The wire against servers that answer in every way HTTP allows, and in some that it does not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.origins import self_signed
from trailboss.cloud import wire
from trailboss.cloud.line import AHEAD
from trailboss.cloud.wire import Wire

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Use = Callable[[httpx.AsyncClient, str], Awaitable[Any]]


class Server:
    """Counts connections; every one is served by `serve`, which may return to close it."""

    def __init__(self, serve: Serve) -> None:
        self.serve = serve
        self.connections = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self.serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()


def talk(serve: Serve, use: Use, *, tls: Path | None = None, host: str = "127.0.0.1", **client: Any) -> Any:
    """The result of `use`, given a client and the server's URL; and how many connections were made."""
    context = None
    if tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls)

    async def main() -> tuple[Any, int]:
        server = Server(serve)
        listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=context)
        port = listening.sockets[0].getsockname()[1]
        made = Wire(httpx.create_ssl_context)
        try:
            async with httpx.AsyncClient(transport=made, timeout=httpx.Timeout(None, **client)) as http:
                return await use(http, f"http{'s' if tls else ''}://{host}:{port}"), server.connections
        finally:
            listening.close()

    return asyncio.run(main())


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request without a body, or with one of a known length."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head


def answering(*answers: bytes) -> Serve:
    """Answers the requests of one connection, then closes it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await read_request(reader)
            writer.write(answer)
            await writer.drain()

    return serve


async def get(http: httpx.AsyncClient, url: str) -> str:
    return (await http.get(url)).text


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 \r\nContent-Length:2\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\nok",
    ],
)
def test_answers_of_every_shape(answer: bytes) -> None:
    assert talk(answering(answer), get) == ("ok", 1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-le", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nok", httpx.RemoteProtocolError),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, httpx.RemoteProtocolError),
    ],
)
def test_answers_that_are_none(answer: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        talk(answering(answer), get)


def test_a_connection_serves_many_calls_and_parallel_ones_have_their_own() -> None:
    async def use(http: httpx.AsyncClient, url: str) -> list[str]:
        one_by_one = [await get(http, url) for _ in range(5)]
        return one_by_one + await asyncio.gather(*(get(http, url) for _ in range(3)))

    assert talk(answering(*[OK] * 20), use) == (["ok"] * 8, 3)


def test_what_the_server_says_unasked_answers_nothing() -> None:
    async def use(http: httpx.AsyncClient, url: str) -> list[str]:
        return [await get(http, url), await get(http, url)]

    late = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"
    assert talk(answering(OK + late, OK), use) == (["ok", "ok"], 2)


@pytest.mark.parametrize("way", ["closed by the server", "too old"])
def test_a_connection_that_went_stale_is_not_used(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    answers = [OK] if way == "closed by the server" else [OK, OK]
    monkeypatch.setattr(wire, "IDLE", 30.0 if way == "closed by the server" else -1.0)

    async def use(http: httpx.AsyncClient, url: str) -> list[str]:
        return [await get(http, url) for _ in range(3)]

    assert talk(answering(*answers), use) == (["ok"] * 3, 3)


def test_a_refusal_is_heard_although_not_everything_was_sent() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")
        await writer.drain()
        while await reader.read(65536):  # a close with unread bytes would be a reset, and lose the answer
            pass

    async def content() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65536

    async def use(http: httpx.AsyncClient, url: str) -> int:
        headers = {"content-length": str(64 * 65536)}
        return (await http.put(url, content=content(), headers=headers)).status_code

    assert talk(serve, use)[0] == 413


def test_a_body_goes_out_whole_and_one_that_is_too_short_does_not_count() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = len((await read_request(reader)).split(b"\r\n\r\n", 1)[1])
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%d" % (len(str(length)), length))

    async def content() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 65536

    async def use(http: httpx.AsyncClient, url: str) -> str:
        answer = await http.post(url, content=content(), headers={"content-length": str(6553600)})
        with pytest.raises(httpx.LocalProtocolError):
            await http.post(url, content=content(), headers={"content-length": "7000000"})
        return answer.text

    assert talk(serve, use)[0] == "6553600"


def test_a_reader_that_takes_its_time_holds_the_server_back() -> None:
    size = 64 * AHEAD
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        for _ in range(size // 65536):
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async def use(http: httpx.AsyncClient, url: str) -> int:
        async with http.stream("GET", url) as answer:
            before = -1
            while before != sent:  # the server goes on until it may not
                before = sent
                for _ in range(50):
                    await asyncio.sleep(0)
            assert sent < size / 2
            return sum([len(chunk) async for chunk in answer.aiter_bytes()])

    assert talk(serve, use) == (size, 1)


def test_a_response_that_is_not_read_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST", 1)

    async def use(http: httpx.AsyncClient, url: str) -> str:
        async with http.stream("GET", url):
            with pytest.raises(httpx.PoolTimeout):
                await get(http, url)
        waiting = asyncio.ensure_future(http.get(f"{url}/never"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return await get(http, url)

    assert talk(answering(OK), use, pool=0.01)[0] == "ok"


def test_nobody_listens() -> None:
    async def use(http: httpx.AsyncClient, _: str) -> None:
        with pytest.raises(httpx.ConnectError):
            await http.get("http://127.0.0.1:1/")
        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://{'a' * 64}.invalid/")

    talk(answering(), use)


def test_a_host_that_does_not_answer() -> None:
    async def use(http: httpx.AsyncClient, _: str) -> None:
        with pytest.raises(httpx.ConnectTimeout):
            await http.get("http://127.0.0.1:1/")

    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.BaseEventLoop, "create_connection", never)
        talk(answering(), use, connect=0.01)


def test_certificates_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path, "localhost")

    async def refused(http: httpx.AsyncClient, url: str) -> str:
        with pytest.raises(httpx.ConnectError) as caught:
            await http.get(url)
        return str(caught.value)

    assert "CERTIFICATE_VERIFY_FAILED" in talk(answering(OK), refused, tls=certificate, host="localhost")[0]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert talk(answering(OK, OK), get, tls=certificate, host="localhost") == ("ok", 1)
    assert "mismatch" in talk(answering(OK), refused, tls=certificate, host="127.0.0.1")[0]
