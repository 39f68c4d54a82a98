"""Queue messages over HTTP, and from a Worker's producer binding; deliveries to Workers run from here.

Faithful: leases, visibility, delays, retries, dead letters, retention, batches by size or time, encodings.
Simplified: no limit per second; concurrency does not scale by backlog.
https://developers.cloudflare.com/api/resources/queues/subresources/messages/
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, encode_json
from trailboss.sandbox.products.broker import SCHEMA, Message
from trailboss.sandbox.products.queue_hub import CONSUMER, hub_of, named, policy_of
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.queues import queue_not_found, queue_of, shown

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record

MAX_MESSAGE = 128 * 1024
MAX_BATCH = 256 * 1024
MAX_MESSAGES = 100
MAX_DELAY = 86_400
LONGEST_LEASE = 43_200_000
DEFAULT_LEASE = 30_000


def invalid_message(detail: str) -> ApiError:
    """A message that cannot be sent."""
    return ApiError(400, 10207, f"Invalid message: {detail}")


def invalid_request(detail: str) -> ApiError:
    """A pull, peek or acknowledgement of the wrong shape."""
    return ApiError(400, 10026, f"Invalid request: {detail}")


def too_large(detail: str) -> ApiError:
    """Over a size limit."""
    return ApiError(413, 10206, detail)


def pull_not_enabled() -> ApiError:
    """The queue has no http_pull consumer."""
    return ApiError(400, 0, "messages cannot be pulled unless http_pull mode is enabled")


def _delay(value: Any, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_DELAY:
        raise ApiError(400, 10202, f"delay_seconds must be between 0 and {MAX_DELAY}")
    return float(value)


def _encoded(message: Any) -> tuple[bytes, str]:
    if not isinstance(message, dict) or "body" not in message:
        raise invalid_message("body is required")
    kind, body = message.get("content_type", "json"), message["body"]
    if kind == "json":
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    elif kind == "text" and isinstance(body, str):
        raw = body.encode()
    elif kind == "bytes" and isinstance(body, str):
        raw = _decode(body)
    else:
        raise invalid_message("content_type must be text with a string body, or json")
    if len(raw) > MAX_MESSAGE:
        raise too_large(f"message length of {len(raw)} bytes exceeds limit of {MAX_MESSAGE}")
    return raw, kind


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise invalid_message("a bytes body must be base64") from None


def send(box: Box, queue: Record, messages: list[Any], delay: Any, *, source: str) -> Record:
    """Put messages into a queue, all or none; the reply of a push."""
    if not messages or len(messages) > MAX_MESSAGES:
        raise invalid_message(f"a batch has 1 to {MAX_MESSAGES} messages")
    default = _delay(delay, queue["settings"]["delivery_delay"])
    ready = [(*_encoded(one), _delay(one.get("delay_seconds"), default)) for one in messages]
    if sum(len(body) for body, _, _ in ready) > MAX_BATCH:
        raise too_large(f"batch exceeds limit of {MAX_BATCH} bytes")
    broker = hub_of(box).broker
    broker.send(queue["queue_id"], ready, source=source)
    return {"metadata": {"metrics": broker.metrics(queue["queue_id"])}}


async def push_message(call: Call) -> Record:
    """One message."""
    return send(call.box, queue_of(call), [await call.object()], None, source="http")


async def push_messages(call: Call) -> Record:
    """Up to 100 messages, 256 KB together."""
    queue, body = queue_of(call), await call.object()
    return send(call.box, queue, body.get("messages") or [], body.get("delay_seconds"), source="http")


def _shape(message: Message) -> Record:
    plain = message.content_type == "text"
    return {
        "id": message.id,
        "body": message.body.decode(errors="replace") if plain else base64.b64encode(message.body).decode(),
        "attempts": message.attempts,
        "timestamp_ms": message.sent,
        "metadata": {"CF-Content-Type": message.content_type, "CF-sourceMessageSource": message.source},
    }


def _puller(call: Call, queue: Record) -> Record:
    consumers = call.store.all(CONSUMER, queue["queue_id"])
    if not consumers or consumers[0]["type"] != "http_pull":
        raise pull_not_enabled()
    return consumers[0]


def _whole(body: Record, name: str, default: int, most: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= most:
        raise invalid_request(f"{name} must be between 1 and {most}")
    return int(value)


async def pull_messages(call: Call) -> Record:
    """Lease messages; json and bytes bodies come as base64."""
    queue, body = queue_of(call), await call.object()
    consumer = _puller(call, queue)
    settings = consumer.get("settings") or {}
    count = _whole(body, "batch_size", int(settings.get("batch_size") or 5), MAX_MESSAGES)
    visibility = int(settings.get("visibility_timeout_ms") or DEFAULT_LEASE)
    lease = _whole(body, "visibility_timeout_ms", visibility, LONGEST_LEASE)
    broker = hub_of(call.box).broker
    broker.expire(queue["queue_id"], queue["settings"]["message_retention_period"])
    found: list[Message] = []
    if not queue["settings"]["delivery_paused"]:
        policy = policy_of(call.store, consumer)
        found = broker.lease(queue["queue_id"], count, lease, holder="pull", policy=policy)
    metrics = broker.metrics(queue["queue_id"])
    return {
        "message_backlog_count": metrics["backlog_count"],
        "messages": [{**_shape(one), "lease_id": one.lease} for one in found],
        "metadata": {"metrics": metrics},
    }


async def acknowledge(call: Call) -> Record:
    """Done with some, again with others."""
    queue, body = queue_of(call), await call.object()
    consumer = _puller(call, queue)
    try:
        acks = [str(one["lease_id"]) for one in body.get("acks") or []]
        retries = [
            (str(one["lease_id"]), one.get("delay_seconds") and _delay(one["delay_seconds"], 0))
            for one in body.get("retries") or []
        ]
    except (TypeError, KeyError):
        raise invalid_request("every ack and retry needs a lease_id") from None
    broker = hub_of(call.box).broker
    done = broker.acknowledge(acks)
    again = broker.retry(retries, policy_of(call.store, consumer))
    return {"ackCount": done, "retryCount": again, "warnings": {}}


async def peek_messages(call: Call) -> Record:
    """Look without taking; `ref` can be purged."""
    queue, body = queue_of(call), await call.object()
    count = _whole(body, "batch_size", 5, MAX_MESSAGES)
    found = hub_of(call.box).broker.peek(queue["queue_id"], count)
    return {"messages": [{**_shape(one), "ref": one.id} for one in found]}


async def purge_messages(call: Call) -> Record:
    """Delete messages by the `ref` of a peek."""
    queue, body = queue_of(call), await call.object()
    refs = [str(one.get("ref")) for one in body.get("refs") or [] if isinstance(one, dict)]
    missing = hub_of(call.box).broker.purge(queue["queue_id"], refs)
    return {"errors": [], "warnings": dict.fromkeys(missing, "message not found")}


async def purge_queue(call: Call) -> Record:
    """Delete every message."""
    queue, body = queue_of(call), await call.object()
    if body.get("delete_messages_permanently") is not True:
        raise invalid_request("delete_messages_permanently must be true")
    hub_of(call.box).broker.purge(queue["queue_id"])
    call.store.put("queue_purge", queue["queue_id"], {"at": call.clock.iso()}, parent=queue["queue_id"])
    return shown(call.store, queue)


async def purge_status(call: Call) -> Record:
    """When the last purge began; here it has always ended."""
    last = call.store.get("queue_purge", queue_of(call)["queue_id"])
    return {"completed": str(last is not None).lower(), "started_at": last["at"] if last else ""}


async def get_metrics(call: Call) -> dict[str, int]:
    """Backlog count, bytes, oldest message."""
    return hub_of(call.box).broker.metrics(queue_of(call)["queue_id"])


async def from_binding(call: Call, rest: str) -> Any:
    """A Worker's `send` and `sendBatch`: {messages: [{content_type, body (base64), delay_seconds?}]}."""
    queue = named(call.store, rest.strip("/"))
    if queue is None:
        raise queue_not_found()
    body = await call.object()
    default = queue["settings"]["delivery_delay"]
    ready = [
        (
            base64.b64decode(one["body"]),
            str(one.get("content_type") or "json"),
            _delay(one.get("delay_seconds"), default),
        )
        for one in body.get("messages") or []
    ]
    broker = hub_of(call.box).broker
    broker.send(queue["queue_id"], ready, source="worker")
    metrics = broker.metrics(queue["queue_id"])
    shown_metrics = {
        "backlogCount": metrics["backlog_count"],
        "backlogBytes": metrics["backlog_bytes"],
        "oldestMessageTimestamp": metrics["oldest_message_timestamp_ms"],
    }
    return Raw(encode_json({"metrics": shown_metrics}), content_type="application/json")


