"""What was read as typed models, with the checks that need more than one key. Brings pydantic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trailboss.config import checks
from trailboss.config.bindings import Shape
from trailboss.config.checks import Keys, dotted
from trailboss.config.document import Document
from trailboss.config.keys import closest
from trailboss.config.resolve import Resolved, env_table
from trailboss.config.settings import Settings
from trailboss.config.toml import Date
from trailboss.config.wrangler import Container, WranglerConfig
from trailboss.errors import ConfigError
from trailboss.values import Location

_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*")
_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T.*)?")
_OTHER_DATE = re.compile(r"(?![0-9]{4}-[0-9]{2}-[0-9]{2})[^\u2013\u2014]*[0-9]{4}[^\u2013\u2014]*")
"""JavaScript reads many more spellings as dates, and so does wrangler: `2024-1-5`, `2024/01/05`."""
_FREE = (Container,)
_FREE_KEYS = frozenset({"unsafe"})


def settings(document: Document, tables: dict[str, Any], environment: str | None) -> Settings:
    """`tables` of `document` (trailboss.toml), merged for `environment`, typed.

    Raises ConfigError TB1202 (wrong type), TB1201 (unknown key).
    """

    def locate(*keys: str | int) -> Location:
        if environment and document.has("environments", environment, *keys):
            return document.locate("environments", environment, *keys)
        return document.locate(*keys)

    return checks.validate(Settings, tables, locate, "TB1202")


def typed(resolved: Resolved) -> WranglerConfig:
    """Types `resolved.raw`. Raises ConfigError TB1101 (wrong type)."""
    return checks.validate(WranglerConfig, resolved.raw, resolved.locate, "TB1101")


def check(resolved: Resolved) -> list[str]:
    """Warnings about unknown keys inside bindings.

    Raises ConfigError TB1101 (wrong type), TB1107 (bad name), TB1108 (route and routes), TB1109 (two
    bindings of one name), TB1110 (not a date).
    """
    config = typed(resolved)
    _check_name(resolved)
    for scope in (
        resolved.document.data,
        env_table(resolved.document, resolved.environment),
    ):
        if scope.get("route") and scope.get("routes") is not None:
            raise ConfigError(
                "TB1108",
                '"route" and "routes" exclude each other',
                where=resolved.locate("route"),
                hint="Keep routes.",
            )
    _check_dates(config, resolved)
    _check_bindings(resolved)
    return [text for keys, shape in _shapes((), config) for text in _unknown(resolved, keys, shape)]


def _check_name(resolved: Resolved) -> None:
    """Only names that are written: `<name>-<environment>` is taken as it comes, as in wrangler."""
    env = env_table(resolved.document, resolved.environment)
    for name in (resolved.document.data.get("name"), env.get("name")):
        if isinstance(name, str) and name and not _NAME.fullmatch(name):
            raise ConfigError(
                "TB1107",
                f'"{name}" cannot be a Worker\'s name',
                hint='Lower-case letters, digits, "-" and "_" are allowed, "-" not first.',
                where=resolved.locate("name"),
            )


def _check_dates(config: WranglerConfig, resolved: Resolved) -> None:
    """wrangler wants dates as text, and the compatibility date with plain hyphens."""
    dated = [("compatibility_date",)] if isinstance(resolved.raw.get("compatibility_date"), Date) else []
    variables = [("vars", name) for name, value in config.vars.items() if isinstance(value, Date)]
    for keys in [*dated, *variables]:
        raise ConfigError(
            "TB1110",
            f'"{dotted(keys)}" is a TOML date where text is needed',
            hint=f'Put quotes around it: "{config.compatibility_date if keys in dated else "2026-01-31"}".',
            where=resolved.locate(*keys),
        )
    date = config.compatibility_date
    if date is not None and not (_DATE.fullmatch(date) or _OTHER_DATE.fullmatch(date)):
        raise ConfigError(
            "TB1110",
            f'"{date}" is not a date',
            hint="A compatibility date is year-month-day with plain hyphens: 2026-01-31.",
            where=resolved.locate("compatibility_date"),
        )


def _check_bindings(resolved: Resolved) -> None:
    seen: dict[str, Keys] = {}
    for name, keys in binding_names(resolved.raw):
        if name in seen:
            raise ConfigError(
                "TB1109",
                f'two bindings are called "{name}": {dotted(seen[name])} and {dotted(keys)}',
                hint=f"The other one is at {resolved.locate(*seen[name])}.",
                where=resolved.locate(*keys),
            )
        seen[name] = keys


_LISTS = (
    "kv_namespaces",
    "d1_databases",
    "r2_buckets",
    "vectorize",
    "hyperdrive",
    "services",
    "workflows",
    "analytics_engine_datasets",
    "dispatch_namespaces",
    "mtls_certificates",
    "secrets_store_secrets",
    "pipelines",
    "k2",
    "ai_search_namespaces",
    "ai_search",
    "agent_memory",
    "artifacts",
    "flagship",
    "vpc_services",
    "vpc_networks",
    "worker_loaders",
    "unsafe_hello_world",
)
_TABLES = ("ai", "browser", "analytics", "images", "media", "stream", "version_metadata")
_NAMED = (("ratelimits",), ("send_email",), ("durable_objects", "bindings"), ("logfwdr", "bindings"))


def binding_names(raw: dict[str, Any]) -> Iterator[tuple[str, Keys]]:
    """Every binding's name in a valid resolved config, with its path."""
    for key in _LISTS:
        for index, entry in enumerate(raw.get(key) or []):
            yield entry["binding"], (key, index, "binding")
    for index, entry in enumerate((raw.get("queues") or {}).get("producers") or []):
        yield entry["binding"], ("queues", "producers", index, "binding")
    for key in _TABLES:
        if raw.get(key):
            yield raw[key]["binding"], (key, "binding")
    for path in _NAMED:
        found: Any = raw
        for key in path:
            found = (found or {}).get(key)
        for index, entry in enumerate(found or []):
            yield entry["name"], (*path, index, "name")
    for name in raw.get("vars") or {}:
        yield name, ("vars", name)


def _shapes(keys: Keys, value: Any) -> Iterator[tuple[Keys, Shape]]:
    if isinstance(value, Shape):
        if keys:
            yield keys, value
        for name, field in type(value).model_fields.items():
            if name in value.model_fields_set and name not in _FREE_KEYS and not isinstance(value, _FREE):
                yield from _shapes((*keys, field.alias or name), getattr(value, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _shapes((*keys, index), item)


def _unknown(resolved: Resolved, keys: Keys, shape: Shape) -> Iterator[str]:
    for key in () if isinstance(shape, _FREE) else shape.model_extra or {}:
        hint = closest(key, checks.fields_at(type(shape), ()))
        yield (
            f'{resolved.locate(*keys, key)}: wrangler does not know "{dotted((*keys, key))}"'
            f"{'. ' + hint if hint else ''}"
        )
