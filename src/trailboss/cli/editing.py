"""What every command that makes a resource does: edit the file, check it against the account, apply that one.

Stopped between the two, the file already says what is wanted, and the next plan finishes it. When the check
refuses (a foreign thing of that name, a wrong value), the files are as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.cli.applying import carry_out
from trailboss.cli.declare import Elsewhere
from trailboss.cli.output import Output
from trailboss.cli.run import Run

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config.resources import Edits
    from trailboss.plan.apply import Applied
    from trailboss.plan.wanted import Resource, Wanted


@dataclass(frozen=True, slots=True)
class Made:
    """What was made. `id` is what bindings name it by, `files` are those that were edited."""

    kind: str
    key: str
    name: str
    id: str
    action: str
    binding: str | None
    files: tuple[str, ...]


def make_resource(
    run: Run, kind: str, key: str, table: Mapping[str, Any], *, binding: str | None = None, doing: str
) -> Made:
    """The resource `key` in the files and in the account. `table` holds what the command line gave."""
    from trailboss.resources.registry import kind as load

    _needs_project(run)
    run.announce(key)
    found = _existing(run, kind, key)
    edits = _edits(run, kind, key, table, found=found, binding=binding)
    files = _write(run, edits, kind, key)
    want, resource = _wanted(run, kind, key)
    done = carry_out(run, want, targets=(resource.address,), quiet=True, doing=doing)
    form = load(kind).binding
    return _made(done, resource, binding or (_bound(run, kind, key, resource) if form else None), files)


def forget_resource(run: Run, kind: str, key: str, *, confirm: bool, doing: str) -> Applied:
    """Take the resource out of the files, and then delete it in the account."""
    from trailboss.config.resources import undeclare, write
    from trailboss.plan.wanted import wanted

    _needs_project(run)
    run.announce(key)
    write(undeclare(run.project, kind, key), lambda: _reload(run))
    return carry_out(run, wanted(run.project), targets=(f"{kind}.{key}",), confirm=confirm, doing=doing)


def show_made(output: Output, made: Made) -> None:
    """One line of what is there now, one of what was written."""
    from trailboss.cli import views

    words = {"create": "is made", "adopt": "was there, and is adopted", "none": "is there already"}
    name = output.style(made.name, "1", output.out)
    shown = f" ({made.id})" if made.id and made.id != made.name else ""
    views.tick(output, f"{made.kind} {name}{shown} {words.get(made.action, 'is changed')}")
    if made.files:
        bound = f" with the binding {made.binding}" if made.binding else ""
        output.note(f"  written into {' and '.join(made.files)}{bound}")


def _needs_project(run: Run) -> None:
    if run.project.file is None and not run.project.workers:
        raise Elsewhere("there is no project here to write it into")


def _reload(run: Run) -> Any:
    run.__dict__.pop("project", None)
    return run.project


def _existing(run: Run, kind: str, key: str) -> Resource | None:
    from trailboss.plan.wanted import wanted
    from trailboss.resources.marks import identity_of

    for one in wanted(run.project).resources:
        if one.kind == kind and key in (one.key, *map(str, identity_of(one.spec))):
            return one
    return None


def _edits(
    run: Run,
    kind: str,
    key: str,
    table: Mapping[str, Any],
    *,
    found: Resource | None,
    binding: str | None,
) -> Edits:
    """A binding in the wrangler config where the kind has one, and what the command line said beside it."""
    from trailboss.config.resources import bind, declare, joined
    from trailboss.resources.registry import kind as load

    form = load(kind).binding
    if form is None or not run.project.workers:
        return declare(run.project, kind, found.key if found else key, table)
    beside = declare(run.project, kind, found.key if found else key, table) if table else {}
    if _bound(run, kind, key, found):
        return beside
    worker = run.worker()
    entry: dict[str, Any] = {"binding": binding or key.upper().replace("-", "_").replace(".", "_")}
    if form.title:
        own = worker.environment if worker.declared else None
        entry[form.title] = f"{key}-{own}" if own else key
    return joined(beside, bind(worker, form.config, entry))


def _bound(run: Run, kind: str, key: str, resource: Resource | None) -> str | None:
    """The binding that names the resource already."""
    from trailboss.plan.provision import wishes_of
    from trailboss.plan.titles import titles
    from trailboss.resources.marks import identity_of

    names = {key, f"{key}-{run.project.environment.name}"}
    names |= set(map(str, identity_of(resource.spec))) if resource else set()
    for worker in run.project.workers:
        for wish in wishes_of(worker.raw, titles(worker, worker.name)):
            if wish.kind.name == kind and wish.title in names:
                return wish.binding
    return None


def _write(run: Run, edits: Edits, kind: str, key: str) -> tuple[str, ...]:
    from trailboss.config.resources import write
    from trailboss.plan.plan import make, refuse

    def check() -> None:
        _reload(run)
        want, resource = _wanted(run, kind, key)

        async def look(cloud: Cloud) -> None:
            refuse(await make(cloud, want, targets=(resource.address,)), approved=None, confirmed=True)

        run.call(look)

    try:
        return tuple(_shown(file) for file in write(edits, check))
    finally:
        _reload(run)


def _shown(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


def _wanted(run: Run, kind: str, key: str) -> tuple[Wanted, Resource]:
    from trailboss.errors import PlanError
    from trailboss.plan.wanted import wanted

    found = _existing(run, kind, key)
    if found is None:
        raise PlanError(
            "TB6108",
            f"the files still do not want the {kind} '{key}'",
            hint="It may say too little (a Vectorize index needs --dimensions and --metric, or --preset).",
        )
    return wanted(run.project), found


def _made(done: Applied, resource: Resource, binding: str | None, files: tuple[str, ...]) -> Made:
    from trailboss.resources.registry import kind as load

    change = next(one for one in done.plan.changes if one.address == resource.address)
    observed = done.observed.get(resource.address) or (change.seen.observed if change.seen else None)
    handle = load(resource.kind).handle(observed) if observed is not None else ""
    return Made(resource.kind, resource.key, change.name, handle, change.action, binding, files)
