"""From the account's records to what the side-car should run: its Workers, its routing, its resources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trailboss.sandbox.box import Box
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers.model import (
    DEPLOYABLE,
    all_scripts,
    current_deployment,
    deployed_versions,
    exported_names,
    namespaces_of,
)
from trailboss.sandbox.workers.upload import blob_path


def wanted_state(box: Box) -> dict[str, Any]:
    """The whole declarative state for PUT /state."""
    resources: dict[str, list[str]] = {"kv": [], "d1": [], "r2": []}
    for router in box.routers:
        for kind, any_of in router.storage.items():
            resources[kind] = ["any"] if any_of(box.store) else []
    workers = []
    for script in all_scripts(box.store):
        namespaces = namespaces_of(box.store, script["name"])
        for version in deployed_versions(box.store, script["name"]):
            workers.append(worker_of(box, script, version, namespaces))
    return {"workers": workers, "routing": routing(box), "resources": resources}


def worker_of(box: Box, script: Record, version: Record, namespaces: Iterable[Record]) -> dict[str, Any]:
    """One version as the side-car wants it (W)."""
    blobs = box.folder.blobs
    assets = version.get("assets")
    workflows = [item for item in box.store.all("workflow") if item["script_name"] == script["name"]]
    return {
        "script": script["name"],
        "version": version["id"],
        "number": version["number"],
        "created_on": version["metadata"]["created_on"],
        "tag": version["annotations"].get("workers/tag"),
        "message": version["annotations"].get("workers/message"),
        "format": version["format"],
        "main": version["main"],
        "modules": [
            {
                "name": module["name"],
                "part": module.get("part", module["name"]),
                "type": module["type"],
                "path": str(blob_path(blobs, module["sha256"])),
            }
            for module in version["modules"]
        ],
        "compatibility_date": version["compatibility_date"],
        "compatibility_flags": version["compatibility_flags"],
        "bindings": [_reachable(box, binding) for binding in version["bindings"]],
        "durable_objects": [
            {"class_name": item["class"], "namespace_id": item["id"], "sqlite": item["use_sqlite"]}
            for item in namespaces
        ],
        "workflows": [{"name": item["name"], "class_name": item["class_name"]} for item in workflows],
        "exports": exported_names(version),
        "assets": None
        if assets is None
        else {"directory": str(box.folder.assets / assets["set"]), "config": assets["config"]},
        "limits": version.get("limits"),
        "tail_consumers": script["settings"]["tail_consumers"] or [],
        "observability": script["settings"]["observability"],
    }


def _reachable(box: Box, binding: dict[str, Any]) -> dict[str, Any]:
    """Add what only the account knows: the value of a stored secret, where a database really is."""
    for router in box.routers:
        enrich = router.enrichers.get(binding["type"])
        if enrich is not None:
            return enrich(box.store, binding)
    return binding


def routing(box: Box) -> dict[str, Any]:
    """R: which version gets which share, and which addresses mean which Worker."""
    scripts = {}
    for script in all_scripts(box.store):
        deployment = current_deployment(box.store, script["name"])
        if deployment is not None:
            scripts[script["name"]] = _routing_of(box, script, deployment)
    domains = box.store.all("worker_domain")
    routes = box.store.all("worker_route")
    return {
        "scripts": scripts,
        "hosts": [
            {"hostname": item["hostname"], "script": item["service"], "enabled": item.get("enabled", True)}
            for item in domains
        ]
        + [
            {"hostname": host, "script": item["name"], "enabled": True}
            for item in box.store.all("hidden_script")
            for host in item.get("hosts", [])
        ],
        "dispatch": {
            item["name"]: item["dispatch"] for item in box.store.all("hidden_script") if "dispatch" in item
        },
        "routes": [{"pattern": item["pattern"], "script": item.get("script")} for item in routes],
        **{name: of(box) for router in box.routers for name, of in router.edge_tables.items()},
    }


def _routing_of(box: Box, script: Record, deployment: Record) -> dict[str, Any]:
    rows = box.store.execute(
        "select key, json_extract(body, '$.metadata.has_preview') from records"
        " where kind='version' and parent=? order by sequence desc limit ?",
        (script["name"], DEPLOYABLE),
    ).fetchall()
    return {
        "deployment": deployment["id"],
        "versions": [
            {"version": share["version_id"], "percentage": share["percentage"]}
            for share in deployment["versions"]
        ],
        "workers_dev": script["subdomain"]["enabled"],
        "previews": script["subdomain"]["previews_enabled"],
        "aliases": script["aliases"],
        "previewable": [key for key, has_preview in rows if has_preview],
    }


def preview_worker(box: Box, script: str, prefix: str) -> dict[str, Any] | None:
    """The Worker of a version that is not deployed, by the start of its id."""
    found = box.store.get("script", script)
    if found is None or not prefix:
        return None
    for version in box.store.all("version", script, newest_first=True):
        if version["id"].startswith(prefix):
            return worker_of(box, found, version, namespaces_of(box.store, script))
    return None
