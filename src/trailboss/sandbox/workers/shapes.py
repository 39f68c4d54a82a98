"""Records as the Workers API shows them."""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.store import Record, Store
from trailboss.sandbox.workers.bindings import shown
from trailboss.sandbox.workers.exports import live_of
from trailboss.sandbox.workers.model import deployed_versions, latest_version


def script_shape(store: Store, script: Record) -> dict[str, Any]:
    """A Worker as GET /workers/scripts lists it."""
    deployed = deployed_versions(store, script["name"])
    version = deployed[0] if deployed else latest_version(store, script["name"])
    return {"id": script["name"], **code_shape(script, version), "routes": None}


def code_shape(script: Record, version: Record | None) -> dict[str, Any]:
    """What the API says of a Worker's code and settings, wherever it says so."""
    version = version or {}
    settings = script["settings"]
    return _set(
        tag=script["tag"],
        tags=settings["tags"] or [],
        etag=version.get("etag", ""),
        handlers=version.get("handlers", []),
        named_handlers=version.get("named_handlers") or None,
        created_on=script["created_on"],
        modified_on=script["modified_on"],
        compatibility_date=version.get("compatibility_date"),
        compatibility_flags=version.get("compatibility_flags", []),
        has_assets=version.get("assets") is not None,
        has_modules=version.get("format") == "modules",
        last_deployed_from=script["last_deployed_from"],
        logpush=settings["logpush"],
        migration_tag=script["migration_tag"],
        observability=settings["observability"],
        placement=version.get("placement"),
        placement_mode=(version.get("placement") or {}).get("mode"),
        tail_consumers=settings["tail_consumers"] or [],
        usage_model=script["usage_model"],
    )


def version_shape(script: Record, version: Record) -> dict[str, Any]:
    """One version, whole."""
    return {
        **version_item(version),
        "resources": {
            "bindings": [shown(binding) for binding in version["bindings"]],
            "script": _set(
                etag=version["etag"],
                handlers=version["handlers"] or None,
                named_handlers=version["named_handlers"] or None,
                last_deployed_from=version["metadata"]["source"],
                placement=version.get("placement"),
                placement_mode=(version.get("placement") or {}).get("mode"),
            ),
            "script_runtime": _set(
                compatibility_date=version["compatibility_date"] or None,
                compatibility_flags=version["compatibility_flags"] or None,
                limits=version.get("limits"),
                usage_model=script["usage_model"],
                migration_tag=version.get("migration_tag"),
                exports=live_of(version.get("exports")) or None,
            ),
        },
        "startup_time_ms": version["startup_time_ms"],
    }


def version_item(version: Record) -> dict[str, Any]:
    """One version in a list."""
    return {
        "id": version["id"],
        "number": version["number"],
        "metadata": {**version["metadata"], "hasPreview": version["metadata"]["has_preview"]},
        "annotations": version["annotations"],
    }


def settings_shape(script: Record, version: Record | None) -> dict[str, Any]:
    """What GET scripts/{n}/settings answers."""
    version = version or {}
    settings = script["settings"]
    return _set(
        annotations=version.get("annotations"),
        bindings=[shown(binding) for binding in version.get("bindings", [])],
        compatibility_date=version.get("compatibility_date"),
        compatibility_flags=version.get("compatibility_flags", []),
        limits=version.get("limits"),
        logpush=settings["logpush"],
        migration_tag=script["migration_tag"],
        observability=settings["observability"],
        placement=version.get("placement"),
        tags=settings["tags"] or [],
        tail_consumers=settings["tail_consumers"] or [],
        usage_model=script["usage_model"],
        cache_options=version.get("cache_options"),
    )


def deployment_shape(deployment: Record) -> dict[str, Any]:
    """One deployment."""
    return {key: value for key, value in deployment.items() if key != "script"}


def _set(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
