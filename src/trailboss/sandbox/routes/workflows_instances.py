"""Workflow instances over the API: made, looked at, paused, resumed, restarted, ended, sent events.

Faithful: they are the runtime's own, the ones a Worker's binding sees; statuses, outputs, errors. Simplified:
the list has the instances that were made over the API or by a schedule, and those that were asked for by
their id; steps are not shown, for the runtime does not tell them; retention is not kept.
https://developers.cloudflare.com/api/resources/workflows/subresources/instances/
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.workflow_steering import ENDED, STATES, steer
from trailboss.sandbox.refusals import ApiError, bad_request, not_emulated
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.workflows import INSTANCE, workflow_of
from trailboss.sandbox.workers import cron

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

OPERATIONS = ("pause", "resume", "terminate", "restart")
MAX_BATCH = 100
log = logging.getLogger("trailboss.sandbox")


async def create(box: Box, workflow: Record, body: Record, source: str) -> Record:
    """A new instance; its record. `source` is what made it: api or cron."""
    asked, params = body.get("instance_id"), _params(body.get("params"))
    options = {"id": asked, "params": params}
    made = await steer(
        box,
        workflow["name"],
        "create",
        options={name: one for name, one in options.items() if one is not None},
    )
    now = box.clock.iso()
    record = {
        "id": made["id"],
        "created_on": now,
        "modified_on": now,
        "started_on": None,
        "ended_on": None,
        "status": "queued",
        "trigger_source": source,
        "version_id": workflow["versions"][0]["id"],
        "workflow_id": workflow["id"],
        "workflow_name": workflow["name"],
        "params": params,
    }
    return _keep(box, record)


def _params(asked: Any) -> Any:
    """The SDK sends JSON in a string, wrangler the value itself."""
    if not isinstance(asked, str):
        return asked
    try:
        return json.loads(asked)
    except ValueError:
        return asked


def _keep(box: Box, record: Record) -> Record:
    key = f"{record['workflow_name']}/{record['id']}"
    return box.store.put(INSTANCE, key, record, parent=record["workflow_name"])


def _listed(record: Record) -> Record:
    return {name: one for name, one in record.items() if name not in ("workflow_name", "params")}


def _made(record: Record) -> Record:
    return {name: record[name] for name in ("id", "status", "version_id", "workflow_id", "trigger_source")}


async def _record_of(call: Call, workflow: Record) -> tuple[Record, Record]:
    """(the record of an instance as it is now, what the runtime says of it)."""
    identifier = call["instance_id"]
    told = await steer(call.box, workflow["name"], "status", identifier=identifier)
    return _noted(call.box, workflow, identifier, told), told


def _noted(box: Box, workflow: Record, identifier: str, told: Record) -> Record:
    """The record with the runtime's status; one that a binding made begins here."""
    now = box.clock.iso()
    record = box.store.get(INSTANCE, f"{workflow['name']}/{identifier}") or {
        "id": identifier,
        "created_on": now,
        "started_on": None,
        "ended_on": None,
        "status": "queued",
        "trigger_source": "binding",
        "version_id": workflow["versions"][0]["id"],
        "workflow_id": workflow["id"],
        "workflow_name": workflow["name"],
        "params": None,
    }
    status = told["status"] if told["status"] in STATES else "queued"
    if status != record["status"] or "modified_on" not in record:
        record |= {"status": status, "modified_on": now}
        record["started_on"] = record["started_on"] or (now if status != "queued" else None)
        record["ended_on"] = now if status in ENDED else None
        _keep(box, record)
    return record


async def list_instances(call: Call) -> Reply:
    """Newest first, by status and dates; each as the runtime has it now."""
    workflow = workflow_of(call)
    for record in call.store.all(INSTANCE, workflow["name"]):
        if record["status"] not in ENDED:
            told = await steer(call.box, workflow["name"], "status", identifier=record["id"])
            _noted(call.box, workflow, record["id"], told)
    status, begin, end = call.query("status"), call.query("date_start"), call.query("date_end")
    found = [
        _listed(one)
        for one in call.store.all(INSTANCE, workflow["name"], newest_first=call.query("direction") != "asc")
        if status in ("", one["status"])
        and (not begin or one["created_on"] >= begin)
        and (not end or one["created_on"] <= end)
    ]
    return call.paged(found, per_page=25, most=100)


async def create_instance(call: Call) -> Record:
    """One instance."""
    return _made(await create(call.box, workflow_of(call), await call.object(), "api"))


