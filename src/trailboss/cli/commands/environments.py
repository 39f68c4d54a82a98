"""`trailboss environments …`: environments in the project's files, what they come to, and their end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural
from trailboss.errors import AuthenticationError, RefusedError, SandboxError, UsageError

if TYPE_CHECKING:
    from trailboss.cli.removing import Removed
    from trailboss.cloud import Cloud
    from trailboss.config import Project
    from trailboss.config.environments import Edited


@command(
    "trailboss environments create staging --branch develop --branch 'release/*'",
    "trailboss environments create disaster-recovery --from production --target cloudflare",
    "trailboss environments create pr-12 --expires 3d",
)
@click.argument("name")
@click.option("--from", "source", metavar="ENV", help="Copy this environment's settings and bindings.")
@click.option("--protected", is_flag=True, help="Risky changes to it are refused unless forced.")
@click.option(
    "--branch", "branches", multiple=True, metavar="BRANCH", help="Git branch that chooses it; may repeat."
)
@click.option("--expires", metavar="WHEN", help="A span (24h, 3d) or a moment; `environments reap` ends it.")
def create(
    run: Run,
    *,
    name: str,
    source: str | None,
    protected: bool,
    branches: tuple[str, ...],
    expires: str | None,
) -> None:
    """Add an environment to trailboss.toml, and to the wrangler configuration where that has environments.

    trailboss.toml is made when there is none. Comments and order stay, and what is there already is kept,
    so it can be run again. --target says where the environment lives. A copy gets resources of its own:
    ids are left out and names carry the new environment's name. Nothing is made in an account; the first
    deploy does that.
    """
    from trailboss.cli.expiring import moment, write
    from trailboss.config.environments import Wanted
    from trailboss.config.environments import create as add

    wanted = Wanted(source, protected, branches, _word(run.options.target))
    until = moment(expires) if expires else None
    done = add(_load(run, ""), name, wanted)
    if until:
        done = write(_load(run, name), done, until)
    document = {"name": name, "created": done.done, "files": _shown(done.files), "notes": done.notes}
    run.result(document, lambda output: _show_created(output, done))


def _word(target: str | None) -> str | None:
    """The target as it will be asked for: a misspelt one must not get into the file."""
    if target is None or target == "cloudflare" or target.partition(":")[0] == "sandbox":
        return target
    from trailboss.errors import UsageError

    raise UsageError(
        "TB9042", f'there is no target "{target}"', hint="Targets are: cloudflare, sandbox, sandbox:<name>."
    )


def _load(run: Run, name: str) -> Project:
    """The project in one environment, whatever the surroundings say; TB1001 when there is none."""
    from trailboss.config import Project

    config = Path(run.options.config[-1]) if run.options.config else None
    found = Project.load(environment=name, config=config, environ={})
    for warning in found.warnings:
        if warning not in run.said:
            run.output.warn(str(warning))
    run.said.update(found.warnings)
    return found


def _shown(files: tuple[Path, ...]) -> list[str]:
    here = Path.cwd()
    return [str(file.relative_to(here)) if file.is_relative_to(here) else str(file) for file in files]


def _show_created(output: Output, done: Edited) -> None:
    from trailboss.cli import views

    name = output.style(done.name, "1", output.out)
    if not done.done:
        views.tick(output, f"Environment {name} is already there")
        return
    views.tick(output, f"Environment {name} is in {' and '.join(_shown(done.files))}")
    for note in done.notes:
        output.note(f"  {note}")


@command("trailboss environments list", "trailboss environments list --json")
def listing(run: Run) -> None:
    """Show the environments of this project, and which of them is active here."""
    from trailboss.cli import views
    from trailboss.config.environments import listing as read

    project = _load(run, "")
    found = read(project, _active(run, project))
    shown = [{**_fields(item), "files": _shown(item.files)} for item in found]
    run.result(shown, lambda output: views.environments(output, found))


def _fields(item: object) -> dict[str, object]:
    names = ("name", "active", "protected", "branches", "target", "workers")
    return {name: getattr(item, name) for name in names}


def _active(run: Run, project: Project) -> str | None:
    """The environment a command would take here."""
    from trailboss.config.environment import detect

    branches = {name: entry.branches for name, entry in project.settings.environments.items()}
    return detect(run.options.env, run.environ, project.root, branches).name


@command("trailboss environments show production", "trailboss environments show --json")
@click.argument("name", required=False, metavar="[NAME]")
def show(run: Run, name: str | None) -> None:
    """Show what an environment comes to: settings, Workers, bindings, variables, routes.

    It is read from the files alone, everything inherited included; without NAME it is the active one.
    Values under telling names (…TOKEN, …SECRET, …) are hidden.
    """
    from trailboss.cli import views
    from trailboss.config.compare import view

    chosen = name if name is not None else _active(run, _load(run, "")) or ""
    found = view(_load(run, chosen), Path.cwd())
    run.result(found, lambda output: views.environment(output, found))


@command(
    "trailboss environments diff staging production",
    "trailboss environments diff staging qa --all",
    "trailboss environments diff staging production --live",
)
@click.argument("a")
@click.argument("b")
@click.option("--live", is_flag=True, help="Also names of secrets and what takes traffic, in the account.")
@click.option("--all", "everything", is_flag=True, help="Also what differs only by the environments' names.")
@click.option("--exit-code", is_flag=True, help="End with status 3 when something differs.")
def diff(run: Run, *, a: str, b: str, live: bool, everything: bool, exit_code: bool) -> int:
    """Show in what two environments differ, as the files have it: settings, resources, bindings, variables,
    routes; with --live also the names of their Workers' secrets and the versions that take traffic.

    Resources named after their environment (cache-staging, cache-production) are expected to differ and
    only counted. An empty name is the configuration's top level.
    """
    from trailboss.cli import comparing, views

    found = comparing.of_files(_load(run, a), _load(run, b))
    if live:
        found = (*found, *comparing.of_accounts(run, a, b))
    real = tuple(item for item in found if not item.expected)
    document = {"a": a or None, "b": b or None, "same": not real, "differences": found}
    run.result(
        document,
        lambda output: views.differences(
            output, (a, b), found if everything else real, 0 if everything else len(found) - len(real)
        ),
    )
    return 3 if exit_code and real else 0


@command(
    "trailboss environments delete qa --with-resources",
    "trailboss environments delete qa --keep-resources",
)
@click.argument("name")
@click.option("--with-resources", is_flag=True, help="First delete all that is its own in the account.")
@click.option("--keep-resources", is_flag=True, help="Do not look whether its Workers are still there.")
@click.option("--confirm", is_flag=True, help="With its data: what cannot be undone.")
@click.option("--force", is_flag=True, help="Also when it is protected.")
def delete(
    run: Run, *, name: str, with_resources: bool, keep_resources: bool, confirm: bool, force: bool
) -> None:
    """Remove an environment from the project's files; with --with-resources all of it.

    While the account still has one of its Workers this is refused, unless --keep-resources leaves them there.
    --with-resources takes its Workers, then what Trailboss made for it with all data (what it adopted stays),
    then its lines in the files. Data that would be lost needs a yes, in production --confirm. Stopped
    anywhere, the same command goes on.
    """
    from trailboss.config.environments import delete as remove

    if with_resources and keep_resources:
        raise UsageError("TB9068", "--with-resources and --keep-resources exclude each other")
    project, gone = _load(run, ""), None
    if name in project.environments:
        settings = project.settings.environments.get(name)
        if settings is not None and settings.protected and not force:
            raise RefusedError(
                "TB9043",
                f"{name} is protected and was not removed",
                hint="--force removes it all the same.",
                where=project.locate("environments", name, "protected"),
            )
        if with_resources:
            gone = _with_resources(run, name, confirm=confirm)
        elif not keep_resources:
            _refuse_if_used(run, name)
    done = remove(project, name)
    document = {
        "name": name,
        "deleted": done.done,
        "files": _shown(done.files),
        "resources_deleted": gone is not None,
        "resources": gone.resources if gone else (),
        "workers": gone.workers if gone else (),
    }
    run.result(document, lambda output: _show_deleted(output, done, project.environments, gone))


def _with_resources(run: Run, name: str, *, confirm: bool) -> Removed:
    from trailboss.cli.removing import remove
    from trailboss.plan.wanted import nothing

    run.options = replace(run.options, env=name)
    want = nothing(run.project)
    _announce(run, name, sorted(want.scripts))
    return remove(run, want, confirm=confirm, force=False)


def _refuse_if_used(run: Run, name: str) -> None:
    """Stops when the account still has the environment's Workers."""
    from trailboss.release.delete import read_usage

    run.options = replace(run.options, env=name)
    names = [worker.name for worker in run.workers() if worker.name]
    if not names:
        return
    _announce(run, name, names)

    async def still_there(cloud: Cloud) -> list[str]:
        return [worker for worker in names if await read_usage(cloud, worker) is not None]

    left = run.call(still_there)
    if left:
        them = "it" if len(left) == 1 else "them"
        raise RefusedError(
            "TB9044",
            f"{name} was not removed: the account still has {plural(len(left), 'Worker')} of it, "
            f"{', '.join(left)}",
            hint=f"Delete {them} with everything that is its own: --with-resources. Or keep {them}: "
            "--keep-resources.",
        )


