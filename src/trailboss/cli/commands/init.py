"""`trailboss init`: a new project, or trailboss.toml beside an existing wrangler configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.cli.scaffold import Scaffold, existing_config, scaffold, worker_name
from trailboss.errors import UsageError


@command("trailboss init my-worker --yes", "trailboss init --environment staging --environment production")
@click.argument("name", required=False, metavar="[NAME]")
@click.option(
    "--environment", "environments", multiple=True, metavar="NAME", help="Environment to set up; may repeat."
)
def init(run: Run, name: str | None, environments: tuple[str, ...]) -> None:
    """Start a project.

    In a folder with a wrangler configuration only trailboss.toml is added. Elsewhere a small TypeScript
    Worker is written: into the folder NAME, or here when no name is given. Files that exist are never
    changed.
    """
    here = Path.cwd()
    adopting = existing_config(here) is not None
    folder = here if adopting or name is None else here / name
    chosen = _name(run, folder, name, adopting)
    done = scaffold(folder, chosen, environments)
    run.result(done, lambda output: _show(output, done, here))


def _name(run: Run, folder: Path, name: str | None, adopting: bool) -> str:
    if name is not None:
        return Path(name).name
    suggested = worker_name(folder.name)
    if adopting or run.options.yes:
        return suggested
    if not sys.stdin.isatty():
        raise UsageError("TB9021", "the Worker has no name yet", hint=f"trailboss init {suggested} --yes")
    return run.output.ask("Name of the Worker", default=suggested)


def _show(output: Output, done: Scaffold, here: Path) -> None:
    from trailboss.cli import views

    if not done.written:
        views.tick(output, "Nothing to do: everything is here already")
        return
    views.tick(output, f"Adopted {done.name}" if done.adopted else f"Made {done.name}")
    for file in done.written:
        output.line(f"  {output.style('+', '32', output.out)} {_shown(done.folder / file, here)}")
    for file in done.kept:
        output.line(f"    {_shown(done.folder / file, here)} was here and stays as it is")
    output.line()
    output.line("Next:")
    if done.folder != here:
        output.line(f"  cd {_shown(done.folder, here)}")
    output.line("  trailboss sandbox start")
    output.line("  trailboss deploy --target sandbox")


def _shown(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
