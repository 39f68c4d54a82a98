"""Pages deployments by direct upload: create, list, look at, delete; served by the edge.

Faithful: shapes and stages; a deployment answers when it is live, so its stages have all succeeded.
Simplified: of each branch only the newest deployment is served; no retries, no tails.
https://developers.cloudflare.com/api/resources/pages/subresources/projects/subresources/deployments/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.pages import DEPLOYMENT, KIND, deployments_of, project_of
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers.pages_site import branch_label, publish

STAGES = ("queued", "initialize", "clone_repo", "build", "deploy")


def deployment_not_found() -> ApiError:
    """No deployment of that id in the project."""
    return ApiError(
        404,
        8000009,
        "The deployment ID you have specified does not exist. Update the deployment ID and try again.",
    )


def deployment_is_live() -> ApiError:
    """The newest production deployment stays as long as the project does."""
    return ApiError(400, 8000034, "The deployment is the active production deployment and cannot be deleted.")


async def create_deployment(call: Call) -> Any:
    """POST /pages/projects/{p}/deployments: a form with `manifest`, and what else belongs to it."""
    project = project_of(call)
    files = {part.name: part for part in await call.form()}
    words = {name: part.data.decode("utf-8", "replace") for name, part in files.items() if not part.filename}
    deployment = _deployment(call, project, words, functions="_worker.bundle" in files)
    await publish(call, project, deployment, files)
    project["uses_functions"] = deployment["uses_functions"]
    call.store.put(KIND, project["name"], project)
    call.store.put(DEPLOYMENT, deployment["id"], deployment, parent=project["name"])
    return deployment


def _deployment(call: Call, project: Record, words: dict[str, str], *, functions: bool) -> Record:
    now, identifier = call.clock.iso(), call.ids.uuid()
    branch = words.get("branch") or project["production_branch"]
    production = branch == project["production_branch"]
    base = f"{project['subdomain']}:{call.box.edge_port}"
    stages = [{"name": name, "started_on": now, "ended_on": now, "status": "success"} for name in STAGES]
    return {
        "id": identifier,
        "short_id": identifier[:8],
        "project_id": project["id"],
        "project_name": project["name"],
        "environment": "production" if production else "preview",
        "production_branch": project["production_branch"],
        "url": f"http://{identifier[:8]}.{base}",
        "aliases": None if production else [f"http://{branch_label(branch)}.{base}"],
        "created_on": now,
        "modified_on": now,
        "latest_stage": stages[-1],
        "stages": stages,
        "deployment_trigger": {
            "type": "ad_hoc",
            "metadata": {
                "branch": branch,
                "commit_hash": words.get("commit_hash", ""),
                "commit_message": words.get("commit_message", ""),
                "commit_dirty": words.get("commit_dirty") == "true",
            },
        },
        "build_config": project["build_config"],
        "env_vars": {},
        "is_skipped": False,
        "uses_functions": functions,
    }


async def list_deployments(call: Call) -> Any:
    """GET /pages/projects/{p}/deployments[?env=production|preview]: newest first."""
    wanted = call.query("env")
    found = deployments_of(call.store, project_of(call)["name"])
    return call.paged([item for item in found if wanted in ("", item["environment"])], per_page=25)


def _found(call: Call) -> Record:
    deployment = call.store.get(DEPLOYMENT, call["deployment_id"])
    if deployment is None or deployment["project_name"] != project_of(call)["name"]:
        raise deployment_not_found()
    return deployment


async def get_deployment(call: Call) -> Any:
    """GET /pages/projects/{p}/deployments/{id}."""
    return _found(call)


async def get_logs(call: Call) -> Any:
    """GET /pages/projects/{p}/deployments/{id}/history/logs: nothing was built, so nothing was said."""
    _found(call)
    return {"data": [], "total": 0, "includes_container_logs": False}


async def delete_deployment(call: Call) -> Any:
    """DELETE /pages/projects/{p}/deployments/{id}: not the one production runs."""
    deployment = _found(call)
    found = deployments_of(call.store, deployment["project_name"])
    live = next((item for item in found if item["environment"] == "production"), None)
    if live is not None and live["id"] == deployment["id"]:
        raise deployment_is_live()
    call.store.delete(DEPLOYMENT, deployment["id"])
    return None


router = Router("pages_deployments")
_ROOT = "A/pages/projects/{project_name}/deployments"
_ONE, _SDK = f"{_ROOT}/{{deployment_id}}", "pages.projects.deployments"
_NO_GIT = "the SDK requires a git source"
router.add("GET", _ROOT, list_deployments, sdk=f"{_SDK}.list", unchecked=_NO_GIT)
router.add(
    "POST",
    _ROOT,
    create_deployment,
    sdk=f"{_SDK}.create",
    request="pages.projects.DeploymentCreateParams",
    unchecked=_NO_GIT,
)
router.add("GET", _ONE, get_deployment, sdk=f"{_SDK}.get", unchecked=_NO_GIT)
router.add("DELETE", _ONE, delete_deployment, sdk=f"{_SDK}.delete", reply="None")
router.add(
    "GET",
    f"{_ONE}/history/logs",
    get_logs,
    sdk=f"{_SDK}.history.logs.get",
    reply="pages.projects.deployments.history.LogGetResponse",
)
