"""Deployments: which versions get which share of the traffic.

Faithful: two versions at most, shares that sum to 100, 0 % allowed, the 100 newest versions, 10220 when
secrets changed since, no way back behind a Durable Object migration.
https://developers.cloudflare.com/api/resources/workers/subresources/scripts/subresources/deployments/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.bindings import check_target, secrets_of
from trailboss.sandbox.workers.durable_objects import Classes
from trailboss.sandbox.workers.exports import catch_up
from trailboss.sandbox.workers.model import (
    DEPLOYABLE,
    current_deployment,
    deployed_versions,
    namespaces_of,
    script_named,
    version_of,
)
from trailboss.sandbox.workers.releases import release, write_deployment
from trailboss.sandbox.workers.shapes import deployment_shape


async def list_deployments(call: Call) -> Any:
    """GET /workers/scripts/{n}/deployments: newest first, the first is the current one."""
    script = script_named(call.store, call["script_name"])
    items = call.store.all("deployment", script["name"], newest_first=True)
    return Reply({"deployments": call.single([deployment_shape(item) for item in items[:DEPLOYABLE]]).result})


async def get_deployment(call: Call) -> Any:
    """GET /workers/scripts/{n}/deployments/{id}."""
    return deployment_shape(_deployment(call))


async def delete_deployment(call: Call) -> Any:
    """DELETE /workers/scripts/{n}/deployments/{id}: an old one only."""
    deployment = _deployment(call)
    current = current_deployment(call.store, call["script_name"])
    if current is not None and current["id"] == deployment["id"]:
        raise refusals.bad_deployment("The current deployment cannot be deleted.")
    call.store.delete("deployment", deployment["id"])
    return None


def _deployment(call: Call) -> Record:
    script = script_named(call.store, call["script_name"])
    deployment = call.store.get("deployment", call["deployment_id"])
    if deployment is None or deployment["script"] != script["name"]:
        raise refusals.deployment_not_found()
    return deployment


async def create_deployment(call: Call) -> Any:
    """POST /workers/scripts/{n}/deployments[?force=true]: live when this returns."""
    name = call["script_name"]
    script = script_named(call.store, name)
    body = await call.object()
    async with call.box.lock(f"script:{name}"):
        shares = wanted_shares(body)
        versions = [version_of(call.store, name, share["version_id"]) for share in shares]
        classes = catch_up(call, script, versions)
        for version in versions:
            check_deployable(call, script, version, classes)
        if not call.flag("force"):
            check_secrets(call, name, versions)
        annotations = {key: str(text) for key, text in (body.get("annotations") or {}).items() if text}

        def write() -> Record:
            if classes is not None:
                classes.write()
                for version in versions:
                    call.store.put("version", version["id"], version, parent=name)
            return write_deployment(call, name, shares, annotations, "deployment")

        deployment = await release(call, name, write)
    return deployment_shape(deployment)


def wanted_shares(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions and percentages of a request.

    Raises:
        ApiError: another strategy, none or more than two versions, one twice, not 100 together.
    """
    if body.get("strategy", "percentage") != "percentage":
        raise refusals.bad_deployment("The only deployment strategy is 'percentage'.")
    shares = body.get("versions")
    if not isinstance(shares, list) or not 1 <= len(shares) <= 2:
        raise refusals.bad_deployment("A deployment has one or two versions.")
    try:
        wanted: list[dict[str, Any]] = [
            {"version_id": str(share["version_id"]), "percentage": _number(share["percentage"])}
            for share in shares
        ]
    except (KeyError, TypeError, ValueError):
        raise refusals.bad_deployment("Each version needs a version_id and a percentage.") from None
    if len({share["version_id"] for share in wanted}) < len(wanted):
        raise refusals.bad_deployment("The versions of a deployment must be different.")
    if any(not 0 <= share["percentage"] <= 100 for share in wanted):
        raise refusals.bad_deployment("A percentage is between 0 and 100.")
    if abs(sum(share["percentage"] for share in wanted) - 100) > 0.001:
        raise refusals.bad_deployment("The percentages of a deployment must sum to 100.")
    return wanted


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return int(value) if value == int(value) else float(value)


def check_deployable(call: Call, script: Record, version: Record, classes: Classes | None) -> None:
    """Refuse a version that is too old, lies behind a migration, or is bound to something that is gone."""
    newest = script["next_number"] - 1
    if version["number"] <= newest - DEPLOYABLE:
        raise refusals.bad_deployment(
            f"Version {version['id']} is not among the latest {DEPLOYABLE} versions."
        )
    implemented = set(version.get("implements", []))
    present = (
        classes.now if classes else {item["class"] for item in namespaces_of(call.store, script["name"])}
    )
    for name in present:
        if name not in implemented:
            raise refusals.migration_between(name)
    for binding in version["bindings"]:
        try:
            check_target(call, script["name"], binding)
        except ApiError as refusal:
            raise refusals.bad_deployment(
                f"Version {version['id']} cannot be deployed: {refusal.message}"
            ) from None


def check_secrets(call: Call, name: str, versions: list[Record]) -> None:
    """Refuse to go back to a version whose secrets are not the ones that run now."""
    deployed = deployed_versions(call.store, name)
    if not deployed:
        return
    newest = max(deployed, key=lambda version: int(version["number"]))
    now = secrets_of(newest)
    for version in versions:
        if version["number"] < newest["number"]:
            then = secrets_of(version)
            changed = sorted(key for key in now.keys() | then.keys() if now.get(key) != then.get(key))
            if changed:
                raise refusals.secrets_changed(changed)


router = Router("workers_deployments")
_DEPLOYMENTS = "A/workers/scripts/{script_name}/deployments"
router.add(
    "GET",
    _DEPLOYMENTS,
    list_deployments,
    sdk="workers.scripts.deployments.list",
    reply="workers.scripts.Deployment",
)
router.add(
    "POST",
    _DEPLOYMENTS,
    create_deployment,
    sdk="workers.scripts.deployments.create",
    request="workers.scripts.DeploymentCreateParams",
    reply="workers.scripts.Deployment",
)
router.add(
    "GET",
    f"{_DEPLOYMENTS}/{{deployment_id}}",
    get_deployment,
    sdk="workers.scripts.deployments.get",
    reply="workers.scripts.Deployment",
)
router.add(
    "DELETE",
    f"{_DEPLOYMENTS}/{{deployment_id}}",
    delete_deployment,
    sdk="workers.scripts.deployments.delete",
    reply="workers.scripts.DeploymentDeleteResponse",
)
