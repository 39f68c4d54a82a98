"""Queue consumers: a Worker that is handed batches, or HTTP clients that pull. One per queue.

Faithful: shapes, codes, bounds. Simplified: a Worker consumes from the moment it is named.
https://developers.cloudflare.com/api/resources/queues/subresources/consumers/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.queue_hub import CONSUMER, hub_of
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.queues import number, queue_of, shown_consumer
from trailboss.sandbox.workers.model import deployed_versions

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record, Store

WORKER_SETTINGS = {
    "batch_size": (1, 100),
    "max_retries": (0, 100),
    "max_wait_time_ms": (0, 60_000),
    "max_concurrency": (1, 250),
    "retry_delay": (0, 86_400),
}
PULL_SETTINGS = {
    "batch_size": (1, 100),
    "max_retries": (0, 100),
    "retry_delay": (0, 86_400),
    "visibility_timeout_ms": (1, 43_200_000),
}


def consumer_exists() -> ApiError:
    """A queue has one consumer."""
    return ApiError(400, 11004, "workers.api.error.consumer_exists")


def handler_missing() -> ApiError:
    """The Worker has no queue handler."""
    return ApiError(400, 11001, "queue handler is missing")


def invalid_consumer(detail: str) -> ApiError:
    """Consumer settings that cannot be."""
    return ApiError(400, 100127, f"Queue consumer settings are invalid: {detail}")


def _consumer(store: Store, queue: Record, body: Record, present: Record) -> Record:
    kind = body.get("type") or present.get("type")
    if kind not in {"worker", "http_pull"}:
        raise invalid_consumer("type must be worker or http_pull")
    allowed = WORKER_SETTINGS if kind == "worker" else PULL_SETTINGS
    settings = dict(present.get("settings") or {})
    for name, value in (body.get("settings") or {}).items():
        if name in allowed:
            none = value is None and name == "max_concurrency"
            settings[name] = None if none else number(value, name, allowed[name], invalid_consumer)
    record = {**present, "type": kind, "queue_name": queue["queue_name"], "settings": settings}
    if "dead_letter_queue" in body:
        record["dead_letter_queue"] = body["dead_letter_queue"] or None
    if kind == "worker":
        record["script_name"] = _script(store, body.get("script_name") or present.get("script_name"))
    return record


def _script(store: Store, name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise invalid_consumer("script_name is required")
    if store.get("script", name) is None:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    deployed = deployed_versions(store, name)
    if deployed and not any("queue" in (version["handlers"] or []) for version in deployed):
        raise handler_missing()
    return name


async def create_consumer(call: Call) -> Record:
    """A Worker, or pulling over HTTP; one per queue."""
    queue, body = queue_of(call), await call.object()
    if call.store.count(CONSUMER, queue["queue_id"]):
        raise consumer_exists()
    present = {"consumer_id": call.ids.hex(), "created_on": call.clock.iso()}
    record = _consumer(call.store, queue, body, present)
    call.store.put(CONSUMER, record["consumer_id"], record, parent=queue["queue_id"])
    hub_of(call.box).wake()
    return shown_consumer(record)


def _consumer_of(call: Call, queue: Record) -> Record:
    for record in call.store.all(CONSUMER, queue["queue_id"]):
        if record["consumer_id"] == call["consumer_id"]:
            return record
    raise ApiError(404, 11002, "Queue consumer not found.")


async def list_consumers(call: Call) -> Reply:
    """None or one."""
    return call.single([shown_consumer(one) for one in call.store.all(CONSUMER, queue_of(call)["queue_id"])])


async def get_consumer(call: Call) -> Record:
    """One consumer."""
    return shown_consumer(_consumer_of(call, queue_of(call)))


async def update_consumer(call: Call) -> Record:
    """Change settings; what is not named stays."""
    queue, body = queue_of(call), await call.object()
    record = _consumer(call.store, queue, body, _consumer_of(call, queue))
    call.store.put(CONSUMER, record["consumer_id"], record, parent=queue["queue_id"])
    hub_of(call.box).wake()
    return shown_consumer(record)


async def delete_consumer(call: Call) -> Reply:
    """Messages stay in the queue."""
    queue = queue_of(call)
    call.store.delete(CONSUMER, _consumer_of(call, queue)["consumer_id"])
    return Reply(None)


router = Router("queue_consumers")
_ONE = "A/queues/{queue_id}"
_EACH = f"{_ONE}/consumers/{{consumer_id}}"
_CONSUMER_TYPE = "queues.Consumer"
router.add("GET", f"{_ONE}/consumers", list_consumers, sdk="queues.consumers.list", reply=_CONSUMER_TYPE)
router.add(
    "POST",
    f"{_ONE}/consumers",
    create_consumer,
    sdk="queues.consumers.create",
    request="queues.ConsumerCreateParams",
    reply=_CONSUMER_TYPE,
)
router.add("GET", _EACH, get_consumer, sdk="queues.consumers.get", reply=_CONSUMER_TYPE)
router.add(
    "PUT",
    _EACH,
    update_consumer,
    sdk="queues.consumers.update",
    request="queues.ConsumerUpdateParams",
    reply=_CONSUMER_TYPE,
)
router.add(
    "DELETE",
    _EACH,
    delete_consumer,
    sdk="queues.consumers.delete",
    unchecked="the SDK reads the envelope itself",
)
