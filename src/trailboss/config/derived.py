"""The environment of a preview: a copy of another one, made while the files are read and written nowhere.

`pr-12`, `mr-12` and `preview-login` are such names. One that no file declares stands for the environment that
previews are copies of (`[ephemeral] from`, else `staging`), with Workers and resources of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from trailboss.config.copying import copied
from trailboss.config.document import Document
from trailboss.config.merging import OWN_KEYS, merge
from trailboss.config.resolve import built_for_another, env_table, script_name

PREFIXES = ("pr-", "mr-", "preview-")
"""How a name begins that may stand for a preview."""
FROM, EXPIRES = "TRAILBOSS_PREVIEW_FROM", "TRAILBOSS_PREVIEW_EXPIRES"
"""Variables that say for one command what `[ephemeral] from` and `expires` say for all."""
USUAL = "staging"
OWN = frozenset(
    (
        *("agent_memory_namespace", "ai_search_namespace", "cron_trigger", "d1_database", "d1_migrations"),
        *("dispatch_namespace", "flagship_app", "hyperdrive_config", "kv_namespace", "mtls_certificate"),
        *("queue", "queue_consumer", "r2_bucket", "r2_bucket_cors", "r2_bucket_lifecycle"),
        *("r2_event_notification", "vectorize_index", "vectorize_metadata_index", "workflow"),
    )
)
"""Resources that a Worker has for itself. Zones, tunnels and who may log in stay with the source."""
RELEASING = ("release", "gates", "probes")
"""How traffic moves in the source; a preview has none to protect."""


@dataclass(frozen=True, slots=True)
class Derived:
    """`name` is a copy of `source` ("" is the top level)."""

    name: str
    source: str


def source_of(
    document: Document, name: str | None, known: tuple[str, ...], environ: Mapping[str, str]
) -> Derived | None:
    """What `name` is a copy of; None when it is no preview's name, or nobody says what previews copy."""
    if not name or not name.startswith(PREFIXES):
        return None
    said = environ[FROM] if FROM in environ else document.data.get("ephemeral", {}).get("from")
    if said is None:
        said = USUAL if USUAL in known else None if known else ""
    return Derived(name, said) if said == "" or said in known else None


def settings_for(document: Document, derived: Derived, environ: Mapping[str, str]) -> Document:
    """trailboss.toml with the preview's environment in it."""
    data = deepcopy(document.data)
    environments = data.setdefault("environments", {})
    own = {k: v for k, v in environments.get(derived.source, {}).items() if k not in OWN_KEYS}
    own = deepcopy(own)
    for table in (data, own):
        for key in RELEASING:
            table.pop(key, None)
        if isinstance(table.get("resources"), dict):
            table["resources"] = _resources(table["resources"], derived)
    _secrets(data, own, derived.source)
    if seed := environments.get(derived.source, {}).get("seed"):
        own["seed"] = deepcopy(seed)
    own["ephemeral"] = {**own.get("ephemeral", {})}
    own["ephemeral"].pop("expires", None)
    if environ.get(EXPIRES):
        own["ephemeral"]["expires"] = environ[EXPIRES]
    environments[derived.name] = own
    return replace(document, data=data, derived=(derived.name, derived.source))


def names_of(document: Document, derived: Derived, *, redirected: bool) -> tuple[str, str]:
    """What a Worker is called in the source, and in the preview."""
    if not redirected:
        return script_name(document, derived.source), script_name(document, derived.name)
    flat = script_name(document, None)
    top = document.data.get("topLevelName")
    plain = top if isinstance(top, str) and top else flat.removesuffix(f"-{derived.source}")
    return flat, f"{plain}-{derived.name}" if plain else ""


def flat_for(document: Document, derived: Derived, names: Mapping[str, str]) -> Document:
    """A config that a build tool flattened for the source, made the preview's own.

    Raises ConfigError TB1103 when it was flattened for another environment than the source.
    """
    data = deepcopy(document.data)
    built_for = data.get("targetEnvironment") or ""
    told = built_for or derived.source in (data.get("definedEnvironments") or ())
    if told and built_for != derived.source:
        raise built_for_another(document, built_for, derived.source)
    table, _ = copied(data, derived.source, derived.name, names)
    own = {"name": names.get(script_name(document, None), ""), "routes": [], "workers_dev": True}
    return replace(document, data={**table, **own}, derived=(derived.name, derived.source))


def config_for(document: Document, derived: Derived, names: Mapping[str, str]) -> Document:
    """A wrangler config with the preview's environment in it: no routes, an address of its own."""
    data = deepcopy(document.data)
    table, _ = copied(deepcopy(env_table(document, derived.source)), derived.source, derived.name, names)
    for key in ("route", "routes"):
        data.pop(key, None)
    data.setdefault("env", {})[derived.name] = {**table, "routes": [], "workers_dev": True}
    return replace(document, data=data, derived=(derived.name, derived.source))


def left_out(tables: Mapping[str, Any], source: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of resources that a preview does without."""
    kinds = {**(tables.get("resources") or {}), **(source.get("resources") or {})}
    return tuple(sorted(kind for kind in kinds if kind not in OWN))


def _resources(kinds: dict[str, Any], derived: Derived) -> dict[str, Any]:
    """What the preview has of these; a name that ends in the source's gets the preview's end."""
    kept = {kind: tables for kind, tables in kinds.items() if kind in OWN and isinstance(tables, dict)}
    for tables in kept.values():
        for table in tables.values():
            for key in ("name", "title"):
                text = table.get(key) if isinstance(table, dict) else None
                if isinstance(text, str) and derived.source and text.endswith(f"-{derived.source}"):
                    table[key] = f"{text.removesuffix(derived.source)}{derived.name}"
    return kept


def _secrets(data: Mapping[str, Any], own: dict[str, Any], source: str) -> None:
    """The source's file of secrets is the preview's: nobody writes one for every pull request."""
    file = merge(data.get("secrets", {}), own.get("secrets", {})).get("file")
    if isinstance(file, str) and source:
        own["secrets"] = {**own.get("secrets", {}), "file": file.replace("{environment}", source)}
