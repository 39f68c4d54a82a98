"""The records of the Workers product and how they are found.

"script" (key: name) is what belongs to the Worker as a whole; "version" (key: id, parent: script) is
immutable but for its annotations; "deployment" (key: id, parent: script), the newest is the current one;
"do_namespace" (key: id, parent: script).

User Workers of dispatch namespaces and Pages sites are the same below a "hidden_script", whose name holds a
"~", which no Worker's own name can: they run, and are no Workers of the account.
"""

from __future__ import annotations

import re
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.store import Record, Store
from trailboss.sandbox.workers import refusals

DEPLOYABLE = 100
"""How many of the newest versions may be deployed."""


def script_named(store: Store, name: str, missing: ApiError | None = None) -> Record:
    """The Worker; 10007 (or `missing`) when there is none."""
    script = store.get("script", name)
    if script is None:
        raise missing or refusals.script_not_found()
    return script


def save_script(store: Store, script: Record) -> Record:
    """Write the Worker's record."""
    return store.put(kind_of(script["name"]), script["name"], script)


def kind_of(name: str) -> str:
    """The kind of record of a Worker, hidden or not."""
    return "hidden_script" if "~" in name else "script"


def all_scripts(store: Store) -> list[Record]:
    """Everything that runs: the account's Workers, then the hidden ones."""
    return store.all("script") + store.all("hidden_script")


def new_script(call: Call, name: str) -> Record:
    """The record of a Worker that is being made; not written yet.

    Raises:
        ApiError: the name cannot be a Worker's.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name):
        raise refusals.invalid_name(name)
    return script_record(call, name)


def script_record(call: Call, name: str) -> Record:
    """The record of a Worker of any name."""
    now = call.clock.iso()
    return {
        "name": name,
        "tag": call.ids.hex(32),
        "created_on": now,
        "modified_on": now,
        "next_number": 1,
        "migration_tag": None,
        "subdomain": {"enabled": False, "previews_enabled": False},
        "settings": {"logpush": False, "tags": [], "tail_consumers": [], "observability": None},
        "schedules": [],
        "aliases": {},
        "usage_model": "standard",
        "last_deployed_from": "api",
    }


def versions_of(store: Store, script: str) -> list[Record]:
    """Its versions, newest first."""
    return store.all("version", script, newest_first=True)


def latest_version(store: Store, script: str) -> Record | None:
    """The version uploaded last."""
    row = store.execute(
        "select key from records where kind='version' and parent=? order by sequence desc limit 1", (script,)
    ).fetchone()
    return store.get("version", row[0]) if row else None


def version_of(store: Store, script: str, version_id: str) -> Record:
    """One version of a Worker; 10012 when it has none of that id."""
    version = store.get("version", version_id)
    if version is None or version["script"] != script:
        raise refusals.version_not_found(version_id)
    return version


def current_deployment(store: Store, script: str) -> Record | None:
    """What the Worker's traffic goes to."""
    row = store.execute(
        "select key from records where kind='deployment' and parent=? order by sequence desc limit 1",
        (script,),
    ).fetchone()
    return store.get("deployment", row[0]) if row else None


def deployed_versions(store: Store, script: str) -> list[Record]:
    """The versions in the current deployment, largest share first."""
    deployment = current_deployment(store, script)
    if deployment is None:
        return []
    shares = sorted(deployment["versions"], key=lambda share: -share["percentage"])
    found = (store.get("version", share["version_id"]) for share in shares)
    return [version for version in found if version is not None]


def namespaces_of(store: Store, script: str) -> list[Record]:
    """The Durable Object namespaces a Worker implements."""
    return store.all("do_namespace", script)


def source_of(call: Call) -> str:
    """Which tool made the call, as versions and deployments record it."""
    agent = call.headers.get("user-agent", "").lower()
    return "wrangler" if agent.startswith("wrangler/") else "terraform" if "terraform" in agent else "api"


def bindings_by_name(version: Record | None) -> dict[str, dict[str, Any]]:
    """The bindings of a version by name; {} without one."""
    return {binding["name"]: binding for binding in (version or {}).get("bindings", [])}


def exported_names(version: Record) -> list[str]:
    """The named exports of the code that can be classes."""
    named = [str(handler.get("name")) for handler in version.get("named_handlers") or []]
    classes = [
        item if isinstance(item, str) else str(item.get("name")) for item in version.get("classes") or []
    ]
    return [*named, *classes]
