"""Trailboss's own inheritance: every environment gets the bindings that exist only at the top level.

Resource names get the environment's name (`agency-cache` -> `agency-cache-staging`), ids are left out, so
that two environments can never share data by accident. What cannot be separated (another project's Worker)
is said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trailboss.config.document import Keys

Table = dict[str, Any]


@dataclass(slots=True)
class Heir:
    """What inheriting needs to know: the environment, and the project's Workers by top-level name."""

    environment: str
    siblings: Mapping[str, str]
    warnings: list[str] = field(default_factory=list)

    def renamed(self, name: str) -> str:
        """`name` in this environment."""
        return f"{name}-{self.environment}"


def inherit_bindings(top: Table, env: Table, heir: Heir) -> tuple[Table, dict[Keys, Keys]]:
    """What `env` gains from `top`: whole values by key, and where in the top level each part came from.

    A key the environment sets to an empty list or table is a refusal: nothing is inherited there.
    """
    gains = _Gains(heir)
    for key, rule in _LISTS.items():
        entries = gains.take_list((key,), top.get(key), env.get(key), rule)
        if entries is not None:
            gains.values[key] = entries
    for key, part, rule in _NESTED:
        gains.take_nested(key, part, rule, top, env)
    for key in _SINGLE:
        if env.get(key) is None and top.get(key) is not None:
            gains.values[key], gains.origins[(key,)] = top[key], (key,)
    gains.take_vars(top.get("vars"), env.get("vars"))
    return gains.values, gains.origins


@dataclass(frozen=True, slots=True)
class Rule:
    """How one binding is taken over: `key` tells two apart, `suffix` are resource names, `drop` are ids."""

    key: str = "binding"
    suffix: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    worker: tuple[str, ...] = ()
    also: Callable[[Table, Heir], None] | None = None

    def taken(self, entry: Table, heir: Heir) -> Table:
        """`entry` as the environment gets it."""
        out = {name: value for name, value in entry.items() if name not in self.drop}
        for name in self.suffix:
            if isinstance(out.get(name), str) and out[name]:
                out[name] = heir.renamed(out[name])
        for name in self.worker:
            if isinstance(out.get(name), str):
                out[name] = self.worker_name(out[name], entry, heir)
        if self.also:
            self.also(out, heir)
        return out

    def worker_name(self, name: str, entry: Table, heir: Heir) -> str:
        """The Worker `name` in this environment when it is the project's, else itself, with a warning."""
        if name in heir.siblings:
            return heir.siblings[name]
        heir.warnings.append(
            f'the inherited binding "{entry.get(self.key)}" leads to "{name}", a Worker outside this project '
            "which all environments share"
        )
        return name


def _dataset(entry: Table, heir: Heir) -> None:
    """Datasets are SQL table names, where a dash needs quoting: underscores stay underscores."""
    name = entry.get("dataset") or entry.get("binding")
    if isinstance(name, str):
        joined = heir.renamed(name) if "-" in name else f"{name}_{heir.environment}".replace("-", "_")
        entry["dataset"] = joined


def _counter(entry: Table, heir: Heir) -> None:
    """A rate limit's namespace is a number the user chose; each environment has another, always the same."""
    if isinstance(entry.get("namespace_id"), str):
        digest = hashlib.sha256(f"{entry['namespace_id']}:{heir.environment}".encode()).digest()
        entry["namespace_id"] = str(int.from_bytes(digest[:4], "big") % (2**31 - 1) + 1)


def _pipeline(entry: Table, heir: Heir) -> None:
    """Pipelines are named by id as well as by name: an id is left out."""
    for key in ("pipeline", "stream"):
        name = entry.get(key)
        if isinstance(name, str) and len(name) == 32 and all(c in "0123456789abcdef" for c in name):
            del entry[key]
        elif isinstance(name, str) and name:
            entry[key] = heir.renamed(name)


def _outbound(entry: Table, heir: Heir) -> None:
    outbound = entry.get("outbound")
    if isinstance(outbound, dict):
        entry["outbound"] = Rule(key="service", worker=("service",)).taken(outbound, heir)


def _workflow(entry: Table, heir: Heir) -> None:
    if isinstance(entry.get("name"), str):
        entry["name"] = heir.renamed(entry["name"])