async def deliver(box: Box) -> None:
    """Serve Worker consumers for the daemon's life."""
    await hub_of(box).run()


router = Router("queue_messages")
_ONE = "A/queues/{queue_id}"
_SDK = "queues.messages"
for _path, _handler, _name in (
    ("messages/pull", pull_messages, "pull"),
    ("messages/ack", acknowledge, "ack"),
    ("messages/peek", peek_messages, "peek"),
    ("messages/purge", purge_messages, "purge"),
    ("messages/batch", push_messages, "bulk_push"),
    ("messages", push_message, "push"),
):
    _type = "".join(word.capitalize() for word in _name.split("_"))
    router.add(
        "POST",
        f"{_ONE}/{_path}",
        _handler,
        sdk=f"{_SDK}.{_name}",
        request=f"queues.Message{_type}Params",
        reply=f"queues.Message{_type}Response",
    )
router.add(
    "POST",
    f"{_ONE}/purge",
    purge_queue,
    sdk="queues.purge.start",
    request="queues.PurgeStartParams",
    reply="queues.Queue",
)
router.add(
    "GET", f"{_ONE}/purge", purge_status, sdk="queues.purge.status", reply="queues.PurgeStatusResponse"
)
router.add(
    "GET", f"{_ONE}/metrics", get_metrics, sdk="queues.get_metrics", reply="queues.QueueGetMetricsResponse"
)
router.schema = SCHEMA
router.binding("queue", from_binding)
router.on_start(deliver)
router.on_reset(lambda box: hub_of(box).restart())
