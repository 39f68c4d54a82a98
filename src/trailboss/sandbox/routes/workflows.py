"""Workflows: registered, moved, listed, deleted, with their versions and schedules. Instances are in
`workflows_instances.py`.

Faithful: names are unique in the account and a PUT takes a name from another Worker; schedules fire on the
sandbox's clock; 10200, 10209. Simplified: steps and concurrency are not limited, a version has no graph.
https://developers.cloudflare.com/api/resources/workflows/
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.workflow_steering import ENDED, STATES, install, steer
from trailboss.sandbox.refusals import ApiError, bad_request, not_emulated
from trailboss.sandbox.routes import Router
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers import cron
from trailboss.sandbox.workers.model import script_named

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box

INSTANCE = "workflow_instance"
MAX_SCHEDULES = 100
KEPT = ("limits", "concurrency", "default_retention")
"""What belongs to a version."""
log = logging.getLogger("trailboss.sandbox")


def workflow_not_found() -> ApiError:
    """No workflow of that name."""
    return ApiError(404, 10200, "workflow.not_found")


def jurisdiction_fixed() -> ApiError:
    """Where a workflow lives is decided once."""
    return ApiError(400, 10209, "The jurisdiction of a workflow cannot be changed.")


def workflow_of(call: Call) -> Record:
    """The workflow the path names."""
    found = call.store.get("workflow", call["workflow_name"])
    if found is None:
        raise workflow_not_found()
    return found


def _shape(call: Call, workflow: Record) -> dict[str, Any]:
    shape = {
        key: workflow[key] for key in ("id", "name", "class_name", "script_name", "created_on", "modified_on")
    }
    deleted = call.store.get("script", workflow["script_name"]) is None
    made = call.store.all(INSTANCE, workflow["name"])
    counts = {**dict.fromkeys(STATES, 0), **Counter(one["status"] for one in made)}
    latest = max((one["created_on"] for one in made), default=None)
    shape |= {"triggered_on": latest, "instances": counts, "script_deleted": deleted}
    if workflow.get("schedules"):
        shape["schedules"] = [_next(call, one["cron"]) for one in workflow["schedules"]]
    return shape


def _next(call: Call, expression: str) -> dict[str, str]:
    when = cron.parse(expression).next_after(call.clock.now())
    return {"cron": expression, "next_instance": "" if when is None else call.clock.iso(when)}


def _schedules(call: Call, name: str, asked: Any) -> list[dict[str, str]]:
    """The schedules a workflow is to have, each once."""
    wanted = list(dict.fromkeys(str(one.get("cron", "")) for one in asked or []))
    others = sum(len(one.get("schedules") or []) for one in call.store.all("workflow") if one["name"] != name)
    if len(wanted) + others > MAX_SCHEDULES:
        raise bad_request(f"an account has at most {MAX_SCHEDULES} cron schedules of workflows", 10100)
    for expression in wanted:
        try:
            cron.parse(expression)
        except ValueError as error:
            raise bad_request(f"invalid cron string: {expression} ({error})", 10100) from None
    return [{"cron": expression} for expression in wanted]


async def list_workflows(call: Call) -> Any:
    """GET /workflows[?search&page&per_page]."""
    wanted = call.query("search")
    found = [item for item in call.store.all("workflow") if wanted in item["name"]]
    return call.paged([_shape(call, item) for item in found], per_page=10)


async def get_workflow(call: Call) -> Any:
    """GET /workflows/{name}."""
    return _shape(call, workflow_of(call))


async def put_workflow(call: Call) -> Any:
    """PUT /workflows/{name} {script_name, class_name, schedules, ...}: a new version of it each time."""
    value = await call.object()
    name, script = call["workflow_name"], str(value.get("script_name") or "")
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", name):
        raise bad_request(f"a workflow cannot be named {name!r}", 10001)
    script_named(call.store, script)
    old = call.store.get("workflow", name)
    if old is not None and value.get("jurisdiction") not in (None, old.get("jurisdiction")):
        raise jurisdiction_fixed()
    now = call.clock.iso()
    kept = {key: value[key] for key in KEPT if value.get(key) is not None}
    version = {"id": call.ids.uuid(), "created_on": now, "modified_on": now, **kept}
    workflow: Record = {
        **{key: value[key] for key in ("jurisdiction",) if key in value},
        "id": old["id"] if old else call.ids.uuid(),
        "name": name,
        "script_name": script,
        "class_name": str(value.get("class_name") or ""),
        "schedules": _schedules(call, name, value.get("schedules")),
        "created_on": old["created_on"] if old else now,
        "modified_on": now,
        "versions": [version, *(old["versions"] if old else [])],
    }
    call.store.put("workflow", name, workflow)
    install(call)
    await call.runtime.sync()
    call.clock.touch()
    shape = {**_shape(call, workflow), "version_id": version["id"], "is_deleted": 0, "terminator_running": 0}
    return {
        key: item for key, item in shape.items() if key not in ("instances", "script_deleted", "schedules")
    }


async def delete_workflow(call: Call) -> Any:
    """DELETE /workflows/{name}: its instances are ended."""
    name = workflow_of(call)["name"]
    for one in call.store.all(INSTANCE, name):
        if one["status"] not in ENDED:
            await _end(call.box, name, one["id"])
    with call.store.transaction():
        call.store.delete("workflow", name)
        call.store.delete_all(INSTANCE, name)
    install(call)
    await call.runtime.sync()
    return {"status": "ok", "success": True}


async def _end(box: Box, workflow: str, identifier: str) -> None:
    try:
        await steer(box, workflow, "terminate", identifier=identifier)
    except ApiError as error:  # it has ended by itself, or its Worker is gone
        log.info("instance %s of %s was not ended: %s", identifier, workflow, error.message)


async def list_workflow_versions(call: Call) -> Any:
    """GET /workflows/{name}/versions: newest first."""
    workflow = workflow_of(call)
    return call.paged([_version(workflow, one) for one in workflow["versions"]], per_page=10)


def _version(workflow: Record, version: Record) -> Record:
    facts = {"class_name": workflow["class_name"], "workflow_id": workflow["id"]}
    return {**version, **facts, "has_dag": False, "language": "javascript"}


def _version_of(call: Call) -> Record:
    workflow = workflow_of(call)
    for one in workflow["versions"]:
        if one["id"] == call["version_id"]:
            return _version(workflow, one)
    raise ApiError(404, 10203, "workflow.version_not_found")


async def get_workflow_version(call: Call) -> Any:
    """GET /workflows/{name}/versions/{id}."""
    return _version_of(call)


async def refuse_graph(call: Call) -> Any:
    """GET /workflows/{name}/versions/{id}/graph."""
    _version_of(call)
    raise not_emulated("The graph of a Workflow")


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
_VERSION = f"{_WORKFLOW}/versions/{{version_id}}"
router.add(
    "GET",
    _VERSION,
    get_workflow_version,
    sdk="workflows.versions.get",
    reply="workflows.VersionGetResponse",
)
router.add("GET", f"{_VERSION}/graph", refuse_graph, sdk="workflows.versions.graph", unchecked="refused")
