"""`trailboss ci init|comment`: the project's pipeline, and what it says on a pull request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli import plans
from trailboss.cli.declare import command
from trailboss.cli.output import Output, plain
from trailboss.cli.run import Run
from trailboss.errors import TrailbossError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Project
    from trailboss.export.ci import CiInit
    from trailboss.plan.plan import Plan


@command("trailboss ci init github", "trailboss ci init gitlab --force")
@click.argument("service", type=click.Choice(["github", "gitlab"]))
@click.option("--force", is_flag=True, help="Also over a file that was changed by hand.")
def init(run: Run, service: str, force: bool) -> None:
    """Write this project's pipeline: on a pull request a plan as a comment and an address to try it at; on
    the branch that is released a deploy to the first environment and, once somebody agreed, the same bytes
    promoted to the next, with its gates and its rollback.

    Which environments, and in which order, follows from trailboss.toml ([ci] says it otherwise). It can be
    run again: a file that was changed by hand is left alone, and the difference shown.
    """
    from trailboss.export.ci import init as write

    def load(name: str) -> Project:
        return plans.in_environment(run, name).project

    run.workers()  # says what is missing where there is no project
    done = write(load(""), load, service, force=force)
    document = {**plain(done), "root": str(done.root)}
    run.result(document, lambda output: _show(output, done))


def _show(output: Output, done: CiInit) -> None:
    from trailboss.cli import views

    said = {"written": "is written", "updated": "is brought up to date", "unchanged": "is as it should be"}
    views.tick(output, f"{done.file} {said[done.state]}")
    output.line(f"  {done.branch}: {' → '.join(done.stages)}")
    where = "Settings > Secrets and variables" if done.service == "github" else "Settings > CI/CD > Variables"
    output.line(f"  It needs {', '.join(done.secrets)} ({where})")
    for name in done.approvals:
        whom = "required reviewers" if done.service == "github" else "who may deploy"
        output.line(f"  Approval of {name}: {whom} of the environment {name}, in Settings > Environments")


@command("trailboss ci comment staging production", "trailboss ci comment staging --previews previews/")
@click.argument("environments", nargs=-1, required=True, metavar="ENVIRONMENT...")
@click.option(
    "--previews",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Has preview-WORKER.json from `versions upload --json`.",
)
def comment(run: Run, environments: tuple[str, ...], previews: Path | None) -> int:
    """Print what a pull request would change in each environment, as a comment in Markdown. Nothing is
    written.

    An environment that cannot be planned says why, and the exit status says so too.
    """
    from trailboss.cli import pipelines
    from trailboss.export.github import marker

    project = plans.in_environment(run, "").project
    parts = [marker(project.name), *pipelines.previewed(_documents(previews))]
    status, documents = 0, []
    for name in environments:
        one = plans.in_environment(run, name)
        title = name or "top level"
        try:
            document = _planned(one)
        except TrailbossError as error:
            status = status or error.exit_status
            document = error.as_json()
            parts.append(pipelines.failed(title, error))
        else:
            parts.append(pipelines.planned(title, document))
        documents.append({"environment": name or None, **document})
    text = pipelines.fitting(parts)
    result = {"markdown": text, "plans": documents}
    run.result(result, lambda output: output.line(text))
    return status


def _planned(run: Run) -> dict[str, Any]:
    from trailboss.plan.plan import make
    from trailboss.plan.shown import shown
    from trailboss.plan.wanted import wanted

    run.announce(run.project.name)
    want = wanted(run.project)

    async def work(cloud: Cloud) -> Plan:
        return await make(cloud, want)

    found: dict[str, Any] = plain(shown(run.call(work)))
    return found


def _documents(folder: Path | None) -> dict[str, Any]:
    """What `versions upload --json` said of each Worker; a file that is no document says nothing."""
    found = {}
    for file in sorted(folder.glob("preview-*.json")) if folder is not None else ():
        try:
            document = json.loads(file.read_text())
        except ValueError:
            continue
        if isinstance(document, dict):
            found[file.stem.removeprefix("preview-")] = document
    return found
