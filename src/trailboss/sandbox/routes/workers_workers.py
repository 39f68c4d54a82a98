"""Workers, the newer resource: a Worker without code, its versions as plain JSON, secrets of the next
version.

Faithful: a Worker is found by id or name; `versions/latest` PATCH makes an undeployed version from the
newest one. Left out: `wrangler preview`'s previews.
https://developers.cloudflare.com/api/resources/workers/subresources/beta/
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError, bad_request, not_emulated
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.workers_scripts import enter
from trailboss.sandbox.routes.workers_secrets import with_secrets
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.model import new_script, save_script, version_of, versions_of
from trailboss.sandbox.workers.releases import (
    base_version,
    copy_version,
    draft_upload,
    release,
    write_version,
)
from trailboss.sandbox.workers.removal import remove_script
from trailboss.sandbox.workers.upload import Module, assemble
from trailboss.sandbox.workers.worker_shapes import merged_settings, version_json, worker_json


def _worker(call: Call) -> Record:
    wanted = call["worker_id"]
    found = call.store.get("script", wanted) or call.store.find("script", tag=wanted)
    if found is None:
        raise refusals.script_not_found()
    return found


async def list_workers(call: Call) -> Any:
    """GET /workers/workers[?order_by&order&page&per_page]."""
    workers = [worker_json(call, script) for script in call.store.all("script")]
    key = call.query("order_by") or "deployed_on"
    key = key if key in ("deployed_on", "updated_on", "created_on", "name") else "deployed_on"
    descending = (call.query("order") or "desc") == "desc"
    return call.paged(sorted(workers, key=lambda item: item.get(key) or "", reverse=descending), per_page=10)


async def create_worker(call: Call) -> Any:
    """POST /workers/workers {name, ...}: a Worker that has no version yet."""
    value = await call.object()
    name = str(value.get("name") or "")
    if call.store.get("script", name) is not None:
        raise ApiError(409, 10040, f"A Worker named '{name}' already exists.")
    script = merged_settings(new_script(call, name), value)
    save_script(call.store, script)
    return worker_json(call, script)


async def get_worker(call: Call) -> Any:
    """GET /workers/workers/{id or name}."""
    return worker_json(call, _worker(call))


async def change_worker(call: Call) -> Any:
    """PUT and PATCH /workers/workers/{id or name}: settings that need no version."""
    script, value = _worker(call), await call.object()
    if value.get("name") not in (None, script["name"]):
        raise bad_request(f"The sandbox does not rename Workers: '{script['name']}' keeps its name.", 10021)
    script = merged_settings(script, value)
    script["modified_on"] = call.clock.iso()
    save_script(call.store, script)
    await call.runtime.sync()
    return worker_json(call, script)


async def delete_worker(call: Call) -> Any:
    """DELETE /workers/workers/{id or name}."""
    await remove_script(call, _worker(call)["name"], force=True)
    return None


async def list_worker_versions(call: Call) -> Any:
    """GET /workers/workers/{id}/versions."""
    script = _worker(call)
    shapes = [version_json(call, script, item) for item in versions_of(call.store, script["name"])]
    return call.paged(shapes, per_page=10)


async def get_worker_version(call: Call) -> Any:
    """GET /workers/workers/{id}/versions/{version id | latest}[?include=modules]."""
    script = _worker(call)
    wanted = call["version_id"]
    if wanted == "latest":
        version = base_version(call, script["name"])
    else:
        version = version_of(call.store, script["name"], wanted)
    return version_json(call, script, version, modules="modules" in call.query("include"))


async def create_worker_version(call: Call) -> Any:
    """POST /workers/workers/{id}/versions[?deploy=true]: modules in base64 instead of a form."""
    script = _worker(call)
    value = await call.object()
    upload = assemble(value, [_module(item) for item in value.get("modules") or []])
    deploys = call.flag("deploy")
    async with call.box.lock(f"script:{script['name']}"):
        strict = call.query("bindings_inherit") == "strict"
        draft = await draft_upload(call, script["name"], upload, strict=strict, deploys=deploys)
        if deploys:
            await release(call, script["name"], lambda: enter(call, draft, {}))
        else:
            await release(call, script["name"], lambda: write_version(call, draft.script, draft.version))
    return version_json(call, draft.script, draft.version)


def _module(item: dict[str, Any]) -> Module:
    try:
        data = base64.b64decode(item["content_base64"], validate=True)
        return Module(str(item["name"]), str(item["content_type"]), data)
    except (KeyError, TypeError, binascii.Error):
        raise bad_request("A module needs name, content_type and content_base64.", 10021) from None


async def patch_latest_version(call: Call) -> Any:
    """PATCH /workers/workers/{n}/versions/latest {env: {NAME: binding | null}}: the next version,
    undeployed."""
    script = _worker(call)
    name = script["name"]
    value = await call.object()
    changes = {
        key: None if item is None else {**item, "name": key} for key, item in (value.get("env") or {}).items()
    }
    async with call.box.lock(f"script:{name}"):
        base = base_version(call, name)
        version = copy_version(call, script, base, "secret")
        version["bindings"] = with_secrets(base, changes)
        version["annotations"].update(value.get("annotations") or {})
        await release(call, name, lambda: write_version(call, script, version))
    return version_json(call, script, version)


async def refuse_previews(call: Call) -> Any:
    """`wrangler preview`, a product of its own in open beta."""
    raise not_emulated("The Previews product (wrangler preview)")


router = Router("workers_workers")
_WORKERS = "A/workers/workers"
_WORKER = f"{_WORKERS}/{{worker_id}}"
_SDK, _TYPE = "workers.beta.workers", "workers.beta.Worker"
_VERSION_SDK, _VERSION = "workers.beta.workers.versions", "workers.beta.workers.Version"
router.add("GET", _WORKERS, list_workers, sdk=f"{_SDK}.list", reply=_TYPE)
router.add(
    "POST",
    _WORKERS,
    create_worker,
    sdk=f"{_SDK}.create",
    request="workers.beta.WorkerCreateParams",
    reply=_TYPE,
)
router.add("GET", _WORKER, get_worker, sdk=f"{_SDK}.get", reply=_TYPE)
router.add(
    "PUT",
    _WORKER,
    change_worker,
    sdk=f"{_SDK}.update",
    request="workers.beta.WorkerUpdateParams",
    reply=_TYPE,
)
router.add(
    "PATCH",
    _WORKER,
    change_worker,
    sdk=f"{_SDK}.edit",
    request="workers.beta.WorkerEditParams",
    reply=_TYPE,
)
router.add("DELETE", _WORKER, delete_worker, sdk=f"{_SDK}.delete", reply="None")
_VERSIONS = f"{_WORKER}/versions"
router.add("GET", _VERSIONS, list_worker_versions, sdk=f"{_VERSION_SDK}.list", reply=_VERSION)
router.add(
    "POST",
    _VERSIONS,
    create_worker_version,
    sdk=f"{_VERSION_SDK}.create",
    request="workers.beta.workers.VersionCreateParams",
    reply=_VERSION,
)
router.add(
    "GET", f"{_VERSIONS}/{{version_id}}", get_worker_version, sdk=f"{_VERSION_SDK}.get", reply=_VERSION
)
router.add("PATCH", f"{_VERSIONS}/latest", patch_latest_version)
router.add("*", f"{_WORKER}/previews", refuse_previews)
router.add("*", f"{_WORKER}/previews/{{rest:path}}", refuse_previews)
