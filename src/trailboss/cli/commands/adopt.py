"""`trailboss adopt`, also `trailboss import`: what exists already, into the file and under the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from trailboss.cli import plans
from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import PlanError, UsageError

if TYPE_CHECKING:
    from trailboss.cli.taking import Asked
    from trailboss.plan.adopting import Adoptable
    from trailboss.plan.shown import PlanShown


@command(
    "trailboss adopt --env production",
    "trailboss adopt d1_database agency-ai-sessions --env production --apply",
    "trailboss adopt dns_record --all --zone production-zone --dry-run --json",
)
@click.argument("kind", required=False, metavar="[KIND]")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--all", "everything", is_flag=True, help="Every resource of the kind.")
@click.option("--key", metavar="KEY", help="Its key in the file; else made from its name.")
@click.option("--zone", metavar="ZONE", help="For kinds of a zone: a domain, or its name in [zones].")
@click.option("--dry-run", is_flag=True, help="Show tables and plan, and write nothing.")
@click.option("--apply", "applies", is_flag=True, help="Also mark it as this environment's, at once.")
def adopt(
    run: Run,
    *,
    kind: str | None,
    name: str | None,
    everything: bool,
    key: str | None,
    zone: str | None,
    dry_run: bool,
    applies: bool,
) -> None:
    """Write what already exists in the account into trailboss.toml; the plan then shows that it is adopted.

    KIND is as in [resources.KIND], NAME its name or id. Without both it is what the Workers' bindings give
    by id. Secrets cannot be read back and are left out. What was adopted is never deleted: when the file
    no longer wants it, it is let go.
    """
    from trailboss.cli.applying import carry_out
    from trailboss.cli.taking import Asked, look, written
    from trailboss.plan.wanted import wanted

    run.announce(" ".join(filter(None, (kind, name))))
    found = look(run, _asked(run, Asked(kind, name, key, zone), everything=everything))
    good = tuple(one for one in found if not one.problem)
    if name is not None and len(good) == 0:
        raise PlanError(
            "TB6118",
            f"the {kind} '{name}' cannot be written as a table: {found[0].problem}",
            hint=f"Write [resources.{kind}.{found[0].key}] by hand; the plan adopts it then.",
        )
    view, files = written(run, good, keep=not dry_run) if good else (None, ())
    if applies and not dry_run and good:
        targets = tuple(f"{one.kind}.{one.key}" for one in good)
        carry_out(run, wanted(run.project), targets=targets, quiet=True, doing="adopt")
    document = {
        "dry_run": dry_run,
        "applied": applies and not dry_run,
        "adopted": [
            {"kind": one.kind, "key": one.key, "name": one.name, "id": one.id, "table": one.table}
            for one in good
        ],
        "skipped": [{"kind": one.kind, "name": one.name, "why": one.problem} for one in found if one.problem],
        "files": [] if dry_run else files,
        "changes": view.changes if view else (),
    }
    run.result(document, lambda output: _show(output, found, view, dry_run, applies))


def _asked(run: Run, asked: Asked, *, everything: bool) -> Asked:
    """The same with the zone's name, when the words go together."""
    from trailboss.cli.editing import zone_of
    from trailboss.resources.registry import NAMES
    from trailboss.resources.registry import kind as load

    kind, name = asked.kind, asked.name
    if kind is not None and (name is None) is not everything:
        raise UsageError(
            "TB9071", "either a NAME or --all says which", hint=f"For example: trailboss adopt {kind} --all."
        )
    if asked.key is not None and name is None:
        raise UsageError("TB9072", "--key is for one resource", hint="Give its kind and name.")
    zoned = kind in NAMES and load(str(kind)).scope == "zone"
    return replace(asked, zone=zone_of(run, asked.zone)[1] if zoned else None)


def _show(
    output: Output, found: tuple[Adoptable, ...], view: PlanShown | None, dry_run: bool, applies: bool
) -> None:
    from trailboss.cli import views
    from trailboss.cli.words_for import plural

    good = [one for one in found if not one.problem]
    for one in found:
        if one.problem:
            output.warn(f"{one.kind} {one.name} is left out: {one.problem}")
    if view is None:
        views.tick(output, "There is nothing to adopt")
        return
    plans.show(output, view)
    if dry_run:
        output.note("Nothing was written.")
    elif applies:
        views.tick(output, f"{plural(len(good), 'resource')} adopted")
    else:
        views.tick(output, f"{plural(len(good), 'resource')} in trailboss.toml")
        output.note("  trailboss apply marks what is adopted as this environment's")
