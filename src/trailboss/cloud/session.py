"""What all views of one Cloud share: connections, budget, retries, statistics.

Imported with the first call; everything that costs start-up time hangs below here.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trailboss.cloud.budget import Budget, shared_budget
from trailboss.cloud.envelope import Envelope, Unreadable, open_envelope
from trailboss.cloud.failures import over_budget, refusal, unreachable
from trailboss.cloud.ratelimit import block_seconds, retry_after
from trailboss.cloud.redact import Redactor
from trailboss.cloud.retry import Outcome, Retry, is_safe, may_repeat, outcome_of
from trailboss.cloud.stats import Stats, template
from trailboss.cloud.target import Target
from trailboss.cloud.transport import Body, Incoming, Lost, Outgoing, Timeouts, Transport
from trailboss.errors import CloudError, NotFound, Unavailable
from trailboss.values import Secret
from trailboss.version import __version__

SLOW = 100_000  # bytes per second: a line on which an upload should still succeed


@dataclass(frozen=True, slots=True)
class Options:
    """How a Cloud behaves; the clock and the sleep are given so that tests need not wait."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: Retry = field(default_factory=Retry)
    patience: float = 600.0  # seconds one call waits for the rate budget before it gives up
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    rng: random.Random = field(default_factory=random.Random)
    notify: Callable[[str], None] = lambda _: None
    budget: Budget | None = None
    wire: Any = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a caller means it: `shown` is the path for people, without query and host."""

    method: str
    shown: str
    url: str
    headers: Mapping[str, str]
    secrets: Mapping[str, tuple[str, Secret]]
    body: Body
    idempotent: bool | None = None
    enveloped: bool = True
    check: bool = True
    metered: bool = True
    timeout: float | None = None
    to: Path | None = None
    guard: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """How one attempt ended."""

    outcome: Outcome
    incoming: Incoming | None = None
    envelope: Envelope | None = None
    error: CloudError | None = None
    asked: float = 0.0  # seconds this call is asked to wait, when they do not hold for all calls


class Session:
    """Sends calls: waits for the budget, repeats what is safe to repeat, turns the rest into typed errors."""

    def __init__(self, target: Target, stats: Stats, redactor: Redactor, options: Options) -> None:
        self.stats = stats
        self._redactor = redactor
        self._options = options
        self._transport = Transport(options.timeouts, f"trailboss/{__version__}", options.wire)
        self._budget = options.budget or shared_budget(target, clock=options.clock, warn=options.notify)
        self.sleep = options.sleep
        self.account_id = target.account_id
        self.account_lock = asyncio.Lock()
        stats.budget_limit = self._budget.limits.stop if self._budget.limits.quota <= 1_000_000 else 0

    async def exchange(self, call: Call) -> tuple[Incoming, Envelope | None]:
        """The answer to `call`, sent as often as is safe and useful.

        Raises:
            CloudError: the typed error of the last attempt.
        """
        attempt, unknown = 0, False
        while True:
            attempt += 1
            if call.metered:
                await self._admit(call)
            if call.guard is not None and not is_safe(call.method):
                call.guard()
            judged = await self._attempt(call)
            if judged.incoming is not None and judged.error is None:
                return judged.incoming, judged.envelope
            error = judged.error
            assert error is not None
            unknown |= judged.outcome in (Outcome.LOST, Outcome.BROKEN) and not is_safe(call.method)
            last = attempt >= self._options.retry.attempts
            if last or not may_repeat(judged.outcome, call.method, call.idempotent):
                if isinstance(error, Unavailable):
                    error.effect_unknown = unknown
                raise error
            pause = self._options.retry.delay(attempt, self._options.rng)
            if judged.asked > max(pause, self._options.patience):
                raise error
            self.stats.retries += 1
            await self._wait(max(pause, judged.asked))

    async def close(self) -> None:
        """Close connections and the budget's file."""
        await self._transport.close()
        self._budget.close()

    async def _attempt(self, call: Call) -> Judged:
        began = time.perf_counter()
        limit = call.timeout or self._patience(call)
        outgoing = Outgoing(call.method, call.url, call.headers, call.secrets, call.body, limit, call.to)
        self.stats.requests[call.method, template(call.shown)] += 1
        lost: tuple[str, bool] | None = None
        try:
            incoming = await self._transport.send(outgoing)
        except Lost as error:
            lost = (error.reason, error.sent)
        finally:
            self.stats.spent += time.perf_counter() - began
        if lost is not None:
            reason, sent = lost
            self.stats.sent += call.body.length if sent else 0
            missing = unreachable(call.method, call.shown, reason, self._redactor, sent=sent)
            return Judged(Outcome.LOST if sent else Outcome.NOT_SENT, error=missing)
        self.stats.sent += call.body.length
        self.stats.received += incoming.size
        return self._judge(call, incoming)

    def _patience(self, call: Call) -> float:
        """Seconds one attempt may take: more for a body to send on a slow line, and for a file to fetch."""
        total = self._options.timeouts.total + call.body.length / SLOW
        return total * 60 if call.to else total

    def _judge(self, call: Call, incoming: Incoming) -> Judged:
        wait = self._heed(call, incoming)
        status = incoming.status
        if not call.enveloped and (status < 400 or (not call.check and status < 500 and status != 429)):
            return Judged(Outcome.FINAL, incoming)
        try:
            envelope = open_envelope(status, incoming.body)
        except Unreadable as error:
            if status >= 400:
                return self._refused(call, incoming, [], wait)
            text = f"{error.reason} (HTTP {status})"
            broken = unreachable(
                call.method, call.shown, text, self._redactor, sent=True, code="TB2504", status=status
            )
            return Judged(Outcome.LOST, incoming, error=broken)
        if envelope.success and call.enveloped:
            return Judged(Outcome.FINAL, incoming, envelope)
        return self._refused(call, incoming, envelope.error_list(), wait)

    def _refused(
        self, call: Call, incoming: Incoming, errors: list[dict[str, Any]], wait: float | None
    ) -> Judged:
        codes = [code for error in errors if isinstance(code := error.get("code"), int)]
        asked = 0.0 if call.metered and incoming.status == 429 else wait or 0.0
        error = refusal(
            call.method,
            call.shown,
            incoming.status,
            incoming.headers,
            errors,
            redactor=self._redactor,
            retry_after=wait or 0.0,
        )
        outcome = Outcome.FINAL if isinstance(error, NotFound) else outcome_of(incoming.status, codes)
        return Judged(outcome, incoming, error=error, asked=asked)

    def _heed(self, call: Call, incoming: Incoming) -> float | None:
        """Do what the answer says about the rate limit; the seconds it asks to wait, if it does."""
        now = self._options.clock()
        asked = retry_after(incoming.headers, now) if incoming.status in (429, 503) else None
        if call.metered:
            everyone = asked if asked and incoming.status == 429 else 0.0
            seconds = max(everyone, block_seconds(incoming.headers, now))
            if seconds > 0:
                self._budget.block(seconds)
            self.stats.budget_used = self._budget.used
        return asked

    async def _admit(self, call: Call) -> None:
        waited = 0.0
        while wait := self._budget.take():
            if waited + wait > self._options.patience:
                raise over_budget(call.method, call.shown, wait, self._redactor)
            if wait >= 1:
                self._options.notify(f"waiting {wait:.0f} s for Cloudflare's rate limit")
            # A little later than asked, each process differently, so that they do not all come at once.
            wait += self._options.rng.uniform(0, min(0.25, wait / 4))
            await self._wait(wait)
            waited += wait

    async def _wait(self, seconds: float) -> None:
        self.stats.waited += seconds
        await self._options.sleep(seconds)
