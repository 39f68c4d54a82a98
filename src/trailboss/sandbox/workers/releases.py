"""How versions and deployments come to be: checked by the runtime, written whole, live when the call
returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.routes.user import email
from trailboss.sandbox.runtime import Rejected
from trailboss.sandbox.store import Record
from trailboss.sandbox.wanted import worker_of
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.assets import take_assets
from trailboss.sandbox.workers.bindings import resolve
from trailboss.sandbox.workers.durable_objects import Classes
from trailboss.sandbox.workers.exports import expected_namespaces, live_of, objects_of, reconcile
from trailboss.sandbox.workers.model import (
    exported_names,
    kind_of,
    latest_version,
    new_script,
    save_script,
    script_record,
    source_of,
)
from trailboss.sandbox.workers.upload import Upload

CARRIED = ("limits", "placement", "cache_options", "exports")
SETTINGS = ("logpush", "tags", "tail_consumers", "observability", "streaming_tail_consumers")


@dataclass
class Draft:
    """A version on its way in: the script (new or not), the version, its classes; nothing written yet."""

    script: Record
    version: Record
    classes: Classes
    reconciliation: dict[str, Any] | None = None


async def draft_upload(call: Call, name: str, upload: Upload, *, strict: bool, deploys: bool) -> Draft:
    """Check an upload as far as it can be without writing anything.

    Raises:
        ApiError: whatever Cloudflare would say of it.
    """
    metadata = upload.metadata
    script = call.store.get(kind_of(name), name) or (
        script_record(call, name) if "~" in name else new_script(call, name)
    )
    version = new_version(call, script, metadata, "upload" if deploys else "version_upload")
    version["bindings"] = resolve(call, name, metadata, strict=strict)
    version["format"], version["main"], version["etag"] = upload.format, upload.main, upload.etag
    version["modules"] = [module.stored(call.box.folder.blobs) for module in upload.modules]
    version["assets"] = take_assets(call, name, metadata)
    draft = Draft(script, version, Classes(call, name))
    await check_code(call, draft)
    _check_classes(call, draft, metadata, deploys=deploys)
    return draft


def new_version(call: Call, script: Record, metadata: dict[str, Any], trigger: str) -> Record:
    """The record of a version of `script`, without code and bindings; `trigger` is what made it."""
    now = call.clock.iso()
    annotations = {key: str(value) for key, value in (metadata.get("annotations") or {}).items() if value}
    annotations.setdefault("workers/triggered_by", trigger)
    return {
        "id": call.ids.uuid(),
        "script": script["name"],
        "number": script["next_number"],
        "metadata": {
            "created_on": now,
            "modified_on": now,
            "source": source_of(call),
            "author_id": call.box.identity.user_id,
            "author_email": email(call),
            "has_preview": True,
        },
        "annotations": annotations,
        "compatibility_date": metadata.get("compatibility_date") or "",
        "compatibility_flags": metadata.get("compatibility_flags") or [],
        "handlers": [],
        "named_handlers": [],
        "startup_time_ms": 0,
        **{key: metadata[key] for key in CARRIED if metadata.get(key) is not None},
    }


async def check_code(call: Call, draft: Draft) -> None:
    """Let the runtime load the code, and note what it found.

    Raises:
        ApiError: 10021 with the runtime's message, 10068 when nothing handles anything.
    """
    version = draft.version
    if version["format"] == "assets":
        return
    # Which classes must be exported is checked after this, with Cloudflare's own words.
    found = await call.runtime.validate(worker_of(call.box, draft.script, version, []))
    if not found.get("ok", True):
        raise refusals.validation_failed(str(found.get("message") or "the script did not start"))
    version["handlers"] = found.get("handlers") or []
    version["named_handlers"] = found.get("named_handlers") or []
    version["classes"] = found.get("classes") or []
    version["startup_time_ms"] = int(found.get("startup_time_ms") or 0)
    if not (version["handlers"] or version["named_handlers"] or version["classes"]):
        raise refusals.no_handlers()


def _check_classes(call: Call, draft: Draft, metadata: dict[str, Any], *, deploys: bool) -> None:
    """Migrations, declared exports, and bindings to classes of this Worker."""
    classes, script = draft.classes, draft.script
    migrations, exports = metadata.get("migrations"), objects_of(metadata.get("exports"))
    exported = exported_names(draft.version)
    if migrations and not deploys:
        raise refusals.migration_in_version()
    if migrations:
        script["migration_tag"] = classes.migrate(migrations, script["migration_tag"])
    if exports and deploys:
        draft.reconciliation = reconcile(call, classes, exports, draft.version)
    elif exports:
        draft.version["deferred"] = True  # until it is deployed
    elif draft.version["format"] == "modules":
        classes.check_exported(exported)
        classes.expected = {} if deploys else None  # an entry that is gone takes its expectation along
    bind_classes(call, script["name"], draft.version, classes)
    draft.version["migration_tag"] = script["migration_tag"]
    draft.version["metadata"]["has_preview"] = not classes.now
    draft.version["implements"] = sorted({*classes.now, *live_of(exports)})


def check_bound(call: Call, script: Record, version: Record) -> None:
    """Refuse bindings to Durable Object classes that nothing implements (when only bindings change)."""
    bind_classes(call, script["name"], version, Classes(call, script["name"]))


def bind_classes(call: Call, script: str, version: Record, classes: Classes) -> None:
    """Note the namespace that each Durable Object binding means; `classes` are this Worker's.

    Raises:
        ApiError: 10061 when there is none, 100406 when there will be one once the version is deployed.
    """
    own = {**expected_namespaces(call.store, classes), **classes.now}
    for binding in version["bindings"]:
        if binding["type"] != "durable_object_namespace" or not binding.get("class_name"):
            continue
        name, owner = binding["class_name"], binding.get("script_name") or script
        if owner == script:
            namespace = own.get(name)
        else:
            namespace = call.store.find("do_namespace", **{"script": owner, "class": name})
        if namespace is None and version.get("deferred") and name in live_of(version.get("exports")):
            raise refusals.class_not_provisioned(name)
        if namespace is None:
            raise refusals.class_not_configured(name)
        binding["namespace_id"] = namespace["id"]


def copy_version(call: Call, script: Record, base: Record, trigger: str) -> Record:
    """A new version that is `base` but for what the caller changes next."""
    fresh = new_version(call, script, {}, trigger)
    kept = {
        key: value for key, value in base.items() if key not in ("id", "number", "metadata", "annotations")
    }
    fresh.update(kept)
    fresh["metadata"]["has_preview"] = base["metadata"]["has_preview"]
    return fresh


def write_version(call: Call, script: Record, version: Record, classes: Classes | None = None) -> None:
    """Enter a version; inside the caller's transaction."""
    script["next_number"] = version["number"] + 1
    script["modified_on"] = call.clock.iso()
    script["last_deployed_from"] = version["metadata"]["source"]
    alias = version["annotations"].get("workers/alias")
    if alias:
        script["aliases"] = {**script["aliases"], alias: version["id"]}
    save_script(call.store, script)
    call.store.put("version", version["id"], version, parent=script["name"])
    if classes is not None:
        classes.write()


