"""R2 event notifications: which changes of a bucket go to which queue. They are really sent.

Faithful: shapes, prefixes and suffixes, message bodies, every kind of client. Simplified: overlapping
rules are accepted; a Worker's write is noticed within half a second.
https://developers.cloudflare.com/api/resources/r2/subresources/buckets/subresources/event_notifications/
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products import r2_events
from trailboss.sandbox.products.files import bucket_file
from trailboss.sandbox.products.queue_hub import KIND as QUEUE
from trailboss.sandbox.products.queue_hub import hub_of
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.queues import queue_not_found
from trailboss.sandbox.routes.r2 import bucket_of, data_of

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

RULES = "r2_event_rules"
ACTIONS = frozenset(
    {"PutObject", "CopyObject", "DeleteObject", "CompleteMultipartUpload", "LifecycleDeletion"}
)
MAX_RULES = 100
PAUSE = 0.5

_watches: WeakKeyDictionary[Store, dict[str, r2_events.BucketWatch]] = WeakKeyDictionary()


def no_configuration() -> ApiError:
    """The bucket sends no notifications."""
    return ApiError(404, 11015, "No event notification configuration found for the bucket.")


def watch_of(box: Box, bucket: str) -> r2_events.BucketWatch:
    """The bucket's watch, begun now if there is none."""
    watches = _watches.setdefault(box.store, {})
    if bucket not in watches:
        watches[bucket] = r2_events.BucketWatch(bucket_file(box.folder.data, bucket))
    return watches[bucket]


def notify(box: Box, bucket: str) -> None:
    """Look at a bucket now: something was written."""
    rules = box.store.all(RULES, bucket)
    if rules:
        for change in watch_of(box, bucket).changes():
            _send(box, rules, change)


@contextmanager
def copying(box: Box, bucket: str, key: str, source: tuple[str, str]) -> Iterator[None]:
    """While `key` is written as a copy of `source` (bucket, key): whoever looks first knows it for one."""
    hints = watch_of(box, bucket).hints if box.store.all(RULES, bucket) else {}
    hints[key] = source
    try:
        yield
        notify(box, bucket)
    finally:
        hints.pop(key, None)


def _send(box: Box, configured: list[Record], change: r2_events.Change) -> None:
    for entry in configured:
        if any(r2_events.wanted(rule, change) for rule in entry["rules"]):
            body = r2_events.message(box.identity.account_id, entry["name"], change, box.clock.iso())
            hub_of(box).broker.send(entry["queue_id"], [(body, "json", 0.0)], source="r2")


async def watch_buckets(box: Box) -> None:
    """Notice what Workers write through their bindings."""
    while True:
        for bucket in {entry["bucket"] for entry in box.store.all(RULES)}:
            notify(box, bucket)
        await asyncio.sleep(PAUSE)


def _queue_of(call: Call) -> Record:
    found = call.store.get(QUEUE, call["queue_id"])
    if found is None:
        raise queue_not_found()
    return found


def _entry(call: Call, bucket: Record) -> tuple[str, Record | None]:
    key = f"{data_of(bucket)}/{call['queue_id']}"
    return key, call.store.get(RULES, key)


def _shape(store: Store, entry: Record) -> Record:
    queue = store.get(QUEUE, entry["queue_id"])
    return {
        "queueId": entry["queue_id"],
        "queueName": queue["queue_name"] if queue else "",
        "rules": entry["rules"],
    }


async def list_configuration(call: Call) -> Record:
    """Every queue the bucket tells."""
    bucket = bucket_of(call)
    entries = [one for one in call.store.all(RULES, data_of(bucket)) if one["rules"]]
    if not entries:
        raise no_configuration()
    return {"bucketName": bucket["name"], "queues": [_shape(call.store, one) for one in entries]}


async def get_configuration(call: Call) -> Record:
    """What one queue is told."""
    entry = _entry(call, bucket_of(call))[1]
    if entry is None:
        raise no_configuration()
    return _shape(call.store, entry)


async def put_configuration(call: Call) -> Record:
    """Add rules for a queue."""
    bucket, queue, body = bucket_of(call), _queue_of(call), await call.object()
    key, entry = _entry(call, bucket)
    entry = entry or {
        "bucket": data_of(bucket),
        "name": bucket["name"],
        "queue_id": queue["queue_id"],
        "rules": [],
    }
    entry["rules"] += [_rule(call, one) for one in body.get("rules") or []]
    if len(entry["rules"]) > MAX_RULES:
        raise bad_request(f"a bucket has at most {MAX_RULES} rules", 11016)
    watch_of(call.box, data_of(bucket))
    call.store.put(RULES, key, entry, parent=data_of(bucket))
    return {}


def _rule(call: Call, asked: Any) -> Record:
    actions = asked.get("actions") if isinstance(asked, dict) else None
    if not isinstance(actions, list) or not actions or not set(actions) <= ACTIONS:
        raise bad_request(f"actions must be some of {', '.join(sorted(ACTIONS))}", 11016)
    kept = {name: asked[name] for name in ("prefix", "suffix", "description") if asked.get(name)}
    return {**kept, "actions": actions, "ruleId": call.ids.uuid(), "createdAt": call.clock.iso()}


async def delete_configuration(call: Call) -> Reply:
    """Some rules of a queue, or all."""
    bucket, body = bucket_of(call), await call.object()
    key, entry = _entry(call, bucket)
    if entry is None:
        raise no_configuration()
    gone = set(body.get("ruleIds") or [rule["ruleId"] for rule in entry["rules"]])
    entry["rules"] = [rule for rule in entry["rules"] if rule["ruleId"] not in gone]
    if entry["rules"]:
        call.store.put(RULES, key, entry, parent=data_of(bucket))
    else:
        call.store.delete(RULES, key)
    return Reply({})


def forget(box: Box) -> None:
    """The buckets are gone."""
    _watches.pop(box.store, None)


router = Router("event_notifications")
_ROOT = "A/event_notifications/r2/{bucket_name}/configuration"
_ONE, _SDK = f"{_ROOT}/queues/{{queue_id}}", "r2.buckets.event_notifications"
_TYPES = "r2.buckets.EventNotification"
router.add("GET", _ROOT, list_configuration, sdk=f"{_SDK}.list", reply=f"{_TYPES}ListResponse")
router.add("GET", _ONE, get_configuration, sdk=f"{_SDK}.get", reply=f"{_TYPES}GetResponse")
router.add(
    "PUT",
    _ONE,
    put_configuration,
    sdk=f"{_SDK}.update",
    request=f"{_TYPES}UpdateParams",
    unchecked="answers an empty object",
)
router.add("DELETE", _ONE, delete_configuration, sdk=f"{_SDK}.delete", unchecked="answers an empty object")
router.on_start(watch_buckets)
router.on_reset(forget)
