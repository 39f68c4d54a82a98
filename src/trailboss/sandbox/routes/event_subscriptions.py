"""Event subscriptions: which products' events a queue is to get. They are kept; none are sent.

Faithful: shapes and paging. Simplified: no product publishes events here (R2's notifications are another
feature, and those are sent).
https://developers.cloudflare.com/api/resources/queues/subresources/subscriptions/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.queue_hub import KIND as QUEUE
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.queues import queue_not_found

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

KIND = "event_subscription"
SOURCES = frozenset(
    {
        "images",
        "kv",
        "r2",
        "superSlurper",
        "vectorize",
        "workersAi.model",
        "workersBuilds.worker",
        "workers.script",
        "workflows.workflow",
    }
)


def _subscription_of(call: Call) -> Record:
    found = call.store.get(KIND, call["subscription_id"])
    if found is None:
        raise ApiError(404, 10404, "Subscription not found.")
    return found


async def list_subscriptions(call: Call) -> Reply:
    """All, or those of a queue."""
    queue = call.query("queue_id")
    found = [one for one in call.store.all(KIND) if not queue or one["destination"]["queue_id"] == queue]
    return call.paged(found)


def _checked(call: Call, body: Record) -> Record:
    if (body.get("source") or {}).get("type") not in SOURCES:
        raise bad_request("source.type is not known", 0)
    if not isinstance(body.get("events"), list) or not body["events"]:
        raise bad_request("Unrecognized event types: events must be a list", 0)
    queue = (body.get("destination") or {}).get("queue_id")
    if call.store.get(QUEUE, str(queue)) is None:
        raise queue_not_found()
    return {name: body[name] for name in ("name", "source", "events", "destination") if name in body}


async def create_subscription(call: Call) -> Record:
    """A source, its events, a queue."""
    body = await call.object()
    now = call.clock.iso()
    record = {
        "id": call.ids.hex(),
        "name": "",
        "enabled": bool(body.get("enabled", True)),
        "created_at": now,
        "modified_at": now,
        **_checked(call, body),
    }
    return call.store.put(KIND, record["id"], record)


async def get_subscription(call: Call) -> Record:
    """One subscription."""
    return _subscription_of(call)


async def edit_subscription(call: Call) -> Record:
    """Name, events, destination, on or off."""
    record, body = _subscription_of(call), await call.object()
    changed: dict[str, Any] = {**record, **body, "source": record["source"]}
    record = {**record, **_checked(call, changed), "enabled": bool(changed["enabled"])}
    return call.store.put(KIND, record["id"], {**record, "modified_at": call.clock.iso()})


async def delete_subscription(call: Call) -> Record:
    """Gone."""
    record = _subscription_of(call)
    call.store.delete(KIND, record["id"])
    return record


router = Router("event_subscriptions")
_ROOT = "A/event_subscriptions/subscriptions"
_ONE, _SDK, _TYPE = f"{_ROOT}/{{subscription_id}}", "queues.subscriptions", "queues.Subscription"
router.add("GET", _ROOT, list_subscriptions, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
router.add(
    "POST",
    _ROOT,
    create_subscription,
    sdk=f"{_SDK}.create",
    request=f"{_TYPE}CreateParams",
    reply=f"{_TYPE}CreateResponse",
)
router.add("GET", _ONE, get_subscription, sdk=f"{_SDK}.get", reply=f"{_TYPE}GetResponse")
router.add(
    "PATCH",
    _ONE,
    edit_subscription,
    sdk=f"{_SDK}.update",
    request=f"{_TYPE}UpdateParams",
    reply=f"{_TYPE}UpdateResponse",
)
router.add("DELETE", _ONE, delete_subscription, sdk=f"{_SDK}.delete", reply=f"{_TYPE}DeleteResponse")