def _announce(run: Run, name: str, workers: list[str]) -> None:
    """As every command does; without an account to ask, how to go on without one."""
    try:
        run.announce(", ".join(workers))
    except (AuthenticationError, SandboxError) as error:
        raise RefusedError(
            "TB9045",
            f"{name} was not removed: whether its Workers are still there cannot be told, because "
            f"{error.message}",
            hint=f"{error.hint} Or remove it without looking: --keep-resources.".strip(),
        ) from error


def _show_deleted(output: Output, done: Edited, known: tuple[str, ...], gone: Removed | None) -> None:
    from trailboss.cli import views

    name = output.style(done.name, "1", output.out)
    if not done.done:
        from trailboss.config.derived import PREFIXES

        there = f" (there are: {', '.join(known)})" if known else ""
        views.tick(output, f"Nothing to do: there is no environment {name}{there}")
        if done.name.startswith(PREFIXES):
            output.note(f"  A preview is in no file: `trailboss preview delete {done.name}`")
        return
    views.tick(output, f"Environment {name} is no longer in {' and '.join(_shown(done.files))}")
    if gone is None:
        output.note("  Only files changed. What the account has of it stays there.")
        return
    workers = ", ".join(gone.workers) or "no Worker was left"
    output.note(f"  Before that: {plural(len(gone.resources), 'resource')}; {workers}")
