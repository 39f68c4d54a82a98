"""What an account has already, written into trailboss.toml; the file is as it was when that is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.errors import PlanError, UsageError

if TYPE_CHECKING:
    from trailboss.cli.run import Run
    from trailboss.cloud import Cloud
    from trailboss.plan.adopting import Adoptable
    from trailboss.plan.shown import PlanShown
    from trailboss.plan.wanted import Wanted
    from trailboss.resources.protocol import Kind


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be adopted: a kind with a name or id, all of a kind, or (no kind) what the Workers bind."""

    kind: str | None
    name: str | None
    key: str | None
    zone: str | None


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding that gives an id; `key` is the table's where only that says what a binding means."""

    kind: str
    handle: str
    key: str | None


def look(run: Run, asked: Asked) -> tuple[Adoptable, ...]:
    """What is there to adopt, as tables.

    Raises:
        UsageError: TB9070 no such kind. PlanError: TB6117 the account has no such resource.
    """
    from trailboss.plan.wanted import wanted

    want = wanted(run.project)
    if asked.kind is None:
        return run.call(lambda cloud: _bound(cloud, run, want))
    found = _kind(asked.kind)
    return run.call(lambda cloud: _named(cloud, run, found, asked, want))


def written(run: Run, tables: Iterable[Adoptable], *, keep: bool) -> tuple[PlanShown, tuple[str, ...]]:
    """The plan of `tables` once they are in the file, and the files that changed. They are as they were
    when something is refused, and without `keep`."""
    from trailboss.config.discover import PROJECT_NAME
    from trailboss.config.resources import contents, declare, put_back, write
    from trailboss.plan.plan import make, refuse
    from trailboss.plan.shown import shown
    from trailboss.plan.wanted import wanted

    file = run.project.file or run.project.root / PROJECT_NAME
    before, changed = contents({file: []}), tuple[Path, ...]()
    try:
        for one in tables:
            changed += write(declare(run.project, one.kind, one.key, one.table), lambda: _reload(run))
            _reload(run)
        want, targets = wanted(run.project), tuple(f"{one.kind}.{one.key}" for one in tables)
        plan = run.call(lambda cloud: make(cloud, want, targets=targets))
        refuse(plan, approved=None, confirmed=True)
    except BaseException:
        keep = False
        raise
    finally:
        if not keep:
            put_back(before)
            _reload(run)
    return shown(plan), tuple(dict.fromkeys(str(_relative(one)) for one in changed))


def _kind(name: str) -> Kind[Any, Any]:
    from trailboss.config.keys import closest
    from trailboss.resources.registry import NAMES, kind

    if name not in NAMES:
        raise UsageError(
            "TB9070", f'"{name}" is not a kind of resource', hint=closest(name, NAMES) or ", ".join(NAMES)
        )
    return kind(name)


async def _named(
    cloud: Cloud, run: Run, found: Kind[Any, Any], asked: Asked, want: Wanted
) -> tuple[Adoptable, ...]:
    from trailboss.plan.adopting import find

    zone = asked.zone
    there = await find(cloud, found, name=asked.name, zone=zone)
    if asked.name is not None and not there:
        where = f"the zone {zone}" if zone else "the account"
        raise PlanError(
            "TB6117",
            f"{where} has no {found.name} '{asked.name}'",
            hint=f"--all adopts every one that is there: trailboss adopt {found.name} --all --dry-run.",
        )
    known = await _known(cloud, found, want)
    return _distinct(_table(run, found, one, asked.key, known) for one in there)


async def _bound(cloud: Cloud, run: Run, want: Wanted) -> tuple[Adoptable, ...]:
    """The resources whose ids the Workers' bindings give."""
    from trailboss.plan.holdings import Holdings
    from trailboss.resources.registry import kind

    account = Holdings(cloud)
    rows: list[Adoptable] = []
    for given in _given(want):
        found = kind(given.kind)
        for one in await account.all(found, None):
            if found.handle(one) == given.handle:
                rows.append(_table(run, found, one, given.key, {}))
    return _distinct(rows)


def _given(want: Wanted) -> Iterator[Bound]:
    from trailboss.resources.registry import kind

    for one in want.given:
        form = kind(one.kind).binding
        alone = form is not None and form.title is None
        yield Bound(one.kind, one.handle, one.binding.lower().replace("_", "-") if alone else None)


def _table(
    run: Run, found: Kind[Any, Any], observed: Any, key: str | None, known: Mapping[tuple[str, str], str]
) -> Adoptable:
    from trailboss.plan.adopting import adoptable

    made = adoptable(found, observed, environment=run.project.environment.name or "", known=known, key=key)
    aliases = _aliases(run)
    if made.table.get("zone") in aliases:
        made = replace(made, table={**made.table, "zone": aliases[made.table["zone"]]})
    return made


async def _known(cloud: Cloud, found: Kind[Any, Any], want: Wanted) -> dict[tuple[str, str], str]:
    """The keys of what the file wants and the account has, where tables of this kind may refer to it."""
    from trailboss.plan.reader import look
    from trailboss.resources.marks import target_of
    from trailboss.resources.registry import kind

    kinds = {target[0] for place in fields(found.spec) if (target := target_of(place)) is not None}
    wants = tuple(one for one in want.resources if one.kind in kinds)
    if not wants:
        return {}
    view = await look(cloud, replace(want, resources=wants, given=()))
    keys = {one.address: one.key for one in wants}
    return {
        (seen.kind, kind(seen.kind).handle(seen.observed)): keys[address]
        for address, seen in view.matches.items()
    }


def _aliases(run: Run) -> dict[str, str]:
    from trailboss.plan.wanted import zone_name

    return {zone_name(value): alias for alias, value in run.project.settings.zones.items()}


def _distinct(rows: Iterable[Adoptable]) -> tuple[Adoptable, ...]:
    """Each thing once, and each under a key of its own: several records may have one name."""
    found: dict[tuple[str, str], Adoptable] = {}
    for one in rows:
        key, number = one.key, 1
        while (one.kind, key) in found and found[one.kind, key].id != one.id:
            number += 1
            key = f"{one.key} {number}"
        table = _keyed(one, key)
        found[one.kind, key] = replace(one, key=key, table=table)
    return tuple(found.values())


def _keyed(one: Adoptable, key: str) -> dict[str, Any]:
    """The table under another key, which no longer says the name."""
    from trailboss.resources.marks import is_named
    from trailboss.resources.registry import kind

    if key == one.key:
        return one.table
    named = [place.name for place in fields(kind(one.kind).spec) if is_named(place)]
    return {**dict.fromkeys(named[:1], one.name), **one.table}


def _reload(run: Run) -> Any:
    run.__dict__.pop("project", None)
    return run.project


def _relative(file: Path) -> Path:
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file
