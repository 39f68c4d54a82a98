"""Live tails: who listens to which Worker with which filters, and the WebSocket they listen on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from trailboss.sandbox import websocket as ws
from trailboss.sandbox.tail_filters import passes

PROTOCOL = "trace-v1"
BACKLOG = 1000
"""Events kept for a tail whose client has not connected yet, or reads slowly; older ones are dropped."""


@dataclass
class Tail:
    """One tail of one script. `expires` in seconds since 1970."""

    id: str
    script: str
    filters: list[dict[str, Any]]
    expires: float
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(BACKLOG))
    connected: bool = False

    def offer(self, event: bytes | None) -> None:
        """Put an event in line, dropping the oldest when the line is full."""
        while True:
            try:
                self.queue.put_nowait(event)
                return
            except asyncio.QueueFull:
                self.queue.get_nowait()


class Tails:
    """All tails of the account, and the loopback port their WebSockets are on."""

    def __init__(self, now: Callable[[], float], fraction: Callable[[], float]) -> None:
        self._now = now
        self._fraction = fraction
        self._tails: dict[str, Tail] = {}
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0
        self.fewer: Callable[[], None] = lambda: None
        """Called when a script may have lost its last viewer."""

    async def listen(self) -> None:
        """Open the port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def add(self, tail: Tail) -> str:
        """Begin a tail; the URL its client connects to."""
        self._tails[tail.id] = tail
        return self.url(tail)

    def url(self, tail: Tail) -> str:
        """Where its client connects."""
        return f"ws://127.0.0.1:{self.port}/tails/{tail.id}"

    def scripts(self) -> list[str]:
        """The scripts somebody looks at."""
        now = self._now()
        return sorted({tail.script for tail in self._tails.values() if tail.expires > now})

    def of(self, script: str) -> list[Tail]:
        """The tails of a script that have not expired."""
        now = self._now()
        return [tail for tail in self._tails.values() if tail.script == script and tail.expires > now]

    def remove(self, tail_id: str) -> bool:
        """End a tail and its connection; whether it was there."""
        tail = self._tails.pop(tail_id, None)
        if tail is not None:
            tail.offer(None)
            self.fewer()
        return tail is not None

    def close_all(self) -> None:
        """End every tail."""
        for tail_id in list(self._tails):
            self.remove(tail_id)

    def publish(self, item: dict[str, Any]) -> int:
        """Hand one trace item to every tail of its script whose filters pass; to how many."""
        script = str(item.get("script") or item.get("scriptName") or "")
        sent = 0
        viewers = self.of(script)
        if not viewers:
            self.fewer()
        for tail in viewers:
            if passes(item, tail.filters, self._fraction):
                tail.offer(json.dumps(_event(item, script)).encode())
                sent += 1
        return sent

    async def close(self) -> None:
        """End all tails and the port."""
        self.close_all()
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (ws.Refused, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
            if isinstance(error, ws.Refused):
                writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path, headers = await ws.read_request(reader)
        tail = self._tails.get(path.rpartition("/")[2])
        if tail is None or tail.connected:
            raise ws.Refused("no such tail")
        writer.write(ws.handshake(headers, PROTOCOL))
        tail.connected = True
        sender = asyncio.create_task(_send_events(tail, writer))
        try:
            await _answer_control(reader, writer)
        finally:
            tail.connected = False
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)


async def _send_events(tail: Tail, writer: asyncio.StreamWriter) -> None:
    while (event := await tail.queue.get()) is not None:
        writer.write(ws.frame(ws.TEXT, event))
        await writer.drain()
    writer.write(ws.frame(ws.CLOSE, ws.close_payload(1000, "the tail was ended")))
    await writer.drain()


async def _answer_control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        opcode, payload = await ws.read_frame(reader)
        if opcode == ws.PING:
            writer.write(ws.frame(ws.PONG, payload))
            await writer.drain()
        elif opcode == ws.CLOSE:
            writer.write(ws.frame(ws.CLOSE, payload[:2]))
            await writer.drain()
            return


def _event(item: dict[str, Any], script: str) -> dict[str, Any]:
    event = {key: value for key, value in item.items() if key not in {"script", "version"}}
    return {
        "outcome": "ok",
        "scriptName": script,
        "exceptions": [],
        "logs": [],
        "eventTimestamp": None,
        "event": None,
        **event,
    }
