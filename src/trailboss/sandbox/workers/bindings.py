"""Bindings of an upload: inheritance from the version before, targets that must exist, names used once."""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.store import Record, Store
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.model import bindings_by_name, latest_version

Binding = dict[str, Any]

TYPES = {
    *("agent_memory", "ai", "ai_search", "ai_search_namespace", "analytics", "analytics_engine", "artifacts"),
    *("assets", "browser", "d1", "data_blob", "dispatch_namespace", "durable_object_namespace", "flagship"),
    *("hyperdrive", "images", "inherit", "json", "k2", "kv_namespace", "logfwdr", "media", "messaging"),
    *("mtls_certificate", "pipelines", "plain_text", "queue", "r2_bucket", "ratelimit", "secret_key"),
    *("secret_text", "secrets_store_secret", "send_email", "service", "stream", "text_blob", "vectorize"),
    *("version_metadata", "vpc_network", "vpc_service", "wasm_module", "worker_loader", "workflow"),
}
SECRET = {"secret_text": ("text",), "secret_key": ("key_base64", "key_jwk")}

# binding type -> (record kind, binding field, record field, code, wording)
TARGETS: dict[str, tuple[str, str, str, int, str]] = {
    "kv_namespace": ("kv_namespace", "namespace_id", "id", 10041, "KV namespace '{target}' is not valid."),
    "d1": (
        "d1_database",
        "id",
        "uuid",
        10181,
        "D1 binding '{name}' references database '{target}' which was not found.",
    ),
    "r2_bucket": (
        "r2_bucket",
        "bucket_name",
        "name",
        10085,
        "R2 bucket '{target}' not found. Please use a different name and try again.",
    ),
    "queue": (
        "queue",
        "queue_name",
        "queue_name",
        11000,
        "Queue '{target}' does not exist. Please create it first.",
    ),
    "vectorize": (
        "vectorize_index",
        "index_name",
        "name",
        10159,
        "Vectorize binding '{name}' references index '{target}' which was not found.",
    ),
    "hyperdrive": (
        "hyperdrive_config",
        "id",
        "id",
        10157,
        "Hyperdrive binding '{name}' references configuration '{target}' which was not found.",
    ),
    "service": (
        "script",
        "service",
        "name",
        10143,
        "Service binding '{name}' references Worker '{target}' which was not found.",
    ),
}


def resolve(call: Call, script: str, metadata: dict[str, Any], *, strict: bool) -> list[Binding]:
    """The bindings a new version gets.

    Raises:
        ApiError: an unknown type, a name twice, an inheritance without an heir, a target that is not there.
    """
    previous = latest_version(call.store, script)
    wanted: list[Binding] = metadata.get("bindings") or []
    resolved, missing = _inherited(call.store, wanted, previous)
    if missing and strict:
        raise refusals.inherit_failed(missing)
    names = {binding["name"] for binding in resolved}
    kept = set(metadata.get("keep_bindings") or [])
    for binding in (previous or {}).get("bindings", []):
        if binding["type"] in kept and binding["name"] not in names:
            resolved.append(binding)
            names.add(binding["name"])
    if len(names) < len(resolved):
        raise refusals.name_in_use(_twice(resolved))
    for binding in resolved:
        check_target(call, script, binding)
    return [_normal(binding) for binding in resolved]


def _inherited(
    store: Store, wanted: list[Binding], previous: Record | None
) -> tuple[list[Binding], list[str]]:
    resolved: list[Binding] = []
    missing: list[str] = []
    for binding in wanted:
        _check_shape(binding)
        if binding["type"] != "inherit":
            resolved.append(binding)
            continue
        version = previous
        if binding.get("version_id") not in (None, "latest"):
            version = store.get("version", str(binding["version_id"]))
        found = bindings_by_name(version).get(binding.get("old_name") or binding["name"])
        if found is None:
            missing.append(binding["name"])
        else:
            resolved.append({**found, "name": binding["name"]})
    return resolved, missing


def _check_shape(binding: Any) -> None:
    if not isinstance(binding, dict) or not isinstance(binding.get("name"), str) or not binding.get("type"):
        raise refusals.bad_metadata("Every binding needs a name and a type.")
    if binding["type"] not in TYPES:
        raise refusals.bad_metadata(f"Binding '{binding['name']}' has the unknown type '{binding['type']}'.")


def _twice(bindings: list[Binding]) -> str:
    seen: set[str] = set()
    for binding in bindings:
        if binding["name"] in seen:
            return str(binding["name"])
        seen.add(binding["name"])
    return ""


def _normal(binding: Binding) -> Binding:
    """D1 has two spellings of its id; both are kept in step. Unset values are not echoed."""
    binding = {key: value for key, value in binding.items() if value is not None}
    if binding["type"] == "d1":
        database = binding.get("id") or binding.get("database_id")
        return {**binding, "id": database, "database_id": database}
    return binding


def check_target(call: Call, script: str, binding: Binding) -> None:
    """Refuse a binding to something that is not there; products may know better (`router.target`)."""
    for router in call.box.routers:
        check = router.targets.get(binding["type"])
        if check is not None:
            refusal = check(call.store, binding)
            if refusal is not None:
                raise refusal
            return
    known = TARGETS.get(binding["type"])
    if known is None:
        return
    kind, source, key, code, wording = known
    target = binding.get(source) or binding.get("database_id" if kind == "d1_database" else source)
    if not target:
        raise refusals.bad_metadata(
            f"binding {binding['name']} of type {binding['type']} must have a valid `{source}` specified"
        )
    if kind == "script" and target == script:
        return
    if call.store.find(kind, **{key: target}) is None:
        raise ApiError(400, code, wording.format(name=binding["name"], target=target))


def shown(binding: Binding) -> Binding:
    """A binding as the API echoes it: secrets without their value."""
    hidden = SECRET.get(binding["type"], ())
    return {key: value for key, value in binding.items() if key not in hidden}


def secrets_of(version: Record | None) -> dict[str, Binding]:
    """The secret bindings of a version by name."""
    return {name: item for name, item in bindings_by_name(version).items() if item["type"] in SECRET}
