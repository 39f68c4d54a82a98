"""One HTTP/1.1 connection: asyncio moves the bytes, h11 knows what they mean, httpx names the errors."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import Any

import h11
import httpx

LONGEST_HEAD = 100 * 1024  # bytes of a response's head
AHEAD = 1024 * 1024  # bytes that wait for their reader before the server has to wait


class Line(asyncio.Protocol):
    """`exchange` sends a request and reads the head of its answer, `body` the rest; then it `is_idle` again.

    Raises httpx.ReadError or WriteError when the connection breaks, RemoteProtocolError when the server does
    not keep to HTTP, LocalProtocolError when the caller does not.
    """

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._transport: asyncio.Transport
        self._news = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._closed = asyncio.Event()
        self._ended: str | None = None
        self._waiting = 0
        self._used = False

    @property
    def is_idle(self) -> bool:
        """Whether the next request can go out on it: nothing has come since, be it the end."""
        if self._ended is not None or self._used:
            return False
        # Asked of the system, too: what arrived a moment ago has not been told to us yet.
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket"), select.POLLIN)
        return not poll.poll(0)

    async def exchange(self, request: h11.Request, content: AsyncIterable[bytes]) -> h11.Response:
        """Send `request` with `content` (an async iterable of bytes); the head of the final answer."""
        self._used = True
        # A server may refuse what is still being sent, answer and close: then its answer is what counts.
        with suppress(httpx.WriteError):
            await self._send(request, content)
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event

    async def body(self) -> AsyncIterator[bytes]:
        """The answer's body, as it comes; at its end the connection is idle or has to be closed."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._used = self._http.trailing_data[0] != b""

    def abort(self) -> None:
        """Close it at once."""
        self._transport.abort()

    async def closed(self) -> None:
        """Wait until it is closed."""
        await self._closed.wait()

    async def _send(self, request: h11.Request, content: AsyncIterable[bytes]) -> None:
        try:
            head = self._http.send(request)
            async for chunk in content:
                await self._write((head or b"") + (self._http.send(h11.Data(data=chunk)) or b""))
                head = b""
            await self._write((head or b"") + (self._http.send(h11.EndOfMessage()) or b""))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error

    async def _write(self, data: bytes) -> None:
        if self._ended is not None:
            raise httpx.WriteError(self._ended)
        if data:
            self._transport.write(data)
        await self._may_write.wait()

    async def _event(self) -> Any:
        """The next thing the server says."""
        while True:
            unanswered = self._http.their_state is h11.SEND_RESPONSE
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                silent = unanswered and self._ended is not None
                reason = "the server closed it without an answer" if silent else str(error)
                raise httpx.RemoteProtocolError(reason) from error
            if event is not h11.NEED_DATA:
                return event
            self._waiting = 0
            if self._ended:
                raise httpx.ReadError(self._ended)
            self._transport.resume_reading()
            self._news.clear()
            await self._news.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes have come."""
        if not self._used:  # nobody asked: an answer to nothing must not answer the next request
            self._used = True
            self.abort()
            return
        self._http.receive_data(data)
        self._waiting += len(data)
        if self._waiting > AHEAD:
            self._transport.pause_reading()
        self._news.set()

    def eof_received(self) -> None:
        """asyncio: the server will say nothing more."""
        if self._ended is None:
            self._ended = ""
            self._http.receive_data(b"")
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        if self._ended is None:
            self._ended = str(exc or "it was closed") or type(exc).__name__
            if exc is None:
                self._http.receive_data(b"")
        elif exc is not None:
            self._ended = str(exc)
        self._news.set()
        self._may_write.set()
        self._closed.set()

    def pause_writing(self) -> None:
        """asyncio: the server takes no more for now."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """asyncio: the server takes more."""
        self._may_write.set()
