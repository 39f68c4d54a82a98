"""Queues. Source: API reference 6.3; the name is unique in an account.

Who takes the messages is another kind, `queue_consumer`. Deleting a queue drops what waits in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    NAMED,
    REPLACE,
    SERVER_SET,
    UNSET,
    Unset,
    differences,
    set_fields,
)
from trailboss.resources.names import JURISDICTIONS, choice_problems, name_problems, range_problems
from trailboss.resources.protocol import Basis, BindingForm, Permissions, Tagged

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Queue:
    """What a file may want of a queue; both times in seconds, the `jurisdiction` is eu, us or fedramp."""

    name: str = field(metadata=IDENTITY | NAMED)
    delivery_delay: int | Unset = field(default=UNSET, metadata=MUTABLE)
    message_retention_period: int | Unset = field(default=UNSET, metadata=MUTABLE)
    delivery_paused: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    jurisdiction: str | Unset = field(default=UNSET, metadata=REPLACE)


@dataclass(frozen=True, slots=True)
class ObservedQueue:
    """A queue of the account; `id` is 32 hex digits."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    delivery_delay: int = field(default=0, metadata=MUTABLE)
    message_retention_period: int = field(default=345_600, metadata=MUTABLE)
    delivery_paused: bool = field(default=False, metadata=MUTABLE)
    jurisdiction: str | None = field(default=None, metadata=REPLACE)


class QueueKind(Basis):
    """The kind `queue`."""

    name = "queue"
    spec = Queue
    ownership = Tagged("queue")
    holds_data = True
    permissions = Permissions("Queues Read", "Queues Write")
    binding = BindingForm(
        ("queues", "producers"),
        "queue",
        "queue_name",
        given=None,
        title="queue",
        said=("delivery_delay", "raw"),
    )

    def problems(self, spec: Queue) -> Iterable[str]:
        rule = "1 to 63 of a-z, 0-9 and -, beginning with a letter or digit"
        yield from name_problems(spec.name, r"[a-z0-9][a-z0-9-]{0,62}", rule)
        yield from range_problems(
            delivery_delay=(spec.delivery_delay, 0, 86_400),
            message_retention_period=(spec.message_retention_period, 60, 1_209_600),
        )
        yield from choice_problems(jurisdiction=(spec.jurisdiction, JURISDICTIONS))

    def from_binding(self, title: str, entry: Mapping[str, Any]) -> Queue:
        return Queue(title)

    def handle(self, observed: ObservedQueue) -> str:
        return observed.name

    def tag_id(self, observed: ObservedQueue) -> str:
        return observed.id

    def to_wire(self, spec: Queue) -> dict[str, Any]:
        settings = _settings(spec)
        return {"queue_name": spec.name, **({"settings": settings} if settings else {})}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedQueue:
        settings = data.get("settings") or {}
        return ObservedQueue(
            str(data["queue_name"]),
            str(data["queue_id"]),
            int(settings.get("delivery_delay") or 0),
            int(settings.get("message_retention_period") or 345_600),
            bool(settings.get("delivery_paused")),
            data.get("jurisdiction"),
        )

    async def list(self, cloud: Cloud, like: Queue | None = None) -> AsyncIterator[ObservedQueue]:
        async for item in cloud.pages(_path(cloud)):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: Queue) -> ObservedQueue:
        body = self.to_wire(spec) | set_fields(jurisdiction=spec.jurisdiction)
        return self.from_wire(await cloud.post(_path(cloud), json=body))

    async def update(self, cloud: Cloud, spec: Queue, observed: ObservedQueue) -> ObservedQueue:
        if not differences(spec, observed):
            return observed
        path = f"{_path(cloud)}/{observed.id}"
        return self.from_wire(await cloud.patch(path, json=self.to_wire(spec), idempotent=True))

    async def delete(self, cloud: Cloud, observed: ObservedQueue) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _settings(spec: Queue) -> dict[str, Any]:
    return set_fields(
        delivery_delay=spec.delivery_delay,
        message_retention_period=spec.message_retention_period,
        delivery_paused=spec.delivery_paused,
    )


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/queues"


KIND = QueueKind()
