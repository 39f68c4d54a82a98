"""`trailboss delete`: the Worker goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run

if TYPE_CHECKING:
    from trailboss.release.callbacks import Confirm
    from trailboss.release.delete import DeleteResult


@command("trailboss delete --env performance-testing", "trailboss delete old-worker --force")
@click.argument("worker", required=False, metavar="[WORKER]")
@click.option("--name", metavar="WORKER", help="The Worker, as an option.")
@click.option("--force", is_flag=True, help="Do not ask, not even when other Workers use it.")
@click.option("--dry-run", is_flag=True, help="Say what uses it, and delete nothing.")
def delete(run: Run, worker: str | None, name: str | None, force: bool, dry_run: bool) -> None:
    """Delete the Worker with its versions, secrets, routes and Durable Object data, after saying what
    still uses it.

    Databases, buckets, namespaces and queues are not touched: `trailboss environments delete NAME
    --with-resources` takes a whole environment away.
    """
    from trailboss.release.delete import DeleteResult, Usage, delete_worker, read_usage

    script = run.script(worker or name)
    run.announce(script)
    if dry_run:
        usage = run.call(lambda cloud: read_usage(cloud, script))
        done = DeleteResult(script, deleted=False, usage=usage or Usage((), ()))
        run.result(done, lambda output: _would(output, done, exists=usage is not None))
        return
    confirm = run.confirm() or (None if force else _unattended(run, script))
    done = run.call(
        lambda cloud: delete_worker(cloud, script, force=force, confirm=confirm, progress=run.output.progress)
    )
    run.result(done, lambda output: _show(output, done, run.project.environment.name))


def _unattended(run: Run, script: str) -> Confirm | None:
    """Without anybody to ask wrangler says yes. So does this, but only for a Worker nobody would miss."""
    from trailboss.release.delete import read_usage

    usage = run.call(lambda cloud: read_usage(cloud, script))
    harmless = usage is None or not (usage.users or usage.storage)
    return (lambda _question: True) if harmless else None


def _would(output: Output, done: DeleteResult, *, exists: bool) -> None:
    usage = done.usage
    output.line(f'Would delete "{done.worker}"' if exists else f'There is no Worker "{done.worker}"')
    for user in usage.users:
        output.line(f"  {user}")
    for storage in usage.storage:
        output.line(f"  the data of its Durable Object {storage} would go with it")


def _show(output: Output, done: DeleteResult, environment: str | None) -> None:
    from trailboss.cli import views

    there = f'Deleted "{done.worker}"'
    views.tick(output, there if done.deleted else f'Nothing to do: there is no Worker "{done.worker}"')
    if environment and done.deleted:
        output.note(
            "  Its databases, buckets and other resources stay; "
            f"`trailboss environments delete {environment} --with-resources` takes them too"
        )
