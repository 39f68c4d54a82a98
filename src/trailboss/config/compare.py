"""What an environment comes to, and in what two of them differ: read from the files alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.config.inherit import _LISTS, _NESTED
from trailboss.config.keys import GENERATED

if TYPE_CHECKING:
    from trailboss.config.project import Project, Worker

HIDDEN = "<hidden>"
_TELLING = re.compile(r"(token|secret|password|passwd|credential|private|api_?key)", re.I)
_LEFT_OUT = frozenset({"$schema", "env", "name", "environments", "workers", "secrets"}) | GENERATED
"""Not settings of an environment: other environments, names of secrets, what a build tool noted, and the
names that say which environment it is."""

Units = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding; `resource` is what it leads to, as far as the files say."""

    type: str
    name: str
    resource: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One Worker in an environment. `settings` is everything that is not listed on its own."""

    worker: str
    key: str
    config: str
    bindings: tuple[Binding, ...]
    vars: dict[str, Any]
    routes: tuple[str, ...]
    crons: tuple[str, ...]
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """An environment resolved; `settings` are the values of trailboss.toml, merged."""

    name: str | None
    protected: bool
    branches: tuple[str, ...]
    settings: dict[str, Any]
    workers: tuple[WorkerView, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that differs; None where there is none. `expected`: only the environments' names differ."""

    worker: str | None
    key: str
    a: Any
    b: Any
    expected: bool


def view(project: Project, here: Path | None = None) -> EnvironmentView:
    """The active environment of `project`, files relative to `here`. Values under telling names are
    hidden."""
    own = project.own
    return EnvironmentView(
        project.environment.name,
        project.protected,
        tuple(own.branches) if own else (),
        {key: _shown(key, value) for key, value in _settings(project).items()},
        tuple(_worker(worker, here or project.root) for worker in project.workers),
    )


def differences(a: Project, b: Project) -> tuple[Difference, ...]:
    """What differs between two environments of one project: in trailboss.toml (`worker` None), and Worker by
    Worker, told apart by their names at the top level. Names of secrets are not compared."""
    names = (a.environment.name or "", b.environment.name or "")
    found = list(_between(None, _settings(a), _settings(b), names))
    mine, other = ({_label(worker): worker for worker in project.workers} for project in (a, b))
    for key in {**mine, **other}:
        found += _between(key, _units(mine.get(key)), _units(other.get(key)), names)
    return tuple(found)


def _label(worker: Worker) -> str:
    return worker.top_level_name or worker.key


def _between(worker: str | None, a: Units, b: Units, names: tuple[str, str]) -> Iterator[Difference]:
    for key in {**a, **b}:
        left, right = a.get(key), b.get(key)
        if left == right:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            yield from _between(worker, _under(key, left), _under(key, right), names)
            continue
        expected = _same_but_for_names(key, left, right, names)
        yield Difference(worker, key, _shown(key, left), _shown(key, right), expected)


def _under(key: str, table: Units) -> Units:
    return {f"{key}.{name}": value for name, value in table.items()}


def _same_but_for_names(key: str, a: Any, b: Any, names: tuple[str, str]) -> bool:
    """`agency-cache-staging` and `agency-cache-production`; and the counters of rate limits."""
    if key.startswith("ratelimits.") and key.endswith(".namespace_id"):
        return a is not None and b is not None
    if not isinstance(a, str) or not isinstance(b, str):
        return False
    return _neutral(a, names[0]) == _neutral(b, names[1])


def _neutral(text: str, name: str) -> str:
    if not name:
        return text + "\0"
    for spelling in (f"-{name}", "_" + name.replace("-", "_")):
        if text.endswith(spelling):
            return text.removesuffix(spelling) + "\0"
    return text


def _units(worker: Worker | None) -> Units:
    """The resolved config flat: bindings as `kv_namespaces.CACHE`, routes by pattern, the rest by key."""
    if worker is None:
        return {}
    units: Units = {}
    for binding in _bindings(worker.raw):
        units[f"{binding.type}.{binding.name}"] = binding.resource
    for pattern in _routes(worker.raw):
        units[f"routes.{pattern}"] = True
    return units | _rest(worker.raw) | {"vars": dict(worker.raw.get("vars") or {})}


def _rest(raw: dict[str, Any]) -> Units:
    listed = {*_LISTS, *(key for key, _, _ in _NESTED), "vars", "route", "routes", *_LEFT_OUT}
    return {key: value for key, value in raw.items() if key not in listed and value is not None}


def _bindings(raw: dict[str, Any]) -> Iterator[Binding]:
    """Every binding that stands in a list, by the field that names it."""
    places = [(key, raw.get(key), rule.key) for key, rule in _LISTS.items()]
    places += [(f"{key}.{part}", (raw.get(key) or {}).get(part), rule.key) for key, part, rule in _NESTED]
    for kind, entries, naming in places:
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                # A consumer is named by its queue, which differs everywhere: its place names it.
                place = kind == "queues.consumers" or naming not in entry
                left = {key: value for key, value in entry.items() if place or key != naming}
                name = str(number if place else entry[naming])
                yield Binding(kind, name, left)


def _routes(raw: dict[str, Any]) -> tuple[str, ...]:
    routes = raw.get("routes") or ([raw["route"]] if raw.get("route") else [])
    return tuple(str(r.get("pattern")) if isinstance(r, dict) else str(r) for r in routes)


def _worker(worker: Worker, here: Path) -> WorkerView:
    raw = worker.raw
    file = worker.user_path or worker.path
    triggers = raw.get("triggers") or {}
    return WorkerView(
        worker.name,
        worker.key,
        str(file.relative_to(here) if file.is_relative_to(here) else file),
        tuple(
            Binding(item.type, item.name, {k: _shown(k, v) for k, v in item.resource.items()})
            for item in _bindings(raw)
        ),
        {key: _shown(key, value) for key, value in (raw.get("vars") or {}).items()},
        _routes(raw),
        tuple(triggers.get("crons") or ()),
        {key: _shown(key, value) for key, value in _rest(raw).items() if key != "triggers"},
    )


def _settings(project: Project) -> Units:
    """What trailboss.toml says here, without the environments, the Workers and the secrets."""
    said = project.settings.model_dump(exclude_unset=True)
    own = project.own
    extra = {"protected": own.protected, "branches": own.branches} if own else {}
    return {key: value for key, value in (said | extra).items() if key not in _LEFT_OUT and value}


def _shown(key: str, value: Any) -> Any:
    """`value`, hidden where its name says that nobody should read it; references are no secrets."""
    if isinstance(value, dict):
        return {name: _shown(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(key, item) for item in value]
    telling = isinstance(value, str) and _TELLING.search(key.rpartition(".")[2])
    return HIDDEN if telling and not str(value).startswith(("op://", "${")) else value
