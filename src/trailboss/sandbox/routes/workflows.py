"""Workflows: registered, moved, listed, deleted; their bindings run in the runtime.

Faithful: names are unique in the account and a PUT takes a name from another Worker; 10200, 10209.
Left out: looking at and steering instances over the API, which the local runtime offers only to bindings.
https://developers.cloudflare.com/api/resources/workflows/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError, bad_request, not_emulated
from trailboss.sandbox.routes import Router
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers import cron
from trailboss.sandbox.workers.model import script_named

STATES = ("complete", "errored", "paused", "queued", "running", "terminated", "waiting", "waitingForPause")


def workflow_not_found() -> ApiError:
    """No workflow of that name."""
    return ApiError(404, 10200, "workflow.not_found")


def jurisdiction_fixed() -> ApiError:
    """Where a workflow lives is decided once."""
    return ApiError(400, 10209, "The jurisdiction of a workflow cannot be changed.")


def invalid_schedule(reason: str) -> ApiError:
    """A cron expression that cannot be read."""
    return bad_request(f"workflow.invalid_schedule: {reason}")


def _workflow(call: Call) -> Record:
    found = call.store.get("workflow", call["workflow_name"])
    if found is None:
        raise workflow_not_found()
    return found


def _shape(call: Call, workflow: Record) -> dict[str, Any]:
    shape = {
        key: workflow[key] for key in ("id", "name", "class_name", "script_name", "created_on", "modified_on")
    }
    deleted = call.store.get("script", workflow["script_name"]) is None
    instances = dict.fromkeys(STATES, 0)
    shown = {**shape, "triggered_on": None, "instances": instances, "script_deleted": deleted}
    schedules = [_next(call, str(item["cron"])) for item in workflow.get("schedules") or ()]
    return {**shown, "schedules": schedules} if schedules else shown


def _next(call: Call, expression: str) -> dict[str, str]:
    """A schedule, and when it is due."""
    when = cron.parse(expression).next_after(call.clock.now())
    return {"cron": expression, "next_instance": call.clock.iso(when) if when else ""}


async def list_workflows(call: Call) -> Any:
    """GET /workflows[?search&page&per_page]."""
    wanted = call.query("search")
    found = [item for item in call.store.all("workflow") if wanted in item["name"]]
    return call.paged([_shape(call, item) for item in found], per_page=10)


async def get_workflow(call: Call) -> Any:
    """GET /workflows/{name}."""
    return _shape(call, _workflow(call))


async def put_workflow(call: Call) -> Any:
    """PUT /workflows/{name} {script_name, class_name, ...}: a new version of it each time."""
    value = await call.object()
    name, script = call["workflow_name"], str(value.get("script_name") or "")
    script_named(call.store, script)
    for item in value.get("schedules") or ():
        try:
            cron.parse(str(item["cron"]))
        except ValueError as error:
            raise invalid_schedule(str(error)) from None
    old = call.store.get("workflow", name)
    if old is not None and value.get("jurisdiction") not in (None, old.get("jurisdiction")):
        raise jurisdiction_fixed()
    now = call.clock.iso()
    version = {"id": call.ids.uuid(), "created_on": now, "modified_on": now}
    workflow: Record = {
        **{key: value[key] for key in ("limits", "concurrency", "schedules", "jurisdiction") if key in value},
        "id": old["id"] if old else call.ids.uuid(),
        "name": name,
        "script_name": script,
        "class_name": str(value.get("class_name") or ""),
        "created_on": old["created_on"] if old else now,
        "modified_on": now,
        "versions": [version, *(old["versions"] if old else [])],
    }
    call.store.put("workflow", name, workflow)
    await call.runtime.sync()
    shape = {**_shape(call, workflow), "version_id": version["id"], "is_deleted": 0, "terminator_running": 0}
    return {
        key: item for key, item in shape.items() if key not in ("instances", "schedules", "script_deleted")
    }


async def delete_workflow(call: Call) -> Any:
    """DELETE /workflows/{name}."""
    call.store.delete("workflow", _workflow(call)["name"])
    await call.runtime.sync()
    return {"status": "ok", "success": True}


async def list_workflow_versions(call: Call) -> Any:
    """GET /workflows/{name}/versions: newest first."""
    workflow = _workflow(call)
    shown = [
        {
            **version,
            "class_name": workflow["class_name"],
            "workflow_id": workflow["id"],
            "has_dag": False,
            "language": "javascript",
        }
        for version in workflow["versions"]
    ]
    return call.paged(shown, per_page=10)


async def refuse_instances(call: Call) -> Any:
    """Instances over the API."""
    _workflow(call)
    raise not_emulated("Reaching Workflow instances over the API (a Worker's binding can)")


router = Router("workflows")
_WORKFLOW = "A/workflows/{workflow_name}"
router.add("GET", "A/workflows", list_workflows, sdk="workflows.list", reply="workflows.WorkflowListResponse")
router.add("GET", _WORKFLOW, get_workflow, sdk="workflows.get", reply="workflows.WorkflowGetResponse")
router.add(
    "PUT",
    _WORKFLOW,
    put_workflow,
    sdk="workflows.update",
    request="workflows.WorkflowUpdateParams",
    reply="workflows.WorkflowUpdateResponse",
)
router.add(
    "DELETE",
    _WORKFLOW,
    delete_workflow,
    sdk="workflows.delete",
    reply="workflows.WorkflowDeleteResponse",
)
router.add(
    "GET",
    f"{_WORKFLOW}/versions",
    list_workflow_versions,
    sdk="workflows.versions.list",
    reply="workflows.VersionListResponse",
)
router.add("*", f"{_WORKFLOW}/instances", refuse_instances)
router.add("*", f"{_WORKFLOW}/instances/{{rest:path}}", refuse_instances)
