"""Requests at a steady rate, whatever becomes of the ones before.

Each has a moment at which it is due, and its time counts from there: a server that stalls delays nobody's
question, so what everybody would have waited is in the figures (no "coordinated omission").
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask: `paths` in turn at `url`, `rate` requests per second, `rounds` of `seconds` each. `edge`
    is where a sandbox's Workers answer, whatever their host."""

    url: str
    paths: tuple[str, ...]
    rate: float
    seconds: float
    rounds: int
    timeout: float
    headers: Mapping[str, str] = field(default_factory=dict)
    edge: str | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One round: how many requests, the share of them that failed, and quantiles of the time to the end of
    the answer, in seconds (a failure counts as the whole timeout)."""

    requests: int
    failed: float
    p50: float
    p95: float


Tell = Callable[[str], None]


async def drive(load: Load, tell: Tell) -> tuple[Round, ...]:
    """The rounds of one measurement, one after the other; the one that warms up is left out."""
    import httpx

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    async with httpx.AsyncClient(timeout=load.timeout, limits=limits, trust_env=load.edge is None) as client:
        found = []
        for number in range(load.rounds + 1):
            tell(f"round {number} of {load.rounds}" if number else "warming up")
            found.append(await _round(client, load))
    return tuple(found[1:])


async def _round(client: httpx.AsyncClient, load: Load) -> Round:
    clock = asyncio.get_running_loop().time
    count = max(1, round(load.rate * load.seconds))
    began = clock()

    async def one(number: int) -> float | None:
        due = began + number / load.rate
        await asyncio.sleep(max(0.0, due - clock()))  # the schedule itself: nothing is waited for
        good = await _ask(client, load, load.paths[number % len(load.paths)])
        return clock() - due if good else None

    times = await asyncio.gather(*(one(number) for number in range(count)))
    sorted_times = sorted(load.timeout if taken is None else taken for taken in times)
    return Round(
        count,
        sum(taken is None for taken in times) / count,
        round(quantile(sorted_times, 0.50), 6),
        round(quantile(sorted_times, 0.95), 6),
    )


async def _ask(client: httpx.AsyncClient, load: Load, path: str) -> bool:
    """Whether the answer came whole, in time, and was no 5xx."""
    import httpx

    url, headers = load.url.rstrip("/") + path, dict(load.headers)
    if load.edge is not None:
        headers["Host"] = urlsplit(load.url).netloc
        url = load.edge.rstrip("/") + path
    try:
        answer: Any = await asyncio.wait_for(client.get(url, headers=headers), load.timeout)
    except (httpx.HTTPError, TimeoutError):
        return False
    return bool(answer.status_code < 500)


def quantile(ordered: list[float], q: float) -> float:
    """The smallest value that at least a share `q` does not exceed."""
    return ordered[math.ceil(q * len(ordered)) - 1]
