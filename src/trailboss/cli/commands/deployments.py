"""`trailboss deployments …`: what takes traffic now, and what did before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command, worker_name
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import ReleaseError

if TYPE_CHECKING:
    from trailboss.release.deployments import DeploymentView


@command("trailboss deployments list", "trailboss deployments list --env production --json")
@worker_name
@click.option(
    "--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="How many, newest first."
)
def listing(run: Run, name: str | None, limit: int) -> None:
    """Show the latest deployments: when, who, why, and which versions had which share.

    In JSON the order is wrangler's, oldest first.
    """
    from trailboss.cli import views, wire
    from trailboss.release.deployments import list_deployments

    script = run.script(name)
    run.announce(script)
    found = run.call(lambda cloud: list_deployments(cloud, script)).deployments[:limit]
    document = [wire.deployment(deployment) for deployment in reversed(found)]
    run.result(document, lambda output: views.deployments(output, found))


@command("trailboss deployments status", "trailboss deployments status --env staging --json")
@worker_name
def status(run: Run, name: str | None) -> None:
    """Show what takes traffic right now."""
    from trailboss.cli import wire
    from trailboss.release.deployments import status as read_status

    script = run.script(name)
    run.announce(script)
    found = run.call(lambda cloud: read_status(cloud, script))
    if found is None:
        raise ReleaseError(
            "TB4030", f'"{script}" has no deployment yet', hint="`trailboss deploy` makes the first one."
        )
    document = {"worker": script, **wire.deployment(found)}
    run.result(document, lambda output: _show(output, found))


def _show(output: Output, found: DeploymentView) -> None:
    from trailboss.cli import views
    from trailboss.cli.words_for import age

    by = f" by {found.author}" if found.author else ""
    output.line(f"Deployed {age(found.created)}{by} ({found.source})")
    if found.message:
        output.line(found.message)
    views.split(output, found)