async def create_instances(call: Call) -> Reply:
    """Several, at most a hundred."""
    workflow, bodies = workflow_of(call), await call.array()
    if len(bodies) > MAX_BATCH:
        raise bad_request(f"a batch has at most {MAX_BATCH} instances")
    return call.single([_made(await create(call.box, workflow, one, "api")) for one in bodies])


async def get_instance(call: Call) -> Record:
    """One instance with its output or error; without its steps."""
    record, told = await _record_of(call, workflow_of(call))
    done = record["status"] in ENDED
    return {
        "status": record["status"],
        "params": record["params"],
        "trigger": {"source": record["trigger_source"]},
        "versionId": record["version_id"],
        "queued": record["created_on"],
        "start": record["started_on"],
        "end": record["ended_on"],
        "success": record["status"] == "complete" if done else None,
        "error": told.get("error"),
        "output": told.get("output"),
        "rollback": told.get("rollback"),
        "step_count": 0,
        "steps": [],
    }


async def change_status(call: Call) -> Record:
    """pause, resume, terminate or restart."""
    workflow, body = workflow_of(call), await call.object()
    operation = str(body.get("status"))
    if operation not in OPERATIONS:
        raise bad_request(f"status must be one of {', '.join(OPERATIONS)}")
    options = {name: body[name] for name in ("rollback", "from") if name in body} or None
    identifier = call["instance_id"]
    told = await steer(call.box, workflow["name"], operation, identifier=identifier, options=options)
    record = _noted(call.box, workflow, identifier, told)
    return {"status": record["status"], "timestamp": call.clock.iso()}


async def send_event(call: Call) -> Record:
    """For a step that waits for it."""
    event = {"type": call["event_type"], "payload": await call.json()}
    await steer(call.box, workflow_of(call)["name"], "event", identifier=call["instance_id"], options=event)
    return {"instanceId": call["instance_id"], "timestamp": call.clock.iso()}


async def refuse_step(call: Call) -> Any:
    """What a single step gave."""
    await _record_of(call, workflow_of(call))
    raise not_emulated("Looking at single steps of a Workflow")


async def tick(box: Box) -> None:
    """Make the instances that schedules want, sleep until the next is due, again."""
    last = box.clock.now()
    while True:
        now = box.clock.now()
        for _, name, expression in cron.due(_entries(box), last, now)[-cron.MOST_PER_JUMP :]:
            box.spawn(_fire(box, name, expression), f"schedule of {name}")
        last = now  # also when time went backwards
        await box.clock.sleep_until(cron.next_moment(_entries(box), now))


def _entries(box: Box) -> Iterator[tuple[str, str]]:
    for one in box.store.all("workflow"):
        for schedule in one.get("schedules") or []:
            yield one["name"], schedule["cron"]


async def _fire(box: Box, name: str, expression: str) -> None:
    workflow = box.store.get("workflow", name)
    if workflow is None:
        return
    try:
        await create(box, workflow, {}, "cron")
    except ApiError as error:
        log.warning("the schedule %s of the workflow %s did not run: %s", expression, name, error)


router = Router("workflows_instances")
_ALL = "A/workflows/{workflow_name}/instances"
_ONE = f"{_ALL}/{{instance_id}}"
_SDK, _TYPE = "workflows.instances", "workflows.Instance"
router.add("GET", _ALL, list_instances, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
router.add(
    "POST",
    _ALL,
    create_instance,
    sdk=f"{_SDK}.create",
    request=f"{_TYPE}CreateParams",
    reply=f"{_TYPE}CreateResponse",
)
router.add(
    "POST",
    f"{_ALL}/batch",
    create_instances,
    sdk=f"{_SDK}.bulk",
    request=f"{_TYPE}BulkParams",
    reply=f"{_TYPE}BulkResponse",
)
router.add("GET", _ONE, get_instance, sdk=f"{_SDK}.get", reply=f"{_TYPE}GetResponse")
router.add(
    "PATCH",
    f"{_ONE}/status",
    change_status,
    sdk=f"{_SDK}.status.edit",
    request="workflows.instances.StatusEditParams",
    reply="workflows.instances.StatusEditResponse",
)
router.add(
    "POST",
    f"{_ONE}/events/{{event_type}}",
    send_event,
    sdk=f"{_SDK}.events.create",
    request="workflows.instances.EventCreateParams",
    reply="workflows.instances.EventCreateResponse",
)
router.on_start(tick)
router.add("GET", f"{_ONE}/step", refuse_step, sdk=f"{_SDK}.step", unchecked="refused")
