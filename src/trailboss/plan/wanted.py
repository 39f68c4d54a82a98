"""What a project wants in its environment: the `[resources]` of trailboss.toml and what its Workers bind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any

from trailboss.config.discover import PROJECT_NAME
from trailboss.errors import ConfigError, WantedError
from trailboss.plan.owner import Owner, digest
from trailboss.plan.provision import wishes_of
from trailboss.plan.register import Expiry
from trailboss.plan.titles import plain, titles
from trailboss.resources.marks import identity_of
from trailboss.resources.protocol import Kind
from trailboss.resources.reading import read_spec
from trailboss.resources.registry import NAMES, kind, kinds
from trailboss.values import Location

if TYPE_CHECKING:
    from datetime import datetime

    from trailboss.config import Project, Worker

_ID = re.compile(r"[0-9a-f]{32}")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_SPAN = re.compile(r"(\d+)([mhdw])")
USUAL_SPAN = "3d"
"""How long an ephemeral environment lasts that does not say it."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that is wanted. `digest` is of the spec as the file has it."""

    kind: str
    key: str
    spec: Any
    where: Location | None
    digest: str

    @property
    def address(self) -> str:
        """`queue.jobs`: how a person names it, and a graph knows it."""
        return f"{self.kind}.{self.key}"

    @property
    def is_written(self) -> bool:
        """Whether trailboss.toml has a table for it; else a Worker's configuration wants it."""
        return self.where is not None and self.where.file.name == PROJECT_NAME


@dataclass(frozen=True, slots=True)
class Given:
    """An id that a config gives; the account must have it."""

    kind: str
    handle: str
    binding: str
    where: Location | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything one environment wants. `scripts` are its Workers; `expires` is its end, None to leave what
    the account says of that. `ends` is whether the environment is to go: then what belongs to its Workers
    (their queue consumers, domains, workflows) goes with the rest."""

    owner: Owner
    resources: tuple[Resource, ...] = ()
    given: tuple[Given, ...] = ()
    scripts: frozenset[str] = frozenset()
    expires: Expiry | None = None
    ends: bool = False


def wanted(project: Project) -> Wanted:
    """What `project` wants in its active environment, checked as far as that can be done without asking.

    Raises:
        ConfigError: TB12xx a table that cannot be read. WantedError: TB6103 two keys for one resource.
    """
    environment = project.environment.name or ""
    written = list(_written(project, environment))
    names = declared(project)
    bound = [one for worker in project.workers for one in _bound(worker, environment, names)]
    resources = _once([*written, *bound])
    given = tuple(one for worker in project.workers for one in _given(worker, names))
    scripts = frozenset(worker.name for worker in project.workers if worker.name)
    expires = Expiry(expiry_of(project), tuple(sorted(scripts)), rolls=_rolls(project))
    return Wanted(Owner(project.name, environment), resources, given, scripts, expires)


def expiry_of(project: Project, now: datetime | None = None) -> str:
    """When an ephemeral environment ends, in ISO 8601; "" for the others.

    Only `[environments.<name>.ephemeral]` makes it so; `[ephemeral]` says what is usual for those. `expires`
    is a moment, or a span (`24h`, `3d`) that every apply and deploy begins anew, rounded up to the hour.

    Raises:
        ConfigError: TB1236 it is neither a span nor a date with a time and its offset.
    """
    import contextlib
    from datetime import datetime

    own = (project.tables.get("environments") or {}).get(project.environment.name or "") or {}
    if "ephemeral" not in own:
        return ""
    value = (project.tables.get("ephemeral") or {}).get("expires") or USUAL_SPAN
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        if span := _SPAN.fullmatch(str(value)):
            return _after(span, now)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if moment.utcoffset() is not None:
            return moment.isoformat(timespec="seconds")
    raise ConfigError(
        "TB1236",
        f"`expires` is neither a span nor a moment: {value}",
        hint='For example expires = "3d", or date, time and offset: "2026-12-01T18:00:00Z".',
        where=project.locate("ephemeral", "expires"),
    )


def _rolls(project: Project) -> bool:
    """Whether the end is given as a span."""
    value = (project.tables.get("ephemeral") or {}).get("expires") or USUAL_SPAN
    return _SPAN.fullmatch(str(value)) is not None


def _after(span: re.Match[str], now: datetime | None) -> str:
    from datetime import UTC, datetime, timedelta

    unit = {"m": 60, "h": 3600, "d": 86400, "w": 604800}[span[2]]
    end = (now or datetime.now(UTC)) + timedelta(seconds=int(span[1]) * unit)
    if unit >= 3600 and (end.minute, end.second, end.microsecond) != (0, 0, 0):
        end = end.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return end.isoformat(timespec="seconds")


def declared(project: Project) -> dict[str, str]:
    """The names of the resources in trailboss.toml that a binding without a name may mean, by plain key."""
    environment, found = project.environment.name or "", {}
    for name, tables in (project.tables.get("resources") or {}).items():
        form = kind(name).binding if name in NAMES else None
        if form is not None and form.title is None and isinstance(tables, Mapping):
            for key, table in tables.items():
                given = table.get("name") or table.get("title") if isinstance(table, Mapping) else None
                found[plain(key)] = str(given or _name(project, kind(name), key, environment))
    return found


def nothing(project: Project) -> Wanted:
    """The same environment without any resource: a plan for it deletes everything that is ours."""
    found = wanted(project)
    return Wanted(found.owner, scripts=found.scripts)


def _written(project: Project, environment: str) -> Iterator[Resource]:
    for name, tables in project.settings.resources.items():
        if name not in NAMES:
            from trailboss.config.keys import closest

            where = project.locate("resources", name)
            raise ConfigError(
                "TB1231", f'"{name}" is not a kind of resource', hint=closest(name, NAMES), where=where
            )
        for key, table in _tables(project, name, tables).items():
            yield _read(project, kind(name), key, table, environment)


def _tables(project: Project, name: str, tables: Any) -> Mapping[str, Any]:
    if isinstance(tables, Mapping) and all(isinstance(one, Mapping) for one in tables.values()):
        return tables
    where = project.locate("resources", name)
    raise ConfigError("TB1232", f"[resources.{name}] must hold a table for every resource", where=where)


def _read(
    project: Project, found: Kind[Any, Any], key: str, table: Mapping[str, Any], environment: str
) -> Resource:
    def locate(*keys: str | int) -> Location:
        return project.locate("resources", found.name, key, *keys)

    def zone(text: str) -> str:
        return _zone(project, text, locate())

    name = _name(project, found, key, environment)
    spec = read_spec(found, _with_script(project, found, table), name=name, zone=zone, locate=locate)
    return Resource(found.name, key, spec, locate(), digest(spec))


def _with_script(project: Project, found: Kind[Any, Any], table: Mapping[str, Any]) -> Mapping[str, Any]:
    """The script's name of a Worker that the table names by its key, or must name and does not."""
    place = next((place for place in fields(found.spec) if place.name == "script"), None)
    if place is None or not isinstance(table.get("script", ""), str):
        return table
    if "script" in table:
        names = {worker.key: worker.name for worker in project.workers}
        return {**table, "script": names.get(table["script"], table["script"])}
    if place.default is not MISSING or len(project.workers) != 1:
        return table
    return {**table, "script": project.workers[0].name}


