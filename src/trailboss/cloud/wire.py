"""httpx's wire to a server without a proxy in between: HTTP/1.1 by h11 over asyncio, without a layer more.

httpx's own does the same through httpcore and anyio, whose import alone takes as long as a whole API call; it
is still used where a proxy is configured (see `transport`). Connections are kept and used again; one that
the server closed, or sent something on that nobody asked for, is not.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable

import h11
import httpx

from trailboss.cloud.line import Line

MOST = 32  # connections at the same time
KEPT = 16  # of them idle
IDLE = 30.0  # seconds a connection is kept
_HEAD_START = 0.25  # seconds one address has before the next is tried as well (RFC 8305)

Origin = tuple[str, str, int]


class Wire(httpx.AsyncBaseTransport):
    """Of httpx's timeouts it heeds "connect" and "pool": whole attempts are timed by the caller.

    Raises httpx's own exceptions. `context` is asked for the TLS context when the first https call is made.
    """

    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        self._context = context
        self._tls: ssl.SSLContext | None = None
        self._room = asyncio.Semaphore(MOST)
        self._idle: list[tuple[Origin, float, Line]] = []
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange; the response's stream holds the connection until it is read to its end or closed."""
        timeouts = request.extensions.get("timeout", {})
        try:
            async with asyncio.timeout(timeouts.get("pool")):
                await self._room.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("every connection is in use") from None
        try:
            return await self._exchange(request, timeouts.get("connect"))
        except BaseException:
            self._room.release()
            raise

    async def _exchange(self, request: httpx.Request, patience: float | None) -> httpx.Response:
        origin = _origin(request.url)
        line = self._kept(origin) or await self._connect(origin, patience)
        try:
            if "trace" in request.extensions:
                await request.extensions["trace"]("wire.send_request_headers.started", {})
            assert isinstance(request.stream, httpx.AsyncByteStream)
            head = await line.exchange(_request(request), request.stream)
        except BaseException:
            line.abort()
            raise
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=_Stream(line, lambda: self._done(origin, line)),
            extensions={"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason},
        )

    def _kept(self, origin: Origin) -> Line | None:
        """The idle connection used last, as long as it is good; the others that are not are closed."""
        oldest, found, kept = time.monotonic() - IDLE, None, []
        for entry in reversed(self._idle):
            if entry[1] < oldest or not entry[2].is_idle:
                entry[2].abort()
            elif found is None and entry[0] == origin:
                found = entry[2]
            else:
                kept.append(entry)
        self._idle = kept[::-1]
        return found

    async def _connect(self, origin: Origin, patience: float | None) -> Line:
        scheme, host, port = origin
        if scheme == "https" and self._tls is None:
            self._tls = self._context()
            self._tls.set_alpn_protocols(["http/1.1"])
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(patience):
                _, line = await loop.create_connection(
                    Line,
                    host,
                    port,
                    ssl=self._tls if scheme == "https" else None,
                    server_hostname=host if scheme == "https" else None,
                    happy_eyeballs_delay=None if _is_address(host) else _HEAD_START,
                )
        except TimeoutError:
            raise httpx.ConnectTimeout(f"no connection to {host} within {patience:g} s") from None
        except (OSError, ssl.SSLError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from error
        return line

    def _done(self, origin: Origin, line: Line) -> None:
        """An exchange has ended, well or not: the connection is kept or closed."""
        if not self._closed and line.is_idle and len(self._idle) < KEPT:
            self._idle.append((origin, time.monotonic(), line))
        else:
            line.abort()
        self._room.release()

    async def aclose(self) -> None:
        """Close every idle connection, and wait until they are. One in use is closed when it is done."""
        self._closed = True
        idle, self._idle = self._idle, []
        for _, _, line in idle:
            line.abort()
        for _, _, line in idle:
            await line.closed()


class _Stream(httpx.AsyncByteStream):
    """The body of a response."""

    def __init__(self, line: Line, done: Callable[[], None]) -> None:
        self._line = line
        self._done: Callable[[], None] | None = done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._line.body():
                yield chunk
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done()


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)


def _is_address(host: str) -> bool:
    """Whether there is but one way to go; a race of one would leave its socket open when it is called off."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        return False
    return True


def _request(request: httpx.Request) -> h11.Request:
    try:
        return h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error
