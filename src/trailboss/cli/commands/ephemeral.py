"""`trailboss environments reap`: the end of environments whose time has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural

if TYPE_CHECKING:
    from trailboss.cli.removing import Removed


@dataclass(frozen=True, slots=True)
class Due:
    """An environment whose time has come. `in_files` is False where only the account knows of it."""

    name: str
    expires: str
    in_files: bool
    scripts: tuple[str, ...] = ()
    kept: str = ""


@command("trailboss environments reap", "trailboss environments reap --dry-run --json")
@click.option("--dry-run", is_flag=True, help="Only say which these are.")
@click.option("--wait", type=float, default=0.0, metavar="SECONDS", help="Wait for an apply to finish.")
def reap(run: Run, dry_run: bool, wait: float) -> None:
    """Take away every environment whose expiry has passed: resources with their data, Workers, files.

    The expiry is `[environments.NAME.ephemeral] expires` (`environments create NAME --expires 3d`). An apply
    also writes it into the account, so that an environment is found whose branch is long gone. A protected
    environment is never taken.
    """
    due = _due(run)
    reaped = [] if dry_run else [_reap(run, one, wait) for one in due if not one.kept]
    document = {
        "dry_run": dry_run,
        "due": [{"name": one.name, "expires": one.expires, "kept": one.kept} for one in due],
        "reaped": [
            {"name": name, "resources": gone.resources, "workers": gone.workers} for name, gone in reaped
        ],
    }
    run.result(document, lambda output: _show(output, due, reaped))


def _due(run: Run) -> list[Due]:
    from trailboss.cli.expiring import is_past
    from trailboss.cli.plans import in_environment
    from trailboss.cli.removing import expiries
    from trailboss.plan.wanted import expiry_of

    run.options = replace(run.options, env="")
    run.announce(run.project.name)
    found: dict[str, Due] = {}
    for name in run.project.environments:
        project = in_environment(run, name).project
        until = expiry_of(project)
        if until and is_past(until):
            kept = "it is protected" if project.protected else ""
            found[name] = Due(name, until, in_files=True, kept=kept)
    for owner, end in expiries(run).items():
        known = owner.project != run.project.name or owner.environment in run.project.environments
        if not known and is_past(end.until):
            found[owner.environment] = Due(owner.environment, end.until, in_files=False, scripts=end.scripts)
    return list(found.values())


def _reap(run: Run, due: Due, wait: float) -> tuple[str, Removed]:
    """Its expiry is the confirmation; a person at a terminal is still asked."""
    from trailboss.cli.plans import in_environment
    from trailboss.cli.removing import remove
    from trailboss.config.environments import delete
    from trailboss.plan.owner import Owner
    from trailboss.plan.wanted import Wanted, nothing

    if not due.in_files:
        want = Wanted(Owner(run.project.name, due.name), scripts=frozenset(due.scripts))
        return due.name, remove(run, want, confirm=True, force=True, wait=wait)
    there = in_environment(run, due.name)
    want = nothing(there.project)
    there.announce(", ".join(sorted(want.scripts)))
    gone = remove(there, want, confirm=True, force=True, wait=wait)
    delete(run.project, due.name)
    return due.name, gone


def _show(output: Output, due: list[Due], reaped: list[tuple[str, Removed]]) -> None:
    from trailboss.cli import views

    done = dict(reaped)
    for one in due:
        name = output.style(one.name, "1", output.out)
        if one.name in done:
            gone = done[one.name]
            workers = ", ".join(gone.workers) or "no Worker"
            views.tick(output, f"{name} is gone: {plural(len(gone.resources), 'resource')}, {workers}")
        else:
            output.line(f"  {name} expired at {one.expires}" + (f"; {one.kept}" if one.kept else ""))
    if not due:
        views.tick(output, "No environment has expired")