def _name(project: Project, found: Kind[Any, Any], key: str, environment: str) -> str:
    """The key, with the environment's name where every environment has one of it: a table at the top level,
    and what holds data, so that no two environments ever share it by a name."""
    document = project.document
    own = document is not None and document.has("environments", environment, "resources", found.name, key)
    alone = own and not found.holds_data
    if not environment or alone or found.scope == "zone" or not _PLAIN.fullmatch(key):
        return key
    return found.named(key, environment)


def _zone(project: Project, text: str, where: Location) -> str:
    zones = project.settings.zones
    if text in zones:
        return zone_name(zones[text])
    if "." in text or _ID.fullmatch(text):
        return text
    if text:
        from trailboss.config.keys import closest

        known = ", ".join(map(str, zones)) or "none"
        hint = closest(text, zones) or f"[zones] has: {known}. Or give the domain."
        raise ConfigError("TB1237", f'"{text}" is no domain, and not in [zones]', hint=hint, where=where)
    if len(zones) == 1:
        return zone_name(next(iter(zones.values())))
    raise ConfigError(
        "TB1233",
        "it is not said in which zone this is",
        hint='Give `zone`, or one zone in [zones]: `production = "example.com"`.',
        where=where,
    )


def zone_name(value: Any) -> str:
    """The domain in one line of [zones]: the text, or the `name` of a table."""
    return str(value.get("name", "")) if isinstance(value, Mapping) else str(value)


def _bound(worker: Worker, environment: str, names: Mapping[str, str]) -> Iterator[Resource]:
    for wish in wishes_of(worker.raw, titles(worker, worker.name, names)):
        if wish.spec is not None and wish.form.makes:
            for problem in wish.kind.problems(wish.spec):
                where, what = _place(worker, wish.kind), f"{wish.kind.name} of the binding {wish.binding}"
                raise ConfigError("TB1230", f"{what}: {problem}", where=where)
            key = wish.title.removesuffix(f"-{environment}") if environment else wish.title
            yield Resource(wish.kind.name, key, wish.spec, _place(worker, wish.kind), digest(wish.spec))
    for found in kinds():
        for key, spec in found.from_worker(worker.name, worker.raw):
            for problem in found.problems(spec):
                raise ConfigError("TB1230", f"{found.name} '{key}': {problem}", where=worker.locate())
            yield Resource(found.name, key, spec, worker.locate(), digest(spec))


def _given(worker: Worker, names: Mapping[str, str]) -> Iterator[Given]:
    for wish in wishes_of(worker.raw, titles(worker, worker.name, names)):
        value = wish.form.given and wish.entry.get(wish.form.given)
        if value and wish.spec is None:
            yield Given(wish.kind.name, str(value), wish.binding, _place(worker, wish.kind))


def _place(worker: Worker, found: Kind[Any, Any]) -> Location | None:
    return worker.locate(*found.binding.config) if found.binding else None


def _once(resources: list[Resource]) -> tuple[Resource, ...]:
    """Each thing once: what several Workers bind is one, and a table says more than a binding does."""
    kept: dict[str, Resource] = {}
    places: dict[tuple[Any, ...], Resource] = {}
    for one in resources:
        place = (one.kind, *identity_of(one.spec))
        before = places.setdefault(place, one)
        if before is one or kind(one.kind).repeats:
            kept.setdefault(one.address, one)
        elif one.is_written:
            raise WantedError(
                "TB6103",
                f"'{before.key}' and '{one.key}' both stand for the {one.kind} '{place[-1]}'",
                hint="Give one of them another name.",
                where=one.where,
            )
    return tuple(kept.values())
