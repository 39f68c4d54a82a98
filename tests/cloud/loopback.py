"""A small HTTP server on loopback that misbehaves to order, and counts what it really did."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Request:
    """What arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    def one(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return dict(reversed(self.query)).get(name)


@dataclass
class Answer:
    """What to do: `cut` is 'before' or 'after' the effect, or 'middle' of the answer's body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: str = ""
    delay: float = 0.0


def ok(result: Any = None, info: dict[str, Any] | None = None, **more: Any) -> Answer:
    """A success envelope."""
    body = {"success": True, "errors": [], "messages": [], "result": result}
    if info is not None:
        body["result_info"] = info
    return Answer(body=json.dumps(body).encode(), **more)


def no(status: int, code: int, message: str = "no", **more: Any) -> Answer:
    """A failure envelope."""
    errors = [{"code": code, "message": message}]
    body = {"success": False, "errors": errors, "messages": [], "result": None}
    return Answer(status, json.dumps(body).encode(), **more)


class Loopback:
    """Use as `async with Loopback(respond) as server`; `respond` is a function or a list to use up."""

    def __init__(self, respond: Callable[[Request], Answer] | list[Answer]) -> None:
        if isinstance(respond, list):
            answers = list(respond)
            self.respond: Callable[[Request], Answer] = lambda _: answers.pop(0)
        else:
            self.respond = respond
        self.requests: list[Request] = []
        self.executed: list[Request] = []
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Loopback:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/client/v4"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read(reader)
        self.requests.append(request)
        answer = self.respond(request)
        if answer.cut == "before":
            return False
        self.executed.append(request)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.cut == "after":
            return False
        writer.write(_wire(answer))
        await writer.drain()
        return not answer.cut


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    return Request(method, parts.path, parse_qsl(parts.query, keep_blank_values=True), headers, body)


def _wire(answer: Answer) -> bytes:
    headers = {"content-type": "application/json", "content-length": str(len(answer.body)), **answer.headers}
    if answer.status == 204:
        del headers["content-length"]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = answer.body[: len(answer.body) // 2] if answer.cut == "middle" else answer.body
    return f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode() + body
