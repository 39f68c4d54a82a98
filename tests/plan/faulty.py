"""A Cloud on a bad day: answers take time, are refused, break, get lost, and lists show yesterday's account.

Everything that happens follows from one seed. What may be sent again is decided by the cloud room's own rule,
as in its session; only the wire is left out."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.plan.inprocess import Account, Crash, DirectCloud, lost
from tests.plan.virtual import NOW
from trailboss.cloud import Cloud, Reply
from trailboss.cloud.failures import refusal
from trailboss.cloud.redact import Redactor
from trailboss.cloud.retry import Outcome, is_safe, may_repeat
from trailboss.errors import CloudError, Unavailable

ATTEMPTS = 5
REFUSED_FOR = (1.0, 5.0, 20.0)  # what Retry-After says, in seconds
QUIET = Redactor([])


@dataclass
class Weather:
    """What goes wrong, and how often; `lag` is how many seconds old a list may be, `left` after how many
    requests and answers the process dies."""

    random: random.Random
    rate: float = 0.0
    lag: float = 0.0
    slow: tuple[float, float] = (0.02, 0.4)
    left: float = math.inf
    past: list[tuple[float, bytes]] = field(default_factory=list)

    def step(self) -> None:
        """One request sent, or one answer received."""
        self.left -= 1
        if self.left < 0:
            raise Crash

    def fault(self) -> str:
        if self.random.random() >= self.rate:
            return ""
        return self.random.choice(("429", "500 before", "500 after", "timeout after", "lost"))


class FaultyCloud(DirectCloud):
    """`shadow` is a second account, which answers for the past of the first."""

    def __init__(self, account: Account, shadow: Account, weather: Weather, start: float = NOW) -> None:
        super().__init__(account)
        self.weather, self.shadow, self.start = weather, shadow, start

    def guarded(self, check: Callable[[], None]) -> Cloud:
        view = FaultyCloud(self._account_there, self.shadow, self.weather, self.start)
        view._root, view._guard, view.stats = self._root, check, self.stats
        return view

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await super().pause(seconds)

    async def call(self, method: str, path: str, *, type: Any = None, **options: Any) -> Reply:
        unknown = False
        for attempt in range(1, ATTEMPTS + 1):
            if self._guard is not None and not is_safe(method):
                self._guard()
            self.stats.requests[method, path] += 1
            try:
                return await self._attempt(method, path, dict(options))
            except CloudError as error:
                outcome = getattr(error, "outcome", Outcome.FINAL)
                unknown |= outcome in (Outcome.LOST, Outcome.BROKEN) and not is_safe(method)
                if attempt == ATTEMPTS or not may_repeat(outcome, method, options.get("idempotent")):
                    if isinstance(error, Unavailable):
                        error.effect_unknown = unknown
                    raise
                asked = error.retry_after if outcome is Outcome.REFUSED else 0.0  # type: ignore[attr-defined]
                await asyncio.sleep(max(asked, self.weather.random.uniform(0, 2**attempt / 2)))
        raise AssertionError("unreachable")

    async def _attempt(self, method: str, path: str, options: dict[str, Any]) -> Reply:
        weather, fault = self.weather, self.weather.fault()
        await asyncio.sleep(weather.random.uniform(*weather.slow))
        weather.step()
        if fault == "429":
            raise _said(method, path, 429, Outcome.REFUSED, weather.random.choice(REFUSED_FOR))
        if fault == "500 before":
            raise _said(method, path, 500, Outcome.BROKEN)
        reply = await self._answered(method, path, options)
        if fault == "timeout after":
            await asyncio.sleep(30.0)
        else:
            await asyncio.sleep(weather.random.uniform(*weather.slow))
        weather.step()
        if fault == "500 after":
            raise _said(method, path, 500, Outcome.BROKEN)
        if fault:
            raise _with(lost(method, path), Outcome.LOST)
        return reply

    async def _answered(self, method: str, path: str, options: dict[str, Any]) -> Reply:
        """From the account as it is; a list from the account as it was."""
        weather, now = self.weather, self.start + asyncio.get_running_loop().time()
        if weather.lag and method == "GET" and not path.endswith("/tags"):
            moment = now - weather.random.uniform(0, weather.lag)
            there = [state for at, state in weather.past if at <= moment]
            if there and there[-1] is not weather.past[-1][1]:
                self.shadow.load(there[-1])
                return await DirectCloud(self.shadow)._exchange(method, path, options)
        reply = await self._exchange(method, path, options)
        if weather.lag and not is_safe(method):
            weather.past.append((now, self._account_there.dump()))
        return reply


def _said(method: str, path: str, status: int, outcome: Outcome, after: float = 0.0) -> CloudError:
    return _with(refusal(method, path, status, {}, [], redactor=QUIET, retry_after=after), outcome)


def _with(error: Any, outcome: Outcome) -> Any:
    error.outcome = outcome
    return error