def write_deployment(
    call: Call, script: str, shares: list[dict[str, Any]], annotations: dict[str, Any], trigger: str
) -> Record:
    """Enter a deployment, from now on the current one; inside the caller's transaction."""
    deployment: Record = {
        "id": call.ids.uuid(),
        "script": script,
        "created_on": call.clock.iso(),
        "source": source_of(call),
        "strategy": "percentage",
        "author_email": email(call),
        "annotations": {"workers/triggered_by": trigger, **annotations},
        "versions": shares,
    }
    return call.store.put("deployment", deployment["id"], deployment, parent=script)


async def release(call: Call, name: str, write: Callable[[], Any]) -> Any:
    """Write in one transaction and return when it is live; undo it when the runtime refuses the result.

    Raises:
        ApiError: 10021 with what the runtime said.
    """
    store = call.store
    kinds = (kind_of(name), "version", "deployment", "do_namespace", "do_transfer")
    before = {kind: _keyed(store.execute(_ROWS, (kind, name, name)).fetchall()) for kind in kinds}
    with store.transaction():
        result = write()
    try:
        await call.runtime.sync()
    except Rejected as error:
        with store.transaction():
            for kind in kinds:
                _put_back(call, kind, name, before[kind])
        await call.runtime.sync()
        raise refusals.validation_failed(error.message) from error
    return result


_ROWS = "select key, sequence, parent, body from records where kind=? and (parent=? or key=?)"


def _keyed(rows: list[Any]) -> dict[str, Any]:
    return {row[0]: row for row in rows}


def _put_back(call: Call, kind: str, name: str, before: dict[str, Any]) -> None:
    for key, *_ in call.store.execute(_ROWS, (kind, name, name)).fetchall():
        call.store.delete(kind, key)
    for key, sequence, parent, body in before.values():
        call.store.execute(
            "insert or replace into records (sequence, kind, key, parent, body) values (?, ?, ?, ?, ?)",
            (sequence, kind, key, parent, body),
        )


def base_version(call: Call, script: str) -> Record:
    """The version that a change of secrets or settings starts from: the newest.

    Raises:
        ApiError: 10222 when there is none.
    """
    version = latest_version(call.store, script)
    if version is None:
        raise refusals.no_versions()
    return version


async def redeploy(call: Call, script: Record, version: Record, trigger: str) -> Record:
    """Write a changed copy of the newest version and put it live."""

    def write() -> Record:
        write_version(call, script, version)
        shares = [{"version_id": version["id"], "percentage": 100}]
        return write_deployment(call, script["name"], shares, {}, trigger)

    deployment: Record = await release(call, script["name"], write)
    return deployment
