"""Pages: projects and the asset store of direct uploads. Deployments are in `pages_deployments.py`.

Faithful: shapes, configurations merged by PATCH, secrets that never come back, the upload token's own calls.
Simplified: no builds from git, no custom domains, no build cache.
https://developers.cloudflare.com/api/resources/pages/
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.guard import bearer
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import API, Router
from trailboss.sandbox.store import Record, Store
from trailboss.sandbox.workers.assets import asset_key, sign, verify
from trailboss.sandbox.workers.pages_site import site_key
from trailboss.sandbox.workers.removal import forget_script
from trailboss.sandbox.workers.upload import store_blob

KIND, DEPLOYMENT = "pages_project", "pages_deployment"
MOST_FILES = 20_000
ENVIRONMENTS = ("preview", "production")


def project_not_found() -> ApiError:
    """No project of that name."""
    return ApiError(
        404,
        8000007,
        "Project not found. The specified project name does not match any of your existing projects.",
    )


def name_taken() -> ApiError:
    """The name is in use."""
    return ApiError(409, 8000002, "A project with this name already exists. Choose a different project name.")


def invalid_name() -> ApiError:
    """Not a host label."""
    return ApiError(400, 8000001, "The name must be lower-case letters, digits and dashes, 58 at most.")


def bad_upload_token() -> ApiError:
    """Not a token of `upload-token`, or too old."""
    return ApiError(401, 8000013, "Authorization failed")


def project_of(call: Call) -> Record:
    """The project a path names."""
    found = call.store.get(KIND, call["project_name"])
    if found is None:
        raise project_not_found()
    return found


def deployments_of(store: Store, project: str) -> list[Record]:
    """A project's deployments, newest first."""
    return store.all(DEPLOYMENT, project, newest_first=True)


def shown_project(call: Call, project: Record) -> Record:
    """A project as the API shows it: with its deployments, without the values of secrets."""
    found = deployments_of(call.store, project["name"])
    live = next((item for item in found if item["environment"] == "production"), None)
    configs = {name: _without_secrets(item) for name, item in project["deployment_configs"].items()}
    latest = found[0] if found else None
    return {
        **project,
        "deployment_configs": configs,
        "canonical_deployment": live,
        "latest_deployment": latest,
    }


def _without_secrets(config: Record) -> Record:
    shown = {
        name: {**value, "value": ""} if value and value.get("type") == "secret_text" else value
        for name, value in (config.get("env_vars") or {}).items()
    }
    return {**config, "env_vars": shown}


def _config(call: Call, given: Record | None) -> Record:
    defaults = {
        "always_use_latest_compatibility_date": False,
        "build_image_major_version": 3,
        "compatibility_date": call.clock.iso()[:10],
        "compatibility_flags": [],
        "env_vars": {},
        "fail_open": True,
        "usage_model": "standard",
    }
    return {**defaults, **{key: value for key, value in (given or {}).items() if value is not None}}


async def list_projects(call: Call) -> Any:
    """GET /pages/projects?page=&per_page=."""
    return call.paged_records(KIND, shown=lambda item: shown_project(call, item), per_page=10)


async def create_project(call: Call) -> Any:
    """POST /pages/projects {name, production_branch, deployment_configs?}."""
    body = await call.object()
    name = str(body.get("name") or "")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,57}", name):
        raise invalid_name()
    if call.store.get(KIND, name) is not None:
        raise name_taken()
    configs, host = body.get("deployment_configs") or {}, f"{name}.pages.localhost"
    record = {
        "id": call.ids.uuid(),
        "name": name,
        "subdomain": host,
        "domains": [host],
        "created_on": call.clock.iso(),
        "production_branch": body.get("production_branch") or "main",
        "production_script_name": site_key(name),
        "preview_script_name": site_key(name),
        "framework": "",
        "framework_version": "",
        "uses_functions": False,
        "build_config": body.get("build_config") or {},
        "deployment_configs": {env: _config(call, configs.get(env)) for env in ENVIRONMENTS},
    }
    call.store.put(KIND, name, record)
    return shown_project(call, record)


async def get_project(call: Call) -> Any:
    """GET /pages/projects/{p}."""
    return shown_project(call, project_of(call))


async def change_project(call: Call) -> Any:
    """PATCH /pages/projects/{p}: configurations are merged key by key; null takes a key away."""
    project, body = project_of(call), await call.object()
    for env, changes in (body.get("deployment_configs") or {}).items():
        if env in ENVIRONMENTS:
            project["deployment_configs"][env] = _merged(project["deployment_configs"][env], changes or {})
    for key in ("production_branch", "build_config"):
        if body.get(key) is not None:
            project[key] = body[key]
    call.store.put(KIND, project["name"], project)
    return shown_project(call, project)


