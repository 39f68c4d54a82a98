"""Consumers of queues: a Worker that is called with batches, or clients that pull. Source: API reference 6.3.

A queue has one consumer, so the queue is the identity. Of the settings only those given are compared:
Cloudflare fills in the others. A consumer that is pulled from belongs to no Worker; its `script` is "".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound
from trailboss.resources.lookups import queue_id
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    REPLACE,
    SERVER_SET,
    UNSET,
    Ref,
    Unset,
    set_fields,
    to,
)
from trailboss.resources.protocol import Basis, Need, OfWorker, Permissions
from trailboss.resources.refusals import taken

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

WORKER, PULL = "worker", "http_pull"
HAS_CONSUMER, NO_CONSUMER = 11004, 11002
BOUNDS = {
    "batch_size": (1, 100),
    "max_retries": (0, 100),
    "max_wait_time_ms": (0, 60_000),
    "max_concurrency": (1, 250),
    "retry_delay": (0, 86_400),
    "visibility_timeout_ms": (1, 43_200_000),
}
ONLY = {"max_wait_time_ms": WORKER, "max_concurrency": WORKER, "visibility_timeout_ms": PULL}


@dataclass(frozen=True, slots=True)
class QueueConsumer:
    """What a file may want: a `type` 'worker' with its `script`, or 'http_pull'.

    `retry_delay` in seconds, the other times in milliseconds. Without a `dead_letter_queue` a message that
    failed too often is dropped.
    """

    queue: str | Ref = field(metadata=IDENTITY | to("queue"))
    type: str = field(default=WORKER, metadata=REPLACE)
    script: str = field(default="", metadata=MUTABLE)
    dead_letter_queue: str | Ref = field(default="", metadata=MUTABLE | to("queue"))
    batch_size: int | Unset = field(default=UNSET, metadata=MUTABLE)
    max_retries: int | Unset = field(default=UNSET, metadata=MUTABLE)
    max_wait_time_ms: int | Unset = field(default=UNSET, metadata=MUTABLE)
    max_concurrency: int | Unset = field(default=UNSET, metadata=MUTABLE)
    retry_delay: int | Unset = field(default=UNSET, metadata=MUTABLE)
    visibility_timeout_ms: int | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedQueueConsumer:
    """A consumer of the account; a setting that Cloudflare does not show is None."""

    queue: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    queue_id: str = field(metadata=SERVER_SET)
    type: str = field(default=WORKER, metadata=REPLACE)
    script: str = field(default="", metadata=MUTABLE)
    dead_letter_queue: str = field(default="", metadata=MUTABLE)
    batch_size: int | None = field(default=None, metadata=MUTABLE)
    max_retries: int | None = field(default=None, metadata=MUTABLE)
    max_wait_time_ms: int | None = field(default=None, metadata=MUTABLE)
    max_concurrency: int | None = field(default=None, metadata=MUTABLE)
    retry_delay: int | None = field(default=None, metadata=MUTABLE)
    visibility_timeout_ms: int | None = field(default=None, metadata=MUTABLE)


class QueueConsumerKind(Basis):
    """The kind `queue_consumer`."""

    name = "queue_consumer"
    spec = QueueConsumer
    ownership = OfWorker()
    handler = "queue"
    permissions = Permissions("Queues Read", "Queues Write")

    def needs(self, spec: QueueConsumer) -> tuple[Need, ...]:
        named = (spec.queue, spec.dead_letter_queue)
        return tuple(Need("queue", (name,)) for name in named if name and isinstance(name, str))

    def problems(self, spec: QueueConsumer) -> Iterable[str]:
        if spec.type not in (WORKER, PULL):
            yield f"type is '{spec.type}'; it may be {WORKER} or {PULL}"
        if (spec.type == WORKER) != bool(spec.script):
            yield f"a consumer of the type {WORKER} has a `script`, one of the type {PULL} has none"
        for name, (least, most) in BOUNDS.items():
            value = getattr(spec, name)
            if isinstance(value, int) and not least <= value <= most:
                yield f"{name} is {value}; Cloudflare allows {least} to {most}"
            if value is not UNSET and ONLY.get(name, spec.type) != spec.type:
                yield f"a consumer of the type {spec.type} has no {name}"

    def from_worker(self, script: str, raw: Mapping[str, Any]) -> Iterable[tuple[str, QueueConsumer]]:
        """`queues.consumers`, with what a deploy sends for each."""
        for item in (raw.get("queues") or {}).get("consumers") or ():
            kind, wait = item.get("type") or WORKER, item.get("max_batch_timeout")
            given = {
                "batch_size": item.get("max_batch_size"),
                "max_wait_time_ms": None if wait is None or kind == PULL else 1000 * int(wait),
                "max_concurrency": None if kind == PULL else item.get("max_concurrency"),
                "max_retries": item.get("max_retries"),
                "retry_delay": item.get("retry_delay"),
                "visibility_timeout_ms": item.get("visibility_timeout_ms") if kind == PULL else None,
            }
            known = {name: int(value) for name, value in given.items() if value is not None}
            dead = str(item.get("dead_letter_queue") or "")
            owner = script if kind == WORKER else ""
            yield str(item["queue"]), QueueConsumer(str(item["queue"]), kind, owner, dead, **known)

    def to_wire(self, spec: QueueConsumer) -> dict[str, Any]:
        settings = set_fields(**{name: getattr(spec, name) for name in BOUNDS})
        return set_fields(
            type=spec.type,
            script_name=spec.script or UNSET,
            dead_letter_queue=spec.dead_letter_queue or UNSET,
            settings=settings or UNSET,
        )

    def from_wire(self, data: Mapping[str, Any]) -> ObservedQueueConsumer:
        settings = data.get("settings") or {}
        script = data.get("script_name") or data.get("script") or data.get("service") or ""
        shown = {name: settings[name] for name in BOUNDS if settings.get(name) is not None}
        return ObservedQueueConsumer(
            str(data["queue_name"]),
            str(data["consumer_id"]),
            str(data["queue_id"]),
            str(data.get("type") or WORKER),
            str(script),
            str(data.get("dead_letter_queue") or ""),
            **{name: int(value) for name, value in shown.items()},
        )

    async def list(
        self, cloud: Cloud, like: QueueConsumer | None = None
    ) -> AsyncIterator[ObservedQueueConsumer]:
        async for queue in cloud.pages(f"{cloud.account}/queues"):
            place = {"queue_name": queue["queue_name"], "queue_id": queue["queue_id"]}
            for item in queue.get("consumers") or ():
                yield self.from_wire({**item, **place})

    async def create(self, cloud: Cloud, spec: QueueConsumer) -> ObservedQueueConsumer:
        """Raises NotFound TB2304 when there is no such queue."""
        queue = await queue_id(cloud, str(spec.queue))
        try:
            made = await cloud.post(_path(cloud, queue), json=self.to_wire(spec))
        except CloudError as error:
            if error.has_code(HAS_CONSUMER):
                raise taken(error, "A queue has one consumer: remove the other one first.") from error
            raise
        return self.from_wire({**made, "queue_id": queue, "queue_name": spec.queue})

    async def update(
        self, cloud: Cloud, spec: QueueConsumer, observed: ObservedQueueConsumer
    ) -> ObservedQueueConsumer:
        if not self.differs(spec, observed):
            return observed
        body = self.to_wire(spec)
        if observed.dead_letter_queue and not spec.dead_letter_queue:
            body["dead_letter_queue"] = ""
        path = f"{_path(cloud, observed.queue_id)}/{observed.id}"
        made = await cloud.put(path, json=body)
        return self.from_wire({**made, "queue_id": observed.queue_id, "queue_name": observed.queue})

    async def delete(self, cloud: Cloud, observed: ObservedQueueConsumer) -> None:
        try:
            await cloud.delete(f"{_path(cloud, observed.queue_id)}/{observed.id}")
        except NotFound:
            return
        except CloudError as error:
            if not error.has_code(NO_CONSUMER):
                raise


def _path(cloud: Cloud, queue: str) -> str:
    return f"{cloud.account}/queues/{queue}/consumers"


KIND = QueueConsumerKind()
