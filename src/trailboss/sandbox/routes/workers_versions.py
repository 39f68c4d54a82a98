"""Versions: upload without deploying, list, look at one.

Faithful: validation, inheritance, the window of deployable versions, no migrations here.
https://developers.cloudflare.com/api/resources/workers/subresources/scripts/subresources/versions/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.routes import Router
from trailboss.sandbox.workers.model import DEPLOYABLE, script_named, version_of, versions_of
from trailboss.sandbox.workers.releases import draft_upload, release, write_version
from trailboss.sandbox.workers.shapes import version_item, version_shape
from trailboss.sandbox.workers.upload import read_upload


async def create_version(call: Call) -> Any:
    """POST /workers/scripts/{n}/versions: routable as a preview when this returns, deployed later."""
    name = call["script_name"]
    script_named(call.store, name)
    upload = await read_upload(call)
    async with call.box.lock(f"script:{name}"):
        strict = call.query("bindings_inherit") == "strict"
        draft = await draft_upload(call, name, upload, strict=strict, deploys=False)
        await release(call, name, lambda: write_version(call, draft.script, draft.version))
    return version_shape(draft.script, draft.version)


async def list_versions(call: Call) -> Any:
    """GET /workers/scripts/{n}/versions[?deployable=true]: newest first."""
    script = script_named(call.store, call["script_name"])
    items = [version_item(version) for version in versions_of(call.store, script["name"])]
    if call.flag("deployable"):
        return Reply({"items": call.single(items[:DEPLOYABLE]).result})
    page = call.paged(items, per_page=25)
    return Reply({"items": page.result}, info=page.info)


async def get_version(call: Call) -> Any:
    """GET /workers/scripts/{n}/versions/{id}."""
    script = script_named(call.store, call["script_name"])
    return version_shape(script, version_of(call.store, script["name"], call["version_id"]))


router = Router("workers_versions")
_VERSIONS = "A/workers/scripts/{script_name}/versions"
router.add(
    "POST",
    _VERSIONS,
    create_version,
    sdk="workers.scripts.versions.create",
    request="workers.scripts.VersionCreateParams",
    reply="workers.scripts.VersionCreateResponse",
)
router.add(
    "GET",
    _VERSIONS,
    list_versions,
    sdk="workers.scripts.versions.list",
    reply="workers.scripts.VersionListResponse",
)
router.add(
    "GET",
    f"{_VERSIONS}/{{version_id}}",
    get_version,
    sdk="workers.scripts.versions.get",
    reply="workers.scripts.VersionGetResponse",
)