def _merged(old: Record, changes: Record, depth: int = 2) -> Record:
    new = dict(old)
    for key, value in changes.items():
        if value is None:
            new.pop(key, None)
        elif depth > 1 and isinstance(value, dict) and isinstance(new.get(key), dict):
            new[key] = _merged(new[key], value, depth - 1)
        else:
            new[key] = value
    return new


async def delete_project(call: Call) -> Any:
    """DELETE /pages/projects/{p}: with its deployments and what they serve."""
    name = project_of(call)["name"]
    with call.store.transaction():
        for script in call.store.all("hidden_script"):
            if script.get("project") == name:
                forget_script(call.store, script["name"])
        for kind in ("asset", "asset_session"):
            call.store.delete_all(kind, site_key(name))
        call.store.delete_all(DEPLOYMENT, name)
        call.store.delete(KIND, name)
    await call.runtime.sync()
    return None


async def get_upload_token(call: Call) -> Any:
    """GET /pages/projects/{p}/upload-token."""
    name = project_of(call)["name"]
    payload = {"purpose": "pages", "project": name, "max_file_count_allowed": MOST_FILES}
    return {"jwt": sign(call.box, payload)}


def _uploader(call: Call) -> str:
    """The name below which the files of the token's project are kept."""
    try:
        payload = verify(call.box, bearer(call.headers) or "", "pages")
    except (ApiError, ValueError):
        raise bad_upload_token() from None
    return site_key(str(payload["project"]))


async def check_missing(call: Call) -> Any:
    """POST /pages/assets/check-missing {hashes}: those the project does not have."""
    key = _uploader(call)
    hashes = (await call.object()).get("hashes") or []
    return [item for item in hashes if call.store.get("asset", asset_key(key, item)) is None]


async def upload_assets(call: Call) -> Any:
    """POST /pages/assets/upload [{key, value, metadata, base64}]."""
    key = _uploader(call)
    files = await call.array()
    for file in files:
        try:
            value = str(file["value"])
            data = base64.b64decode(value, validate=True) if file.get("base64") else value.encode()
        except (KeyError, TypeError, binascii.Error, ValueError):
            raise bad_request("Every file needs a key and a value.", 8000004) from None
        digest = hashlib.sha256(data).hexdigest()
        store_blob(call.box.folder.blobs, digest, data)
        record = {"sha256": digest, "size": len(data)}
        call.store.put("asset", asset_key(key, str(file["key"])), record, parent=key)
    return {"successful_key_count": len(files), "unsuccessful_keys": []}


async def upsert_hashes(call: Call) -> Any:
    """POST /pages/assets/upsert-hashes {hashes}: nothing is ever forgotten here."""
    _uploader(call)
    return Reply(None)


router = Router("pages")
_ROOT, _ONE, _SDK = "A/pages/projects", "A/pages/projects/{project_name}", "pages.projects"
_OTHER_LOGIN = "the SDK sends the API token instead of the upload token"
router.add("GET", _ROOT, list_projects, sdk=f"{_SDK}.list", unchecked="the SDK requires a git source")
router.add(
    "POST",
    _ROOT,
    create_project,
    sdk=f"{_SDK}.create",
    request="pages.ProjectCreateParams",
    unchecked="in a reply the SDK requires a git source",
)
router.add("GET", _ONE, get_project, sdk=f"{_SDK}.get", unchecked="the SDK requires a git source")
router.add(
    "PATCH",
    _ONE,
    change_project,
    sdk=f"{_SDK}.edit",
    request="pages.ProjectEditParams",
    unchecked="the SDK requires a git source",
)
router.add("DELETE", _ONE, delete_project, sdk=f"{_SDK}.delete", reply="None")
router.add(
    "GET",
    f"{_ONE}/upload-token",
    get_upload_token,
    sdk=f"{_SDK}.get_upload_token",
    reply="pages.ProjectGetUploadTokenResponse",
)
router.add(
    "POST",
    f"{API}/pages/assets/check-missing",
    check_missing,
    sdk="pages.assets.check_missing",
    request="pages.AssetCheckMissingParams",
    unchecked=_OTHER_LOGIN,
    open=True,
)
router.add(
    "POST",
    f"{API}/pages/assets/upload",
    upload_assets,
    sdk="pages.assets.upload",
    request="pages.AssetUploadParams",
    unchecked=_OTHER_LOGIN,
    open=True,
)
router.add(
    "POST",
    f"{API}/pages/assets/upsert-hashes",
    upsert_hashes,
    sdk="pages.assets.upsert_hashes",
    request="pages.AssetUpsertHashesParams",
    unchecked=_OTHER_LOGIN,
    open=True,
)
