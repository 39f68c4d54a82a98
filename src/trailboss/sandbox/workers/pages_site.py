"""A Pages deployment as something that runs: a hidden Worker with the deployment's files and functions.

The newest deployment of each branch is served: production at `<project>.pages.localhost`, others at
`<branch>.<project>.pages.localhost`, all at `<first eight digits of the id>.<project>.pages.localhost`. How
`_routes.json`, `404.html` and single-page sites become asset settings is our reading of Pages' documentation.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from trailboss.sandbox.call import Call
from trailboss.sandbox.multipart import Part, parse_form
from trailboss.sandbox.refusals import bad_request
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers.assets import sign
from trailboss.sandbox.workers.model import save_script
from trailboss.sandbox.workers.releases import draft_upload, release, write_deployment, write_version
from trailboss.sandbox.workers.upload import Upload, upload_of

# key of a deployment configuration -> (binding type, field there, field of the binding)
BINDINGS = {
    "kv_namespaces": ("kv_namespace", "namespace_id", "namespace_id"),
    "d1_databases": ("d1", "id", "id"),
    "r2_buckets": ("r2_bucket", "name", "bucket_name"),
    "queue_producers": ("queue", "name", "queue_name"),
    "services": ("service", "service", "service"),
    "vectorize_bindings": ("vectorize", "index_name", "index_name"),
    "hyperdrive_bindings": ("hyperdrive", "id", "id"),
    "analytics_engine_datasets": ("analytics_engine", "dataset", "dataset"),
}


def site_key(project: str, branch: str = "") -> str:
    """The hidden Worker of a project: of its production, or of another branch by its host label."""
    return f"pages~{project}~{branch}" if branch else f"pages~{project}"


def branch_label(branch: str) -> str:
    """A branch as a host label."""
    return re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")[:28] or "branch"


async def publish(call: Call, project: Record, deployment: Record, files: dict[str, Part]) -> None:
    """Serve a deployment; returns when it is live.

    Raises:
        ApiError: a file that was not uploaded, functions that do not start, a binding without its target.
    """
    branch = deployment["deployment_trigger"]["metadata"]["branch"]
    preview = deployment["environment"] == "preview"
    key = site_key(project["name"], branch_label(branch) if preview else "")
    config = project["deployment_configs"][deployment["environment"]]
    upload = _upload(call, project["name"], config, files)
    async with call.box.lock(f"script:{key}"):
        # Every deployment has the bindings it came with; nothing is inherited.
        draft = await draft_upload(call, key, upload, strict=False, deploys=True)
        draft.script.update(project=project["name"], hosts=_hosts(project["name"], deployment, preview))

        def write() -> None:
            write_version(call, draft.script, draft.version, draft.classes)
            shares = [{"version_id": draft.version["id"], "percentage": 100}]
            write_deployment(call, key, shares, {}, "upload")
            save_script(call.store, draft.script)

        await release(call, key, write)


def _hosts(project: str, deployment: Record, preview: bool) -> list[str]:
    base = f"{project}.pages.localhost"
    branch = branch_label(deployment["deployment_trigger"]["metadata"]["branch"])
    return [f"{deployment['short_id']}.{base}", f"{branch}.{base}" if preview else base]


def _upload(call: Call, project: str, config: Record, files: dict[str, Part]) -> Upload:
    manifest = _json(files, "manifest")
    paths = {path if path.startswith("/") else f"/{path}": str(name) for path, name in manifest.items()}
    session = call.ids.hex(32)
    record = {"id": session, "script": site_key(project), "manifest": paths}
    call.store.put("asset_session", session, record, parent=site_key(project))
    assets = {
        "jwt": sign(call.box, {"purpose": "complete", "session": session}),
        "config": _asset_config(paths, files),
    }
    upload = Upload({"compatibility_date": config["compatibility_date"]})
    if "_worker.bundle" in files:
        bundle = files["_worker.bundle"].data
        boundary = bundle.lstrip().split(b"\r\n", 1)[0][2:].decode("latin-1")
        upload = upload_of(parse_form(f"multipart/form-data; boundary={boundary}", bundle))
    metadata = upload.metadata
    metadata.setdefault("compatibility_date", config["compatibility_date"])
    metadata.setdefault("compatibility_flags", config["compatibility_flags"])
    metadata["assets"] = assets
    if upload.main:
        metadata["bindings"] = _bindings(metadata.get("bindings") or [], config)
    return upload


def _json(files: dict[str, Part], name: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(files[name].data) if name in files else None
    except msgspec.DecodeError:
        value = None
    if not isinstance(value, dict):
        raise bad_request(f"The upload needs a JSON object as {name}.", 8000004)
    return value


def _asset_config(paths: dict[str, str], files: dict[str, Part]) -> dict[str, Any]:
    found = any(path == "/404.html" or path.endswith("/404.html") for path in paths)
    config: dict[str, Any] = {"not_found_handling": "404-page" if found else "single-page-application"}
    for name in ("_headers", "_redirects"):
        if name in files:
            config[name] = files[name].data.decode("utf-8", "replace")
    if "_worker.bundle" in files:
        config["run_worker_first"] = True
        if "_routes.json" in files:
            routes = _json(files, "_routes.json")
            excluded = [f"!{pattern}" for pattern in routes.get("exclude") or []]
            config["run_worker_first"] = [*(routes.get("include") or ["/*"]), *excluded]
    return config


def _bindings(given: list[dict[str, Any]], config: Record) -> list[dict[str, Any]]:
    bindings = {item["name"]: item for item in given}
    for name, item in (config.get("env_vars") or {}).items():
        if item:
            kind = item.get("type") or "plain_text"
            bindings.setdefault(name, {"name": name, "type": kind, "text": item.get("value", "")})
    for key, (kind, source, target) in BINDINGS.items():
        for name, item in (config.get(key) or {}).items():
            if item:
                bindings.setdefault(name, {"name": name, "type": kind, target: item.get(source)})
    bindings.setdefault("ASSETS", {"name": "ASSETS", "type": "assets"})
    return list(bindings.values())
