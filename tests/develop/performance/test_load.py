"""Load against a real server: at its rate, from the moment a request was due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from trailboss.develop.performance.load import Load, Round, drive

Answer = Callable[[str], Awaitable[int]]


def driven(answer: Answer, **more: float) -> tuple[tuple[Round, ...], list[str]]:
    """Rounds against a server whose `answer` gives the status for a path."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        asked.append(path)
        status = await answer(path)
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async def go() -> tuple[Round, ...]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        values = {"rate": 40.0, "seconds": 0.5, "rounds": 2, "timeout": 2.0, **more}
        async with server:
            load = Load(f"http://127.0.0.1:{port}", ("/a", "/b"), **values)  # type: ignore[arg-type]
            return await drive(load, lambda _: None)

    return asyncio.run(go()), asked


def test_paths_in_turn_and_failures_counted() -> None:
    async def answer(path: str) -> int:
        return 500 if path == "/b" else 404

    found, asked = driven(answer)
    assert [(one.requests, one.failed, one.p95) for one in found] == [(20, 0.5, 2.0)] * 2
    assert asked.count("/a") == asked.count("/b") == 30, "two rounds, and one to warm up"


def test_a_stall_counts_for_everybody_who_was_due_meanwhile() -> None:
    lock = asyncio.Lock()

    async def answer(path: str) -> int:
        async with lock:
            await asyncio.sleep(0.05)  # 20 a second at most, while 40 are asked for
        return 200

    found, _ = driven(answer, rounds=1)
    assert found[0].failed == 0
    assert found[0].p95 > 0.3, "the last waited for all the ones before"
