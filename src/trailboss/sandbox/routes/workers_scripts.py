"""Workers scripts: upload (which deploys at once), list, download, delete, content, account-wide settings.

Faithful: both multipart layouts, inheritance of bindings, validation by the real runtime, Durable Object
migrations. Simplified: tags and usage figures are kept, not computed.
https://developers.cloudflare.com/api/resources/workers/
"""

from __future__ import annotations

import secrets
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.model import (
    deployed_versions,
    latest_version,
    script_named,
)
from trailboss.sandbox.workers.releases import (
    SETTINGS,
    Draft,
    draft_upload,
    release,
    write_deployment,
    write_version,
)
from trailboss.sandbox.workers.removal import remove_script
from trailboss.sandbox.workers.shapes import code_shape, script_shape
from trailboss.sandbox.workers.upload import blob_path, read_upload


async def list_scripts(call: Call) -> Any:
    """GET /workers/scripts."""
    return call.single([script_shape(call.store, item) for item in call.store.all("script")])


async def search_scripts(call: Call) -> Any:
    """GET /workers/scripts-search?name=&id=."""
    name, tag = call.query("name"), call.query("id")
    found = [
        {
            "id": item["tag"],
            "script_name": item["name"],
            "script_tag": item["tag"],
            "created_on": item["created_on"],
            "modified_on": item["modified_on"],
            "environment_is_default": True,
            "environment_name": "production",
            "service_name": item["name"],
        }
        for item in call.store.all("script")
        if name in item["name"] and tag in ("", item["tag"])
    ]
    return call.paged(found)


async def put_script(call: Call) -> Any:
    """PUT /workers/scripts/{n}: one version, one deployment, live when this returns."""
    name = call["script_name"]
    upload = await read_upload(call)
    async with call.box.lock(f"script:{name}"):
        strict = call.query("bindings_inherit") == "strict"
        draft = await draft_upload(call, name, upload, strict=strict, deploys=True)
        deployment = await release(call, name, lambda: enter(call, draft, upload.metadata))
    script = script_named(call.store, name)
    shape = {
        "id": name,
        **code_shape(script, draft.version),
        "deployment_id": draft.version["id"].replace("-", ""),
        "startup_time_ms": draft.version["startup_time_ms"],
        "entry_point": draft.version["main"] or None,
        "version_id": draft.version["id"],
        "deployment": deployment["id"],
    }
    if draft.reconciliation is not None:
        shape["exports_reconciliation"] = draft.reconciliation
    return {key: value for key, value in shape.items() if value is not None}


def enter(call: Call, draft: Draft, metadata: dict[str, Any]) -> Record:
    """Write a version and deploy it to everyone; the deployment."""
    settings = {key: metadata[key] for key in SETTINGS if key in metadata}
    draft.script["settings"] = {**draft.script["settings"], **settings}
    if metadata.get("usage_model"):
        draft.script["usage_model"] = metadata["usage_model"]
    write_version(call, draft.script, draft.version, draft.classes)
    shares = [{"version_id": draft.version["id"], "percentage": 100}]
    message = draft.version["annotations"].get("workers/message") or "Automatic deployment on upload."
    return write_deployment(call, draft.script["name"], shares, {"workers/message": message}, "upload")


async def get_script(call: Call) -> Raw:
    """GET /workers/scripts/{n}: the code that runs now."""
    script = script_named(call.store, call["script_name"])
    deployed = deployed_versions(call.store, script["name"])
    version = deployed[0] if deployed else latest_version(call.store, script["name"])
    if version is None:
        raise refusals.no_versions()
    return code_reply(call, version)


def code_reply(call: Call, version: Record) -> Raw:
    """A version's modules as a multipart form; a service worker as plain JavaScript; 204 for assets alone."""
    if not version["modules"]:
        return Raw(b"", status=204)
    files = {
        module["name"]: (module["type"], blob_path(call.box.folder.blobs, module["sha256"]).read_bytes())
        for module in version["modules"]
    }
    headers = {"etag": version["etag"], "cf-entrypoint": version["main"]}
    if version["format"] == "service-worker":
        return Raw(files[version["main"]][1], headers=headers, content_type="application/javascript")
    boundary = secrets.token_hex(16)
    body = b"".join(_part(boundary, name, kind, data) for name, (kind, data) in files.items())
    kind = f"multipart/form-data; boundary={boundary}"
    return Raw(body + f"--{boundary}--\r\n".encode(), headers=headers, content_type=kind)


