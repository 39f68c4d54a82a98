"""Queues. Their consumers are in `queue_consumers.py`, their messages in `queue_messages.py`.

Faithful: shapes, codes, exact `name` filter. Simplified: settings take effect at once.
https://developers.cloudflare.com/api/resources/queues/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.queue_hub import CONSUMER, KIND, hub_of, named
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.workers.model import deployed_versions

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

DEFAULT_RETENTION = 345_600
SETTINGS = {
    "delivery_delay": (0, 86_400),
    "message_retention_period": (60, 1_209_600),
}


def queue_not_found() -> ApiError:
    """No queue of that id."""
    return ApiError(404, 11000, "Queue not found. Please check your queue_id and try again.")


def name_taken(name: str) -> ApiError:
    """Another queue has the name."""
    message = f"Queue name '{name}' is already taken. Please use a different name and try again."
    return ApiError(409, 11009, message)


def invalid_name() -> ApiError:
    """A name Cloudflare would not take."""
    message = "Queue name must be 1 to 63 lower-case letters, digits and dashes, not starting with a dash."
    return ApiError(400, 11003, message)


def invalid_settings(detail: str) -> ApiError:
    """Queue settings that cannot be."""
    return ApiError(400, 100128, f"Queue settings are invalid: {detail}")


def queue_of(call: Call) -> Record:
    """The queue the path names."""
    found = call.store.get(KIND, call["queue_id"])
    if found is None:
        raise queue_not_found()
    return found


def number(value: Any, name: str, bounds: tuple[int, int], refuse: Any) -> int:
    """`value` as a whole number within `bounds`, else what `refuse(detail)` gives is raised."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(f"{name} must be a number")
    if not bounds[0] <= value <= bounds[1]:
        raise refuse(f"{name} must be between {bounds[0]} and {bounds[1]}")
    return int(value)


def _settings(asked: Any, present: Record) -> Record:
    settings = dict(present)
    for name, bounds in SETTINGS.items():
        if (asked or {}).get(name) is not None:
            settings[name] = number(asked[name], name, bounds, invalid_settings)
    if (asked or {}).get("delivery_paused") is not None:
        settings["delivery_paused"] = bool(asked["delivery_paused"])
    return settings


def _check_name(store: Store, name: Any, own: str = "") -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        raise invalid_name()
    taken = named(store, name)
    if taken is not None and taken["queue_id"] != own:
        raise name_taken(name)


def make_queue(box: Box, body: Record) -> Record:
    """A new queue, its name and settings checked."""
    name = body.get("queue_name")
    _check_name(box.store, name)
    present = {
        "delivery_delay": 0,
        "delivery_paused": False,
        "message_retention_period": DEFAULT_RETENTION,
    }
    record: Record = {
        "queue_id": box.ids.hex(),
        "queue_name": name,
        "created_on": box.clock.iso(),
        "modified_on": box.clock.iso(),
        "settings": _settings(body.get("settings"), present),
        **({"jurisdiction": body["jurisdiction"]} if body.get("jurisdiction") else {}),
    }
    return box.store.put(KIND, record["queue_id"], record)


def shown(store: Store, record: Record, bound: dict[str, list[str]] | None = None) -> Record:
    """The queue with its producers and consumers; `bound` says which scripts write to which queue, when many
    queues are shown."""
    consumers = [shown_consumer(one) for one in store.all(CONSUMER, record["queue_id"])]
    bound = writers(store) if bound is None else bound
    producers = _producers(store, bound.get(record["queue_name"], []), record["queue_id"])
    return {
        **record,
        "producers": producers,
        "producers_total_count": len(producers),
        "consumers": consumers,
        "consumers_total_count": len(consumers),
    }


def _producers(store: Store, scripts: list[str], identifier: str) -> list[Record]:
    found: list[Record] = [{"type": "worker", "script": script} for script in scripts]
    for rule in store.all("r2_event_rules"):
        if rule["queue_id"] == identifier and rule["rules"]:
            found.append({"type": "r2_bucket", "bucket_name": rule["bucket"]})
    return found


def writers(store: Store) -> dict[str, list[str]]:
    """By name of a queue: the scripts whose deployed versions are bound to it."""
    found: dict[str, list[str]] = {}
    for script in store.all("script"):
        names = {
            str(binding.get("queue_name"))
            for version in deployed_versions(store, script["name"])
            for binding in version["bindings"]
            if binding["type"] == "queue"
        }
        for name in names:
            found.setdefault(name, []).append(script["name"])
    return found


def shown_consumer(record: Record) -> Record:
    """The consumer in the spellings of the SDK and of wrangler."""
    script = record.get("script_name")
    return {**record, "script": script} if script else record


async def list_queues(call: Call) -> Reply:
    """All, or those with exactly one of the names given."""
    names, bound = set(call.queries("name")), writers(call.store)
    if not names:
        return call.paged_records(KIND, shown=lambda one: shown(call.store, one, bound), per_page=100)
    found = [one for name in sorted(names) for one in call.store.where(KIND, queue_name=name)]
    return call.paged([shown(call.store, one, bound) for one in found], per_page=100)


async def create_queue(call: Call) -> Record:
    """Names are unique in the account."""
    return shown(call.store, make_queue(call.box, await call.object()))


async def get_queue(call: Call) -> Record:
    """One queue."""
    return shown(call.store, queue_of(call))


async def update_queue(call: Call) -> Record:
    """Rename, or change settings; what is not named stays."""
    record, body = queue_of(call), await call.object()
    name = body.get("queue_name", record["queue_name"])
    _check_name(call.store, name, record["queue_id"])
    settings = _settings(body.get("settings"), record["settings"])
    record = {**record, "queue_name": name, "settings": settings, "modified_on": call.clock.iso()}
    call.store.put(KIND, record["queue_id"], record)
    hub_of(call.box).wake()
    return shown(call.store, record)


async def delete_queue(call: Call) -> Reply:
    """Messages and consumer go with it."""
    record = queue_of(call)
    with call.store.transaction():
        call.store.delete(KIND, record["queue_id"])
        call.store.delete_all(CONSUMER, record["queue_id"])
        hub_of(call.box).broker.purge(record["queue_id"])
    return Reply(None)


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a queue that exists."""
    name = str(binding.get("queue_name", ""))
    if named(store, name) is not None:
        return None
    return ApiError(400, 100122, f"Queue '{name}' does not exist. Create it before binding a Worker to it.")


async def plant(box: Box, names: Any) -> list[Record]:
    """Seed `{"queues": ["name", ...]}`."""
    return [named(box.store, name) or make_queue(box, {"queue_name": name}) for name in names]


router = Router("queues")
_ROOT, _ONE = "A/queues", "A/queues/{queue_id}"
router.add("GET", _ROOT, list_queues, sdk="queues.list", reply="queues.Queue")
router.add(
    "POST", _ROOT, create_queue, sdk="queues.create", request="queues.QueueCreateParams", reply="queues.Queue"
)
router.add("GET", _ONE, get_queue, sdk="queues.get", reply="queues.Queue")
router.add(
    "PUT", _ONE, update_queue, sdk="queues.update", request="queues.QueueUpdateParams", reply="queues.Queue"
)
router.add(
    "PATCH", _ONE, update_queue, sdk="queues.edit", request="queues.QueueEditParams", reply="queues.Queue"
)
router.add("DELETE", _ONE, delete_queue, sdk="queues.delete", unchecked="the SDK reads the envelope itself")
router.target("queue", check_binding)
router.seed("queues", plant)
