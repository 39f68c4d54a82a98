"""Records as the newer `/workers/workers` API shows them."""

from __future__ import annotations

import base64
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers.bindings import shown
from trailboss.sandbox.workers.model import current_deployment
from trailboss.sandbox.workers.removal import consumed_queues, incoming_objects, incoming_services
from trailboss.sandbox.workers.upload import blob_path


def worker_json(call: Call, script: Record) -> dict[str, Any]:
    """A Worker."""
    name, settings = script["name"], script["settings"]
    host = f"{name}.{call.box.identity.subdomain}.workers.localhost"
    deployment = current_deployment(call.store, name)
    return {
        "id": script["tag"],
        "name": name,
        "created_on": script["created_on"],
        "updated_on": script["modified_on"],
        "deployed_on": deployment["created_on"] if deployment else None,
        "logpush": bool(settings["logpush"]),
        "observability": _observability(settings["observability"] or {}),
        "tags": settings["tags"] or [],
        "tail_consumers": [{"name": item["service"]} for item in settings["tail_consumers"] or []],
        "references": _references(call, name),
        "subdomain": {
            **script["subdomain"],
            "url": f"http://{host}:{call.box.edge_port}",
            "preview_url_suffix": f"-{host}:{call.box.edge_port}",
        },
    }


def _observability(wanted: dict[str, Any]) -> dict[str, Any]:
    """With everything that was left out as it is then."""
    every = {"enabled": False, "head_sampling_rate": 1, "destinations": [], "persist": True}
    logs = {**every, "invocation_logs": True, **(wanted.get("logs") or {})}
    return {
        "enabled": False,
        "head_sampling_rate": 1,
        **wanted,
        "logs": logs,
        "traces": {**every, **(wanted.get("traces") or {})},
    }


def _references(call: Call, name: str) -> dict[str, Any]:
    store = call.store
    domains = [item for item in store.all("worker_domain") if item["service"] == name]
    tags = {script["name"]: script["tag"] for script in store.all("script")}
    return {
        "dispatch_namespace_outbounds": [],
        "domains": [
            {
                "id": item["id"],
                "certificate_id": item["cert_id"],
                "hostname": item["hostname"],
                "zone_id": item["zone_id"],
                "zone_name": item["zone_name"],
            }
            for item in domains
        ],
        "durable_objects": [
            {
                "namespace_id": item["durable_object_namespace_id"],
                "namespace_name": item["durable_object_namespace_name"],
                "worker_id": tags[item["service"]],
                "worker_name": item["service"],
            }
            for item in incoming_objects(store, name)
        ],
        "queues": consumed_queues(store, name),
        "workers": [
            {"id": tags[item["service"]], "name": item["service"]} for item in incoming_services(store, name)
        ],
    }


def merged_settings(script: Record, value: dict[str, Any]) -> Record:
    """The Worker after a PUT or PATCH of its settings; keys that are absent stay."""
    settings = dict(script["settings"])
    for key in ("logpush", "tags", "observability"):
        if value.get(key) is not None:
            settings[key] = value[key]
    if value.get("tail_consumers") is not None:
        settings["tail_consumers"] = [{"service": item["name"]} for item in value["tail_consumers"]]
    script["settings"] = settings
    if value.get("subdomain"):
        script["subdomain"] = {
            **script["subdomain"],
            **{
                key: bool(value["subdomain"][key])
                for key in ("enabled", "previews_enabled")
                if key in value["subdomain"]
            },
        }
    return script


def version_json(call: Call, script: Record, version: Record, *, modules: bool = False) -> dict[str, Any]:
    """A version; its code only with `modules`."""
    suffix = f"{script['name']}.{call.box.identity.subdomain}.workers.localhost:{call.box.edge_port}"
    urls = [f"http://{version['id'][:8]}-{suffix}"] if script["subdomain"]["previews_enabled"] else []
    shape = {
        "id": version["id"],
        "number": version["number"],
        "created_on": version["metadata"]["created_on"],
        "urls": urls,
        "annotations": version["annotations"],
        "author_id": version["metadata"]["author_id"],
        "author_email": version["metadata"]["author_email"],
        "source": version["metadata"]["source"],
        "bindings": [shown(binding) for binding in version["bindings"]] or None,
        "compatibility_date": version["compatibility_date"] or None,
        "compatibility_flags": version["compatibility_flags"] or None,
        "main_module": version["main"] or None,
        "limits": version.get("limits"),
        "placement": version.get("placement"),
        "migration_tag": version.get("migration_tag"),
        "startup_time_ms": version["startup_time_ms"],
        "usage_model": script["usage_model"],
        "modules": (_modules(call, version) or None) if modules else None,
    }
    return {key: value for key, value in shape.items() if value is not None}


def _modules(call: Call, version: Record) -> list[dict[str, Any]]:
    blobs = call.box.folder.blobs
    return [
        {
            "name": module["name"],
            "content_type": module["type"],
            "content_base64": base64.b64encode(blob_path(blobs, module["sha256"]).read_bytes()).decode(),
        }
        for module in version["modules"]
    ]
