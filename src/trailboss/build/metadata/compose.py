"""The whole metadata of one upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trailboss.build.artifact import Artifact
from trailboss.build.metadata.bindings import Bindings, wire
from trailboss.build.metadata.table import some

_BLOB_TYPES = {
    "application/wasm": "wasm_module",
    "text/plain": "text_blob",
    "application/octet-stream": "data_blob",
}


@dataclass(frozen=True, slots=True)
class Wiring:
    """What an environment adds to an artifact. `deploys` is false for an upload that only makes a version."""

    bindings: Bindings
    deploys: bool = True
    keep_vars: bool = False
    migrations: Mapping[str, Any] | None = None
    exports: Mapping[str, Any] | None = None
    code_update_strategy: Mapping[str, Any] | None = None
    annotations: Mapping[str, str] | None = None
    assets_jwt: str | None = field(default=None, repr=False)


def compose(settings: Mapping[str, Any], artifact: Artifact, wiring: Wiring) -> dict[str, Any]:
    """The metadata object, its keys in wrangler's order, absent where wrangler leaves them out."""
    assets = _assets(artifact, wiring.assets_jwt)
    annotated = {"annotations": dict(wiring.annotations)} if wiring.annotations is not None else {}
    runtime = _runtime(artifact)
    if artifact.format == "assets":
        return {**assets, **annotated, **runtime}
    main = "main_module" if artifact.format == "modules" else "body_part"
    return {
        main: artifact.main,
        "bindings": wire(wiring.bindings) + _module_blobs(artifact, wiring.bindings),
        **runtime,
        **_present("migrations", wiring.migrations),
        **_present("code_update_strategy", wiring.code_update_strategy),
        **_present("exports", wiring.exports),
        "keep_bindings": [*(["plain_text", "json"] if wiring.keep_vars else []), "secret_text", "secret_key"],
        **(some(settings, "logpush") if wiring.deploys else {}),
        **_present("placement", placement(settings.get("placement"))),
        **some(settings, "tail_consumers"),
        **(some(settings, "streaming_tail_consumers") if wiring.deploys else {}),
        **some(settings, "limits"),
        **annotated,
        **assets,
        **(some(settings, "observability") if wiring.deploys else {}),
        **_present("cache_options", settings.get("cache")),
        **_present("package_dependencies", list(artifact.code.package_dependencies) or None),
    }


def placement(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Placement as Cloudflare takes it: smart (with a hint), targeted at one place, or nothing."""
    if not value:
        return None
    hint = value.get("hint")
    if not hint and value.get("mode") == "off":
        return None
    if hint or value.get("mode") == "smart":
        return {"mode": "smart", **({"hint": hint} if hint else {})}
    for key in ("region", "host", "hostname"):
        if value.get(key):
            return {"mode": "targeted", key: value[key]}
    return None


def _present(key: str, value: Any) -> dict[str, Any]:
    return {} if value is None else {key: value}


def _runtime(artifact: Artifact) -> dict[str, Any]:
    date = artifact.code.compatibility_date
    return {
        **({"compatibility_date": date} if date else {}),
        "compatibility_flags": list(artifact.code.compatibility_flags),
    }


def _assets(artifact: Artifact, jwt: str | None) -> dict[str, Any]:
    if artifact.assets is None or jwt is None:
        return {}
    assets = artifact.assets
    keys = ("html_handling", "not_found_handling", "base_path", "run_worker_first")
    config = {
        **some(assets.config, *keys),
        **_present("_redirects", assets.redirects),
        **_present("_headers", assets.headers),
    }
    return {"assets": {"jwt": jwt, "config": config}}


def _module_blobs(artifact: Artifact, bindings: Bindings) -> list[dict[str, Any]]:
    """In the service-worker format imported files are bindings too, after all others."""
    return [
        {"name": module.field, "type": _BLOB_TYPES[module.content_type], "part": module.field}
        for module in artifact.modules
        if module.role == "blob" and module.field not in bindings
    ]