def _part(boundary: str, name: str, kind: str, data: bytes) -> bytes:
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + data + b"\r\n"


async def put_content(call: Call) -> Any:
    """PUT /workers/scripts/{n}/content: new code, everything else as it is."""
    name = call["script_name"]
    script = script_named(call.store, name)
    upload = await read_upload(call)
    async with call.box.lock(f"script:{name}"):
        base = latest_version(call.store, name)
        if base is None:
            raise refusals.no_versions()
        upload.metadata = {
            "main_module": upload.metadata.get("main_module"),
            "body_part": upload.metadata.get("body_part"),
            "bindings": base["bindings"],
            "compatibility_date": base["compatibility_date"],
            "compatibility_flags": base["compatibility_flags"],
            "keep_assets": True,
        }
        draft = await draft_upload(call, name, upload, strict=False, deploys=True)
        await release(call, name, lambda: enter(call, draft, {}))
    return {"id": name, **code_shape(script, draft.version)}


async def delete_script(call: Call) -> Any:
    """DELETE /workers/scripts/{n}[?force=true]."""
    await remove_script(call, call["script_name"], force=call.flag("force"))
    return None


async def get_account_settings(call: Call) -> Any:
    """GET /workers/account-settings."""
    return call.store.get("workers_account", "settings") or {
        "default_usage_model": "standard",
        "green_compute": False,
    }


async def put_account_settings(call: Call) -> Any:
    """PUT /workers/account-settings."""
    settings = {**await get_account_settings(call), **await call.object()}
    return call.store.put("workers_account", "settings", settings)


async def refuse_preview(call: Call) -> Any:
    """The edge-preview service behind `wrangler dev --remote`."""
    raise ApiError(
        501,
        10501,
        "Remote development (edge-preview) is not emulated by the sandbox. Use `dev` without --remote, "
        "or deploy to the sandbox: its Workers answer at *.workers.localhost.",
    )


async def put_event_triggers(call: Call) -> Any:
    """PUT /triggers/{script}: noted, and echoed."""
    script_named(call.store, call["script_name"])
    events = await call.array()
    call.store.put("worker_triggers", call["script_name"], {"events": events})
    return events


router = Router("workers_scripts")
_SCRIPT = "A/workers/scripts/{script_name}"
router.add(
    "GET", "A/workers/scripts", list_scripts, sdk="workers.scripts.list", reply="workers.ScriptListResponse"
)
router.add(
    "GET",
    "A/workers/scripts-search",
    search_scripts,
    sdk="workers.scripts.search",
    reply="workers.ScriptSearchResponse",
)
router.add(
    "PUT",
    _SCRIPT,
    put_script,
    sdk="workers.scripts.update",
    request="workers.ScriptUpdateParams",
    reply="workers.ScriptUpdateResponse",
)
router.add("GET", _SCRIPT, get_script, sdk="workers.scripts.get")
router.add("DELETE", _SCRIPT, delete_script, sdk="workers.scripts.delete", reply="None")
router.add("GET", f"{_SCRIPT}/content/v2", get_script, sdk="workers.scripts.content.get")
router.add(
    "PUT",
    f"{_SCRIPT}/content",
    put_content,
    sdk="workers.scripts.content.update",
    request="workers.scripts.ContentUpdateParams",
    reply="workers.Script",
)
router.add(
    "GET",
    "A/workers/account-settings",
    get_account_settings,
    sdk="workers.account_settings.get",
    reply="workers.AccountSettingGetResponse",
)
router.add(
    "PUT",
    "A/workers/account-settings",
    put_account_settings,
    sdk="workers.account_settings.update",
    request="workers.AccountSettingUpdateParams",
    reply="workers.AccountSettingUpdateResponse",
)
router.add("GET", "A/workers/subdomain/edge-preview", refuse_preview)
router.add("GET", f"{_SCRIPT}/subdomain/edge-preview", refuse_preview)
router.add("POST", f"{_SCRIPT}/edge-preview", refuse_preview)
router.add("GET", "Z/workers/edge-preview", refuse_preview)
router.add("PUT", "A/triggers/{script_name}", put_event_triggers)
