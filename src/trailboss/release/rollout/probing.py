"""Synthetic requests: to one version by the override header, or to whoever answers.

`Cloudflare-Workers-Version-Overrides` reaches a version of the current deployment even at 0 %
(https://developers.cloudflare.com/workers/configuration/versions-and-deployments/gradual-deployments/).
Every probe also says that it is one, so that evidence leaves it out.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from trailboss.release.rollout.policy import Probe

if TYPE_CHECKING:
    import httpx

OVERRIDES = "Cloudflare-Workers-Version-Overrides"
MARK = "Trailboss-Probe"
_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shot:
    """One request's end: `good` is None when nobody can say (the network failed)."""

    good: bool | None
    note: str
    seconds: float


@dataclass(slots=True)
class Prober:
    """Sends probes over one connection pool. `edge` is where a sandbox's Workers answer, whatever their
    host."""

    edge: str | None = None
    _client: Any = field(default=None, repr=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def send(self, probe: Probe, address: str, *, worker: str = "", version: str | None = None) -> Shot:
        """One request of `probe` to `address` (the Worker's own), to `version` where one is given."""
        url = probe.url or address.rstrip("/") + probe.path
        headers = {**probe.headers, MARK: probe.name}
        if version is not None:
            headers[OVERRIDES] = f'{worker}="{version}"'
        began = time.perf_counter()
        try:
            status, text = await asyncio.wait_for(self._exchange(probe, url, headers), probe.timeout)
        except TimeoutError:
            return Shot(False, f"no answer within {probe.timeout:g} s", probe.timeout)
        except OSError as error:
            return Shot(None, str(error), time.perf_counter() - began)
        took = time.perf_counter() - began
        return Shot(*_judge(probe, status, text, took), took)

    async def _exchange(self, probe: Probe, url: str, headers: dict[str, str]) -> tuple[int, str]:
        """Status and body. Raises OSError when nobody answered."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=60.0, trust_env=self.edge is None)
        if self.edge is not None and not probe.url:
            parts = urlsplit(url)
            headers = {**headers, "Host": parts.netloc}
            url = f"{self.edge.rstrip('/')}{parts.path}{'?' + parts.query if parts.query else ''}"
        try:
            async with self._client.stream(probe.method, url, headers=headers, content=probe.body) as answer:
                return answer.status_code, await _text(answer)
        except httpx.HTTPError as error:
            raise OSError(f"{type(error).__name__}: {error}") from error


async def _text(answer: httpx.Response) -> str:
    """At most a mebibyte of the body."""
    found = bytearray()
    async for chunk in answer.aiter_bytes():
        found += chunk
        if len(found) > _BODY:
            break
    return found[:_BODY].decode("utf-8", "replace")


def _judge(probe: Probe, status: int, text: str, took: float) -> tuple[bool, str]:
    if probe.statuses and status not in probe.statuses:
        return False, f"{status} instead of {' or '.join(str(one) for one in probe.statuses)}"
    if not probe.statuses and status >= 500:
        return False, f"status {status}"
    if probe.contains is not None and probe.contains not in text:
        return False, f'"{probe.contains}" is not in the answer'
    if probe.latency is not None and took > probe.latency:
        return False, f"{took * 1000:.0f} ms, more than {probe.latency * 1000:.0f}"
    return True, f"{status} in {took * 1000:.0f} ms"
