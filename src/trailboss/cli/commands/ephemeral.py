"""`trailboss environments reap`: the end of environments whose time has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural
from trailboss.errors import TrailbossError

if TYPE_CHECKING:
    from trailboss.cli.removing import Removed
    from trailboss.cloud import Cloud
    from trailboss.config import Project
    from trailboss.plan.register import Expiry


@dataclass(frozen=True, slots=True)
class Due:
    """An environment that may be taken away: its end has passed, or (`expires` is empty) nobody knows it.
    `in_files` is False where only the account knows of it; `lasting` is whether its lines in the files stay,
    as they say how long it lives and not until when."""

    name: str
    expires: str
    in_files: bool
    lasting: bool = False
    scripts: tuple[str, ...] = ()
    kept: str = ""


@command(
    "trailboss environments reap",
    "trailboss environments reap --dry-run --json",
    "trailboss environments reap --unknown",
)
@click.option("--dry-run", is_flag=True, help="Only say which these are.")
@click.option("--unknown", is_flag=True, help="Also those without an end that no file knows.")
@click.option("--wait", type=float, default=180.0, metavar="SECONDS", help="Wait for an apply to finish.")
def reap(run: Run, dry_run: bool, unknown: bool, wait: float) -> int:
    """Take away every environment whose end has passed: resources with their data, Workers; and its lines in
    the files, where they say until when it lives.

    The account knows the end of each (`[environments.NAME.ephemeral]`, `preview`, `environments create NAME
    --expires 3d`), as it is written there before anything is made. So one is found whose branch is long gone,
    or whose test was killed. A protected environment is never taken. What has no end and is in no file is
    only shown, unless --unknown takes it: another branch may know it.
    """
    run.options = replace(run.options, env="")
    run.announce(run.project.name)
    noted = _noted(run)
    orphans = _orphans(run, {*run.project.environments, *noted})
    due = [*_due(run, noted), *(replace(one, kept="" if unknown else one.kept) for one in orphans)]
    reaped: list[tuple[str, Removed]] = []
    failed: list[tuple[str, TrailbossError]] = []
    for one in due if not dry_run else ():
        if not one.kept:
            try:
                reaped.append(_reap(run, one, wait))
            except TrailbossError as error:  # the others still have to go
                failed.append((one.name, error))
    document = {
        "dry_run": dry_run,
        "due": [{"name": one.name, "expires": one.expires or None, "kept": one.kept} for one in due],
        "reaped": [
            {"name": name, "resources": gone.resources, "workers": gone.workers} for name, gone in reaped
        ],
        "failed": [{"name": name, **error.as_json()["error"]} for name, error in failed],
    }
    run.result(document, lambda output: _show(output, due, reaped, failed))
    return failed[0][1].exit_status if failed else 0


def _noted(run: Run) -> dict[str, Expiry]:
    """The ends that the account knows."""
    from trailboss.cli.removing import expiries

    name = run.project.name
    return {owner.environment: end for owner, end in expiries(run).items() if owner.project == name}


def _due(run: Run, noted: dict[str, Expiry]) -> list[Due]:
    from trailboss.cli.expiring import is_past
    from trailboss.cli.plans import in_environment

    found: dict[str, Due] = {}
    for name in run.project.environments:
        project = in_environment(run, name).project
        until, lasting = _end(project, noted.get(name))
        if until and is_past(until):
            kept = "it is protected" if project.protected else ""
            found[name] = Due(name, until, in_files=True, lasting=lasting, kept=kept)
    for name, end in noted.items():
        if name not in run.project.environments and is_past(end.until):
            found[name] = Due(name, end.until, in_files=False, scripts=end.scripts)
    return list(found.values())


def _end(project: Project, noted: Expiry | None) -> tuple[str, bool]:
    """When it ends, and whether that is a span: then what the account has noted counts, and without a note
    there is nothing to end."""
    from trailboss.cli.beginning import lasts

    if lasts(project):
        return (noted.until if noted else ""), True
    from trailboss.plan.wanted import expiry_of

    return expiry_of(project), False


def _orphans(run: Run, known: set[str]) -> list[Due]:
    """Environments of this project that have things in the account, no end, and no place in the files."""
    from trailboss.plan.register import owners_of

    async def read(cloud: Cloud) -> set[str]:
        return await owners_of(cloud, run.project.name)

    try:
        there = run.call(read)
    except TrailbossError as error:
        run.output.warn(f"whether somebody left something cannot be told: {error.message}")
        return []
    names = sorted(there - known - {""})
    return [
        Due(name, "", in_files=False, scripts=_named(run, name), kept="no file knows it, and it has no end")
        for name in names
    ]


def _named(run: Run, environment: str) -> tuple[str, ...]:
    """What its Workers would be called, as nothing has noted that."""
    tops = (worker.top_level_name or worker.name for worker in run.project.workers)
    return tuple(f"{name}-{environment}" for name in tops if name)


def _reap(run: Run, due: Due, wait: float) -> tuple[str, Removed]:
    """Its end is the confirmation; a person at a terminal is still asked."""
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
    if not due.lasting:
        delete(run.project, due.name)
    return due.name, gone


def _show(
    output: Output,
    due: list[Due],
    reaped: list[tuple[str, Removed]],
    failed: list[tuple[str, TrailbossError]],
) -> None:
    from trailboss.cli import views

    done, errors = dict(reaped), dict(failed)
    for one in due:
        name = output.style(one.name, "1", output.out)
        if one.name in done:
            gone = done[one.name]
            workers = ", ".join(gone.workers) or "no Worker"
            views.tick(output, f"{name} is gone: {plural(len(gone.resources), 'resource')}, {workers}")
        elif one.name in errors:
            output.line(f"{output.style('✗', '31;1', output.out)} {name}: {errors[one.name]}")
        else:
            ended = f"expired at {one.expires}" if one.expires else "is left over"
            output.line(f"  {name} {ended}" + (f"; {one.kept}" if one.kept else ""))
    if not due:
        views.tick(output, "No environment has expired")
