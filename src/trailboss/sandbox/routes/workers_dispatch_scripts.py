"""User Workers in dispatch namespaces: upload, list, look at, delete; they run behind dispatch bindings.

Faithful: the upload is a Worker's own (assets, bindings, Durable Objects), and an upload is live when it
returns. Simplified: a dispatch binding's limits, arguments and outbound Worker are not applied; there are no
versions to choose from, tags or secrets of their own.
https://developers.cloudflare.com/api/resources/workers_for_platforms/
"""

from __future__ import annotations

import re
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.workers_dispatch import namespace_of, user_workers
from trailboss.sandbox.routes.workers_scripts import code_reply, enter
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.assets import begin_session
from trailboss.sandbox.workers.bindings import shown
from trailboss.sandbox.workers.model import latest_version
from trailboss.sandbox.workers.releases import draft_upload, release
from trailboss.sandbox.workers.removal import forget_script
from trailboss.sandbox.workers.shapes import code_shape, settings_shape
from trailboss.sandbox.workers.upload import read_upload


def user_worker_not_found() -> ApiError:
    """No user Worker of that name in the namespace."""
    return ApiError(404, 10092, "workers.api.error.environment_not_found")


def _key(call: Call) -> str:
    """The hidden Worker's name: `<namespace>~<name>`."""
    name = call["script_name"]
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name):
        raise refusals.invalid_name(name)
    return f"{namespace_of(call)['namespace_name']}~{name}"


def _user_worker(call: Call) -> Record:
    found = call.store.get("hidden_script", _key(call))
    if found is None:
        raise user_worker_not_found()
    return found


def _shape(call: Call, script: Record) -> Record:
    """A user Worker as Cloudflare's `script`: under its own name."""
    return {
        "id": script["dispatch"]["name"],
        **code_shape(script, latest_version(call.store, script["name"])),
    }


async def list_user_workers(call: Call) -> Any:
    """GET .../scripts."""
    found = user_workers(call.store, namespace_of(call)["namespace_name"])
    return call.single([_shape(call, item) for item in found])


async def get_user_worker(call: Call) -> Any:
    """GET .../scripts/{n}."""
    script = _user_worker(call)
    return {
        "dispatch_namespace": script["dispatch"]["namespace"],
        "created_on": script["created_on"],
        "modified_on": script["modified_on"],
        "script": _shape(call, script),
    }


async def put_user_worker(call: Call) -> Any:
    """PUT .../scripts/{n}: live behind every dispatch binding of the namespace when this returns."""
    key = _key(call)
    upload = await read_upload(call)
    async with call.box.lock(f"script:{key}"):
        strict = call.query("bindings_inherit") == "strict"
        draft = await draft_upload(call, key, upload, strict=strict, deploys=True)
        namespace, _, name = key.partition("~")
        draft.script["dispatch"] = {"namespace": namespace, "name": name}
        await release(call, key, lambda: enter(call, draft, upload.metadata))
    return {
        **_shape(call, draft.script),
        "deployment_id": draft.version["id"].replace("-", ""),
        "startup_time_ms": draft.version["startup_time_ms"],
    }


async def delete_user_worker(call: Call) -> Any:
    """DELETE .../scripts/{n}."""
    script = _user_worker(call)
    with call.store.transaction():
        forget_script(call.store, script["name"])
    await call.runtime.sync()
    return None


async def get_content(call: Call) -> Any:
    """GET .../scripts/{n}/content: the code that runs."""
    return code_reply(call, _version(call))


async def get_settings(call: Call) -> Any:
    """GET .../scripts/{n}/settings."""
    script = _user_worker(call)
    return settings_shape(script, latest_version(call.store, script["name"]))


async def get_bindings(call: Call) -> Any:
    """GET .../scripts/{n}/bindings."""
    return call.single([shown(binding) for binding in _version(call)["bindings"]])


def _version(call: Call) -> Record:
    version = latest_version(call.store, _user_worker(call)["name"])
    if version is None:
        raise refusals.no_versions()
    return version


async def create_session(call: Call) -> Any:
    """POST .../scripts/{n}/assets-upload-session {manifest}."""
    key = _key(call)
    manifest = (await call.object()).get("manifest")
    if not isinstance(manifest, dict):
        raise bad_request("The body must be {manifest: {path: {hash, size}}}.", 10021)
    return begin_session(call, key, manifest)


router = Router("workers_dispatch_scripts")
_SCRIPTS = "A/workers/dispatch/namespaces/{dispatch_namespace}/scripts"
_SCRIPT = f"{_SCRIPTS}/{{script_name}}"
_SDK = "workers_for_platforms.dispatch.namespaces.scripts"
_TYPES = "workers_for_platforms.dispatch.namespaces"
router.add("GET", _SCRIPTS, list_user_workers)
router.add("GET", _SCRIPT, get_user_worker, sdk=f"{_SDK}.get", reply=f"{_TYPES}.Script")
router.add(
    "PUT",
    _SCRIPT,
    put_user_worker,
    sdk=f"{_SDK}.update",
    request=f"{_TYPES}.ScriptUpdateParams",
    reply=f"{_TYPES}.ScriptUpdateResponse",
)
router.add("DELETE", _SCRIPT, delete_user_worker, sdk=f"{_SDK}.delete", reply="None")
router.add("GET", f"{_SCRIPT}/content", get_content, sdk=f"{_SDK}.content.get", unchecked="a form, no JSON")
router.add(
    "GET",
    f"{_SCRIPT}/settings",
    get_settings,
    sdk=f"{_SDK}.settings.get",
    reply=f"{_TYPES}.scripts.SettingGetResponse",
)
router.add(
    "GET",
    f"{_SCRIPT}/bindings",
    get_bindings,
    sdk=f"{_SDK}.bindings.get",
    reply=f"{_TYPES}.scripts.BindingGetResponse",
)
router.add(
    "POST",
    f"{_SCRIPT}/assets-upload-session",
    create_session,
    sdk=f"{_SDK}.asset_upload.create",
    request=f"{_TYPES}.scripts.AssetUploadCreateParams",
    reply=f"{_TYPES}.scripts.AssetUploadCreateResponse",
)
