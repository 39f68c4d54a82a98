"""The account's broker and its deliveries, put together from the records of queues and consumers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from trailboss.sandbox.products.broker import Broker, Message, Policy
from trailboss.sandbox.products.delivery import Consumer, Delivery
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.runtime import Rejected
from trailboss.sandbox.store import Record, Store

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box

KIND, CONSUMER = "queue", "queue_consumer"
DEFAULT_PULL_RETRIES = 3


def named(store: Store, name: str) -> Record | None:
    """The queue of that name."""
    return store.find(KIND, queue_name=name)


def policy_of(store: Store, consumer: Record | None) -> Policy:
    """A consumer's retries and dead letter queue; the defaults when there is no consumer."""
    settings = (consumer or {}).get("settings") or {}
    dead = named(store, (consumer or {}).get("dead_letter_queue") or "")
    return Policy(
        max_retries=int(settings.get("max_retries", DEFAULT_PULL_RETRIES)),
        retry_delay=int(settings.get("retry_delay") or 0),
        dead_letter=dead["queue_id"] if dead else None,
    )


class Hub:
    """One account's queues at work."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self.broker = Broker(box.store, box.clock.milliseconds, box.ids.hex)
        self._delivery: Delivery | None = None

    async def run(self) -> None:
        """Deliver to Worker consumers for the daemon's life."""
        self._delivery = Delivery(self.broker, self._box.clock, self._consumers, self._trigger)
        await self._delivery.run()

    def restart(self) -> None:
        """The records were emptied or replaced: deliveries they show under way are not."""
        self.broker.recover()
        self.wake()

    def wake(self) -> None:
        """Consumers or settings changed: look again."""
        if self._delivery is not None:
            self._delivery.wake()

    def _consumers(self) -> Iterator[Consumer]:
        store = self._box.store
        for record in store.all(CONSUMER):
            queue = named(store, record["queue_name"])
            if record["type"] != "worker" or queue is None or queue["settings"]["delivery_paused"]:
                continue
            if store.get("script", record["script_name"]) is None:
                continue
            settings = record.get("settings") or {}
            yield Consumer(
                queue=queue["queue_id"],
                queue_name=queue["queue_name"],
                script=record["script_name"],
                policy=policy_of(store, record),
                batch_size=int(settings.get("batch_size") or 10),
                max_wait_ms=int(settings.get("max_wait_time_ms", 5000)),
                max_concurrency=settings.get("max_concurrency"),
                retention=float(queue["settings"]["message_retention_period"]),
            )

    async def _trigger(self, consumer: Consumer, batch: list[Message]) -> dict[str, Any]:
        messages = [
            {
                "id": message.id,
                "timestamp": message.sent,
                "attempts": message.attempts,
                "content_type": message.content_type,
                "body": base64.b64encode(message.body).decode(),
            }
            for message in batch
        ]
        body = {"script": consumer.script, "queue": consumer.queue_name, "messages": messages}
        try:
            return await self._box.runtime.trigger("queue", body)
        except (Rejected, ApiError) as error:
            raise ConnectionError(str(error)) from error


_hubs: WeakKeyDictionary[Store, Hub] = WeakKeyDictionary()


def hub_of(box: Box) -> Hub:
    """The hub of a sandbox, made on first use."""
    if box.store not in _hubs:
        _hubs[box.store] = Hub(box)
    return _hubs[box.store]
