"""All bindings of a Worker, in the order wrangler sends them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trailboss.build.metadata import compute, edge, intelligence, storage, values
from trailboss.build.metadata.table import Fields, Read, Wire
from trailboss.errors import BuildError
from trailboss.values import Location

FAMILIES = (values.FAMILY, storage.FAMILY, compute.FAMILY, intelligence.FAMILY, edge.FAMILY)
READ: dict[str, Read] = {key: read for family in FAMILIES for key, read in family.read.items()}
WIRE: dict[str, Wire] = {kind: wire for family in FAMILIES for kind, wire in family.wire.items()}

ORDER: tuple[str, ...] = (
    *("inherit", "plain_text", "json", "secret_text", "kv_namespace", "send_email"),
    *("durable_object_namespace", "workflow", "queue", "r2_bucket", "d1", "vectorize"),
    *("ai_search_namespace", "ai_search", "agent_memory", "hyperdrive", "secrets_store_secret", "artifacts"),
    *("unsafe_hello_world", "flagship", "ratelimit", "vpc_service", "vpc_network", "service"),
    *("analytics_engine", "dispatch_namespace", "mtls_certificate", "pipeline", "k2", "worker_loader"),
    *("logfwdr", "wasm_module", "browser", "analytics", "ai", "images", "stream", "media"),
    *("version_metadata", "assets", "text_blob", "data_blob"),
)
"""Types in the order of wrangler 4.164's upload form."""

PROVISIONED = {
    "kv_namespace": "id",
    "d1": "database_id",
    "r2_bucket": "bucket_name",
    "queue": "queue_name",
    "ai_search_namespace": "namespace",
    "agent_memory": "namespace",
    "flagship": "app_id",
    "dispatch_namespace": "namespace",
    "hyperdrive": "id",
    "mtls_certificate": "certificate_id",
}
"""Types whose resource may be left out of the configuration, with the field that names it."""

INHERIT = object()
"""Stands for the resource of a binding that keeps the deployed one; it is sent as type "inherit"."""

UNSAFE = "unsafe:"
"""Marks a type that came from `unsafe.bindings` and is sent as it stands."""

Bindings = dict[str, tuple[str, Fields]]


def collect(settings: Mapping[str, Any], config: Path | None = None) -> Bindings:
    """Every binding the configuration asks for: name -> (type, fields), a later one replacing an earlier.

    Raises:
        BuildError: TB3401 an entry lacks its name or, under `unsafe`, its type.
    """
    found: Bindings = {}
    for key, read in READ.items():
        try:
            for name, kind, fields in read(settings.get(key)):
                found[name] = (kind, fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise _unusable(key, error, config) from error
    for entry in (settings.get("unsafe") or {}).get("bindings") or ():
        try:
            rest = {key: value for key, value in entry.items() if key not in ("name", "type")}
            found[entry["name"]] = (UNSAFE + entry["type"], rest)
        except (KeyError, TypeError, AttributeError) as error:
            raise _unusable("unsafe.bindings", error, config) from error
    return found


def with_resources(bindings: Bindings, resources: Mapping[str, str | None]) -> Bindings:
    """`bindings` with the resources the configuration does not name: binding name -> id or name.

    None, and a binding left without a resource, is sent as "what the deployed Worker has".
    """
    return {name: _resourced(kind, fields, name, resources) for name, (kind, fields) in bindings.items()}


def _resourced(
    kind: str, fields: Fields, name: str, resources: Mapping[str, str | None]
) -> tuple[str, Fields]:
    field = PROVISIONED.get(kind)
    if field is None:
        return kind, fields
    resource = resources.get(name, fields.get(field))
    return kind, {**fields, field: resource or INHERIT}


def wire(bindings: Bindings) -> list[dict[str, Any]]:
    """The `bindings` list of the metadata."""
    rows = [
        _row(name, kind, fields)
        for wanted in ORDER
        for name, (kind, fields) in bindings.items()
        if kind == wanted
    ]
    rows += [
        {"name": name, "type": kind.removeprefix(UNSAFE), **fields}
        for name, (kind, fields) in bindings.items()
        if kind.startswith(UNSAFE)
    ]
    return rows


def _row(name: str, kind: str, fields: Fields) -> dict[str, Any]:
    if kind in PROVISIONED and fields.get(PROVISIONED[kind]) is INHERIT:
        # It keeps the place of its own type in the list.
        return {"name": name, "type": "inherit"}
    return WIRE[kind](name, fields)


def _unusable(key: str, error: Exception, config: Path | None) -> BuildError:
    lacking = (
        f'an entry lacks "{error.args[0]}"' if isinstance(error, KeyError) else "its value has another shape"
    )
    return BuildError(
        "TB3401",
        f"the bindings under {key} cannot be used: {lacking}",
        hint="Compare the entry with wrangler's configuration reference.",
        where=Location(config) if config else None,
    )
