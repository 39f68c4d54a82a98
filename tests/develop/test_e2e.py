"""Waiting for what is to be tested, and Access before it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from trailboss.develop import e2e
from trailboss.develop.testing import Command
from trailboss.errors import ReleaseError
from trailboss.values import Secret

Answer = Callable[[str], str]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """A server whose answer to each request is made from its text; its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.write(answer(head).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def reply(status: str, body: str = "", *headers: str) -> str:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join([*lines, "", body])


def command(*words: str) -> Command:
    return Command(list(words), (), Path.cwd(), {"PATH": "/usr/bin:/bin"}, 20)


def outcome(answer: Answer, tests: Command, patience: float = 10, **headers: str) -> e2e.Tested:
    async def go() -> e2e.Tested:
        async with serving(answer) as url:
            shown = {name: Secret(value) for name, value in headers.items()}
            return await e2e.test(e2e.Place(url, headers=shown), tests, patience, lambda _: None)

    return asyncio.run(go())


def test_it_waits_until_the_worker_itself_answers() -> None:
    answers = [
        reply("522 Origin"),
        reply("404 Not Found", "error code: 1042"),
        reply("404 Not Found", "<h1>There is nothing here yet</h1>"),
        reply("500 Its own", "a mistake of the Worker's"),
    ]
    left = list(answers)
    done = outcome(lambda _: left.pop(0), command("sh", "-c", 'echo "$BASE_URL"; exit 4'))
    assert left == []
    assert (done.ok, done.status, done.log) == (False, 4, (done.url,))


def test_it_gives_up() -> None:
    with pytest.raises(ReleaseError) as caught:
        outcome(lambda _: reply("503 Not Yet"), command("true"), 0.1)
    assert (caught.value.code, "503" in caught.value.message) == ("TB4702", True)


def test_access_lets_a_service_token_in() -> None:
    login = "location: https://team.cloudflareaccess.com/cdn-cgi/access/login/x"

    def answer(head: str) -> str:
        return reply("200 OK") if "cf-access-client-id: me" in head.lower() else reply("302 Found", "", login)

    with pytest.raises(ReleaseError) as caught:
        outcome(answer, command("true"))
    assert caught.value.code == "TB4703"
    tests = command("sh", "-c", 'echo "$TRAILBOSS_HEADERS"')
    done = outcome(answer, tests, **{"Cf-Access-Client-Id": "me", "Cf-Access-Client-Secret": "s"})
    assert json.loads(done.log[0]) == {"Cf-Access-Client-Id": "me", "Cf-Access-Client-Secret": "s"}
