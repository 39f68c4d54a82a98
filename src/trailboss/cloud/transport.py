"""The seam: the only file that opens connections. httpx is imported with the first call.

One attempt per call of `send`; budget, retries and errors live above it. Redirects are not followed, TLS is
always verified, proxies of the environment are used, and no credential comes from anywhere but the caller.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import getproxies

from trailboss.values import Secret

# httpx offers a command line of its own when click and rich are installed, and imports both for it: half of
# its import time. Blocking that one module makes it take the branch it has for machines without them.
_blocked = "httpx._main" not in sys.modules
if _blocked:
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
import httpx  # noqa: E402

if _blocked:
    del sys.modules["httpx._main"]

from trailboss.cloud.wire import Wire  # noqa: E402

_HERE = re.compile(r"http://(?:localhost|[a-z0-9.-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])(?:[:/]|$)")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to wait for a free connection, and for one whole attempt."""

    connect: float = 5.0
    pool: float = 60.0
    total: float = 60.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request, ready to send any number of times. `secrets` are headers whose values stay wrapped."""

    method: str
    url: str
    headers: Mapping[str, str]
    secrets: Mapping[str, tuple[str, Secret]]
    body: Body
    timeout: float
    to: Path | None = None


class Body:
    """A request body that does not show itself in a traceback."""

    __slots__ = ("_chunks", "content_type", "length")

    def __init__(
        self, chunks: Callable[[], Iterable[bytes]], length: int, content_type: str | None = None
    ) -> None:
        self._chunks = chunks
        self.length = length
        self.content_type = content_type

    def __repr__(self) -> str:
        return f"<body of {self.length} bytes>"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks():
            yield chunk


@dataclass(frozen=True, slots=True)
class Incoming:
    """One answer, read to its end. Header names are lower case; `body` is empty when it went to a file."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    size: int


class Lost(Exception):
    """No whole answer came back. `sent` is whether a byte of the request may have reached the other side."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class _Authorise(httpx.Auth):
    """Writes the credential into the request at the last moment, out of every frame of ours."""

    def __init__(self, secrets: Mapping[str, tuple[str, Secret]]) -> None:
        self._secrets = secrets

    def auth_flow(self, request: httpx.Request) -> Any:
        for name, (prefix, secret) in self._secrets.items():
            request.headers[name] = prefix + secret.reveal()
        yield request


class Transport:
    """Pooled HTTP/1.1 connections, opened on first use and kept alive."""

    def __init__(
        self, timeouts: Timeouts, user_agent: str, wire: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._timeouts = timeouts
        self._agent = user_agent
        self._wire = wire
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def send(self, request: Outgoing) -> Incoming:
        """Send once and read the whole answer, whatever its status.

        Raises:
            Lost: nothing came back, or not all of it.
        """
        sent = False

        async def trace(event: str, _: Any) -> None:
            nonlocal sent
            if event.endswith("send_request_headers.started"):
                sent = True

        reason = ""
        try:
            async with asyncio.timeout(request.timeout):
                return await self._exchange(request, trace)
        except TimeoutError:
            reason = f"no answer within {request.timeout:g} s"
        except httpx.TimeoutException as error:
            reason = f"timed out ({type(error).__name__})"
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError, OSError) as error:
            reason = _reason(error)
        # Raised here and not above: the library's frames hold headers, and stay behind with its exception.
        raise Lost(reason, sent=sent)

    async def _exchange(self, request: Outgoing, trace: Any) -> Incoming:
        client = self._client(request.url)
        headers = dict(request.headers)
        content: Body | None = None
        if request.body.length or request.method in ("POST", "PUT", "PATCH"):
            headers["content-length"] = str(request.body.length)
            content = request.body if request.body.length else None
            if request.body.content_type:
                headers.setdefault("content-type", request.body.content_type)
        outgoing = client.build_request(
            request.method, request.url, headers=headers, content=content, extensions={"trace": trace}
        )
        auth = _Authorise(request.secrets)
        if request.to is None:
            answer = await client.send(outgoing, auth=auth)
            return Incoming(answer.status_code, answer.headers, answer.content, len(answer.content))
        answer = await client.send(outgoing, auth=auth, stream=True)
        try:
            return await _save(answer, request.to)
        finally:
            await answer.aclose()

    def _client(self, url: str) -> httpx.AsyncClient:
        way = "here" if _HERE.match(url) else url.partition(":")[0]
        client = self._clients.get(way)
        if client is None:
            direct = way == "here" or not _has_proxy()  # no proxy reaches the sandbox on this machine
            client = self._clients[way] = httpx.AsyncClient(
                transport=self._wire or (Wire(httpx.create_ssl_context) if direct else None),
                follow_redirects=False,
                timeout=httpx.Timeout(None, connect=self._timeouts.connect, pool=self._timeouts.pool),
                limits=httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=30.0),
                headers={"user-agent": self._agent, "accept": "*/*"},
            )
        return client

    async def close(self) -> None:
        """Close every connection."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()


def _has_proxy() -> bool:
    """Whether the environment names one, as httpx reads it."""
    return bool(getproxies().keys() - {"no"})


async def _save(answer: httpx.Response, to: Path) -> Incoming:
    """A good answer's body goes to the file `to`, which appears only when it is whole."""
    if not answer.is_success:
        body = await answer.aread()
        return Incoming(answer.status_code, answer.headers, body, len(body))
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            async for chunk in answer.aiter_bytes():
                file.write(chunk)
        size = part.stat().st_size
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return Incoming(answer.status_code, answer.headers, b"", size)


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError):
        return f"cannot connect ({text})"
    if isinstance(error, httpx.ProxyError):
        return f"the proxy refused ({text})"
    return f"the connection broke ({text})"