_LISTS: dict[str, Rule] = {
    "kv_namespaces": Rule(drop=("id", "preview_id")),
    "d1_databases": Rule(suffix=("database_name",), drop=("database_id", "preview_database_id")),
    "r2_buckets": Rule(suffix=("bucket_name",), drop=("preview_bucket_name",)),
    "vectorize": Rule(suffix=("index_name",)),
    "hyperdrive": Rule(drop=("id",)),
    "services": Rule(worker=("service",)),
    "workflows": Rule(worker=("script_name",), also=_workflow),
    "analytics_engine_datasets": Rule(also=_dataset),
    "dispatch_namespaces": Rule(suffix=("namespace",), also=_outbound),
    "mtls_certificates": Rule(drop=("certificate_id",)),
    "secrets_store_secrets": Rule(suffix=("secret_name",)),
    "ratelimits": Rule(key="name", also=_counter),
    "send_email": Rule(key="name"),
    "pipelines": Rule(also=_pipeline),
    "k2": Rule(suffix=("stream",)),
    "ai_search_namespaces": Rule(suffix=("namespace",)),
    "ai_search": Rule(suffix=("instance_name",)),
    "agent_memory": Rule(suffix=("namespace",)),
    "artifacts": Rule(suffix=("namespace",)),
    "flagship": Rule(drop=("app_id",)),
    "vpc_services": Rule(drop=("service_id",)),
    "vpc_networks": Rule(drop=("tunnel_id", "network_id")),
    "worker_loaders": Rule(),
    "unsafe_hello_world": Rule(),
    "tail_consumers": Rule(key="service", worker=("service",)),
    "streaming_tail_consumers": Rule(key="service", worker=("service",)),
    "containers": Rule(key="class_name", suffix=("name",)),
}
_NESTED = (
    ("durable_objects", "bindings", Rule(key="name", worker=("script_name",))),
    ("queues", "producers", Rule(suffix=("queue",))),
    ("queues", "consumers", Rule(key="queue", suffix=("queue", "dead_letter_queue"))),
    ("unsafe", "bindings", Rule(key="name")),
)
_PARTS = frozenset(part for _, part, _ in _NESTED)
_SINGLE = ("ai", "browser", "analytics", "images", "media", "stream", "version_metadata", "secrets")
INHERITED = frozenset((*_LISTS, *(key for key, _, _ in _NESTED), *_SINGLE, "vars"))
"""The keys this inheritance covers; the rest of wrangler's not-inheritable keys stay as wrangler has them."""


def _hashable(entry: Table, key: str) -> bool:
    return isinstance(entry.get(key), str | int | None)


@dataclass(slots=True)
class _Gains:
    """What has been taken over so far."""

    heir: Heir
    values: Table = field(default_factory=dict)
    origins: dict[Keys, Keys] = field(default_factory=dict)

    def take_list(self, path: Keys, top: Any, own: Any, rule: Rule) -> list[Any] | None:
        """`own` and the entries of `top` that it lacks; None when there is nothing to do."""
        if not isinstance(top, list) or own == [] or not isinstance(own, list | None):
            return None
        entries = list(own or [])
        known = {e.get(rule.key) for e in entries if isinstance(e, dict) and _hashable(e, rule.key)}
        for index, entry in enumerate(top):
            taken = rule.taken(entry, self.heir) if isinstance(entry, dict) else entry
            if isinstance(entry, dict) and self.has(known, rule, entry, taken):
                continue
            self.origins[(*path, len(entries))] = (*path, index)
            entries.append(taken)
        if own is None:
            self.origins[path] = path
        return entries

    @staticmethod
    def has(known: set[Any], rule: Rule, entry: Table, taken: Table) -> bool:
        """Whether the environment has this one itself, under the name at the top or the one it would get."""
        return any(_hashable(e, rule.key) and e.get(rule.key) in known for e in (entry, taken))

    def take_nested(self, key: str, part: str, rule: Rule, top: Table, env: Table) -> None:
        """As `take_list`, for a list inside a table: `queues.producers`, `durable_objects.bindings`, …"""
        above, own = top.get(key), self.values.get(key, env.get(key))
        if not isinstance(above, dict) or env.get(key) == {} or not isinstance(own, dict | None):
            return
        table = {k: v for k, v in above.items() if k not in _PARTS} | (own or {})
        entries = self.take_list((key, part), above.get(part), (own or {}).get(part), rule)
        self.values[key] = table if entries is None else {**table, part: entries}
        if env.get(key) is None:
            self.origins[(key,)] = (key,)

    def take_vars(self, top: Any, own: Any) -> None:
        """Variables, name by name."""
        if not isinstance(top, dict) or own == {} or not isinstance(own, dict | None):
            return
        new = {name: value for name, value in top.items() if name not in (own or {})}
        self.values["vars"] = {**new, **(own or {})}
        self.origins.update({("vars", name): ("vars", name) for name in new})
