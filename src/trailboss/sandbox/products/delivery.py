"""Drives Worker consumers: a batch that is full, or has waited long enough, goes to the Worker.

One task for all queues. It sleeps until the next message is due on the sandbox's clock, or something is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from trailboss.sandbox.clock import Clock
from trailboss.sandbox.products.broker import Broker, Message, Policy

LEASE_MS = 15 * 60 * 1000
"""A consumer may run 15 minutes of wall time."""
AUTOMATIC_CONCURRENCY = 10
UNDELIVERABLE_DELAY = 1.0

log = logging.getLogger("trailboss.sandbox")


@dataclass(frozen=True, slots=True)
class Consumer:
    """A Worker that consumes a queue."""

    queue: str
    queue_name: str
    script: str
    policy: Policy
    batch_size: int = 10
    max_wait_ms: int = 5000
    max_concurrency: int | None = None
    retention: float = 345600.0


Trigger = Callable[[Consumer, list[Message]], Awaitable[dict[str, Any]]]
"""Hands a batch to the Worker: {outcome, ack_all, retry_batch, explicit_acks, retries}. Whatever it raises
means that there is no verdict: the Worker was not reached, or cut off."""


class Delivery:
    """The running deliveries. `consumers` lists who may be served now (paused queues are not listed)."""

    def __init__(
        self, broker: Broker, clock: Clock, consumers: Callable[[], Iterable[Consumer]], trigger: Trigger
    ) -> None:
        self._broker, self._clock = broker, clock
        self._consumers, self._trigger = consumers, trigger
        self._wake = asyncio.Event()
        self._running: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        broker.listeners.append(lambda _queue: self._wake.set())

    def wake(self) -> None:
        """Look again: a consumer was added, a queue resumed."""
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        self._broker.recover()
        try:
            while True:
                self._wake.clear()
                moment = self.serve()
                await self._sleep(moment)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _sleep(self, moment: float | None) -> None:
        waits = [
            asyncio.ensure_future(self._wake.wait()),
            asyncio.ensure_future(self._clock.sleep_until(moment)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def serve(self) -> float | None:
        """Start every batch that is ready. Returns when to look again, in seconds of the clock."""
        moments = [moment for consumer in self._consumers() if (moment := self._serve(consumer)) is not None]
        return min(moments) / 1000 if moments else None

    def _serve(self, consumer: Consumer) -> int | None:
        self._broker.expire(consumer.queue, consumer.retention)
        limit = consumer.max_concurrency or AUTOMATIC_CONCURRENCY
        while self._running[consumer.queue] < limit:
            count, since = self._broker.ready(consumer.queue)
            if since is None:
                break
            if count < consumer.batch_size and self._clock.milliseconds() < since + consumer.max_wait_ms:
                return since + consumer.max_wait_ms
            batch = self._broker.lease(
                consumer.queue, consumer.batch_size, LEASE_MS, holder="worker", policy=consumer.policy
            )
            if batch:
                self._running[consumer.queue] += 1
                task = asyncio.ensure_future(self._deliver(consumer, batch))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return self._broker.next_due(consumer.queue)

    async def _deliver(self, consumer: Consumer, batch: list[Message]) -> None:
        try:
            self.settle(consumer, batch, await self._trigger(consumer, batch))
        except Exception as error:  # noqa: BLE001 without a verdict every message comes again
            log.warning("queue %s: no verdict of %s: %r", consumer.queue_name, consumer.script, error)
            self._broker.release([message.lease for message in batch], UNDELIVERABLE_DELAY)
        finally:
            self._running[consumer.queue] -= 1
            self._wake.set()

    def settle(self, consumer: Consumer, batch: list[Message], verdict: dict[str, Any]) -> None:
        """Keep the Worker's verdict: its word per message first, then the batch's, then how it ended."""
        acks = set(verdict.get("explicit_acks") or [])
        again = {one["id"]: one.get("delay_seconds") for one in verdict.get("retries") or []}
        whole = verdict.get("retry_batch") or {}
        failed = verdict.get("outcome") != "ok"
        done, retried = [], []
        for message in batch:
            if message.id in acks:
                done.append(message.lease)
            elif message.id in again:
                retried.append((message.lease, _delay(again[message.id])))
            elif whole.get("retry") or (failed and not verdict.get("ack_all")):
                retried.append((message.lease, _delay(whole.get("delay_seconds"))))
            else:
                done.append(message.lease)
        self._broker.acknowledge(done)
        self._broker.retry(retried, consumer.policy)


def _delay(value: Any) -> float | None:
    return None if value is None else float(value)
