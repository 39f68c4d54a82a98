"""One probe of one address: by HTTP, HTTPS, TCP, SMTP, or whether anybody is there at all.

The reasons are those Cloudflare documents for failed monitor requests:
https://developers.cloudflare.com/load-balancing/troubleshooting/common-error-codes/
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

FINE = "No failures"
NO_TCP, LATE_TCP, LATE_HTTP = "TCP connection failed", "TCP Timeout occurred", "HTTP timeout occurred"
WRONG_CODE, WRONG_BODY = "Response code mismatch error", "Response body mismatch error"
UNTRUSTED, BAD_TLS = "TLS untrusted certificate error", "TLS protocol error"
NO_NAME, NO_BANNER = "DNS lookup failed", "SMTP protocol error"
READ_BYTES = 10 * 1024
"""How much of a body is searched for what is expected."""
AGENT = (
    "Mozilla/5.0 (compatible; Cloudflare-Traffic-Manager/1.0; +https://www.cloudflare.com/traffic-manager/)"
)
PORTS = {"http": 80, "https": 443, "smtp": 25}
ECHO_PORT = 7


@dataclass(frozen=True, slots=True)
class Target:
    """What to ask of whom; `timeout` in seconds, `codes` like "200" and "2xx", no codes: any."""

    kind: str
    address: str
    port: int | None = None
    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    body: str = ""
    timeout: float = 5.0
    retries: int = 0
    redirects: bool = False
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a probe; `code` of the response, `milliseconds` until then."""

    healthy: bool
    reason: str
    milliseconds: float
    code: int | None = None

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        found: dict[str, Any] = {
            "healthy": self.healthy,
            "failure_reason": self.reason,
            "rtt": f"{self.milliseconds:.1f}ms",
        }
        return found if self.code is None else {**found, "response_code": self.code}


async def probe(target: Target) -> Outcome:
    """Ask once, and again at once after each timeout while there are retries. Never raises."""
    outcome = await _once(target)
    for _ in range(target.retries):
        if outcome.reason not in {LATE_TCP, LATE_HTTP}:
            break
        outcome = await _once(target)
    return outcome


async def _once(target: Target) -> Outcome:
    began = time.perf_counter()
    ask = {"http": _http, "https": _http, "tcp": _tcp, "smtp": _smtp}.get(target.kind, _anybody)
    try:
        reason, code = await asyncio.wait_for(ask(target), target.timeout)
    except TimeoutError:
        reason, code = LATE_HTTP if ask is _http else LATE_TCP, None
    except OSError as error:
        reason, code = (
            NO_NAME if "getaddrinfo" in repr(error) or error.errno in {-2, -3, -5} else NO_TCP,
            None,
        )
    return Outcome(reason == FINE, reason, (time.perf_counter() - began) * 1000, code)


async def _http(target: Target) -> tuple[str, int | None]:
    import aiohttp

    try:
        async with (
            aiohttp.ClientSession(headers={"user-agent": AGENT}) as session,
            session.request(target.method, _address(target), **_options(target)) as response,
        ):
            return await _judged(target, response), response.status
    except aiohttp.ClientConnectorCertificateError:
        return UNTRUSTED, None
    except aiohttp.ClientSSLError:
        return BAD_TLS, None
    except aiohttp.ClientConnectorDNSError:
        return NO_NAME, None
    except (aiohttp.ClientError, ValueError):
        return NO_TCP, None


def _address(target: Target) -> str:
    host = f"[{target.address}]" if ":" in target.address else target.address
    return f"{target.kind}://{host}:{target.port or PORTS[target.kind]}{target.path or '/'}"


def _options(target: Target) -> dict[str, Any]:
    named = {name.lower(): value for name, value in target.headers.items() if name.lower() != "user-agent"}
    options: dict[str, Any] = {"headers": named, "allow_redirects": target.redirects}
    if target.kind == "https":
        if target.insecure:
            options["ssl"] = False
        if "host" in named:
            options["server_hostname"] = named["host"].partition(":")[0]
    return options


async def _judged(target: Target, response: aiohttp.ClientResponse) -> str:
    if target.codes and not any(matches(code, response.status) for code in target.codes):
        return WRONG_CODE
    if target.body:
        text = (await response.content.read(READ_BYTES)).decode(errors="replace")
        if target.body.lower() not in text.lower():
            return WRONG_BODY
    return FINE


def matches(pattern: str, status: int) -> bool:
    """Whether `2xx`, `20x` or `200` means the status."""
    return re.fullmatch(pattern.strip().lower().replace("x", r"\d"), str(status)) is not None


@asynccontextmanager
async def _connected(target: Target, port: int) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection(target.address, target.port or port)
    try:
        yield reader
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _tcp(target: Target) -> tuple[str, int | None]:
    async with _connected(target, PORTS["http"]):
        return FINE, None


async def _smtp(target: Target) -> tuple[str, int | None]:
    async with _connected(target, PORTS["smtp"]) as reader:
        return (FINE, None) if await reader.read(3) == b"220" else (NO_BANNER, None)


async def _anybody(target: Target) -> tuple[str, int | None]:
    """In place of ICMP, which needs privileges: a host that refuses a connection is there as well."""
    try:
        return await _tcp(Target("tcp", target.address, target.port or ECHO_PORT))
    except ConnectionRefusedError:
        return FINE, None
