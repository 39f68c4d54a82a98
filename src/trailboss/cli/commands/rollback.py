"""`trailboss rollback`: back to an earlier version."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command, worker_name
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import RefusedError

if TYPE_CHECKING:
    from trailboss.release.rollback import RollbackResult


@command(
    'trailboss rollback --message "checkout is broken" --yes',
    "trailboss rollback v122 --env production",
)
@click.argument("version", required=False, metavar="[VERSION]")
@click.option("--message", "-m", help="Why; kept on the deployment.")
@click.option("--force", is_flag=True, help="Also when secrets changed since that version was made.")
@worker_name
def rollback(run: Run, version: str | None, message: str | None, force: bool, name: str | None) -> None:
    """Give all traffic back to an earlier version, with that version's own secrets and bindings.

    One API call; nothing is built or uploaded. Without VERSION it is the one that had all the traffic
    before. Data, routes and schedules belong to no version and stay as they are.
    """
    from trailboss.cli import wire
    from trailboss.release.rollback import rollback as roll_back

    script = run.script(name)
    run.announce(script)
    _sure(run, script, version)
    done = run.call(
        lambda cloud: roll_back(
            cloud,
            script,
            version,
            message=message,
            force=force,
            confirm=run.confirm(),
            progress=run.output.progress,
        )
    )
    document = {
        "worker": done.worker,
        "changed": done.changed,
        "version": wire.version(done.target),
        "before": wire.deployment(done.before),
        "deployment": wire.deployment(done.deployment),
        "untouched": done.untouched,
    }
    run.result(document, lambda output: _show(output, done))


def _sure(run: Run, script: str, version: str | None) -> None:
    """wrangler asks on a terminal and goes ahead in a script; so does this."""
    ask = run.confirm()
    where = f"version {version}" if version else "the version before"
    if ask is not None and not ask(f'Give all traffic of "{script}" back to {where}?'):
        raise RefusedError("TB4032", f'"{script}" was not rolled back', hint="You answered no.")


def _show(output: Output, done: RollbackResult) -> None:
    from trailboss.cli import views

    if not done.changed:
        views.tick(output, f"Nothing to do: {done.target.label} has all the traffic already")
        return
    before = ", ".join(f"{views.name(item)} {item.percentage:g} %" for item in done.before.versions)
    views.tick(output, f"Rolled back to {done.target.label}  (before: {before})")
    views.split(output, done.deployment)
    for line in textwrap.wrap(f"Left as they are: {', '.join(done.untouched)}", 76):
        output.note(output.style(line, "2"))
