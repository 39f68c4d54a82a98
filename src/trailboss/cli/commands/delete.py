"""`trailboss delete`: the Worker goes; of an environment that ends by itself everything does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural

if TYPE_CHECKING:
    from trailboss.cli.removing import Removed
    from trailboss.release.callbacks import Confirm
    from trailboss.release.delete import DeleteResult


@command(
    "trailboss delete --env performance-testing",
    "trailboss delete old-worker --force",
    "trailboss delete --env qa --with-resources",
)
@click.argument("worker", required=False, metavar="[WORKER]")
@click.option("--name", metavar="WORKER", help="The Worker, as an option.")
@click.option("--with-resources", is_flag=True, help="All that the environment has in the account.")
@click.option("--force", is_flag=True, help="Do not ask, not even when other Workers use it.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
def delete(run: Run, *, worker: str | None, name: str | None, **flags: Any) -> None:
    """Delete the Worker with its versions, secrets, routes and Durable Object data, after saying what
    still uses it.

    An environment that ends by itself ([environments.NAME.ephemeral], a preview) goes as a whole: Workers,
    databases, buckets, queues, every note of it. With --with-resources any other one does too; its lines in
    the files stay. What cannot be undone is asked for, unless it was made to be thrown away.
    """
    given = worker or name
    if given is None:
        from trailboss.cli import ending

        ephemeral = ending.is_ephemeral(run)
        if ephemeral or flags["with_resources"]:
            return _whole(run, ephemeral=ephemeral, force=flags["force"], dry_run=flags["dry_run"])
    elif flags["with_resources"]:
        from trailboss.errors import UsageError

        raise UsageError(
            "TB9074",
            "--with-resources takes a whole environment, and this names one Worker",
            hint=f"Leave out {given}, or --with-resources.",
        )
    return _one(run, given, force=flags["force"], dry_run=flags["dry_run"])


def _whole(run: Run, *, ephemeral: bool, force: bool, dry_run: bool) -> None:
    from trailboss.cli import ending

    if dry_run:
        would = ending.would_remove(run, force=force)
        run.result(would, lambda output: output.line("Nothing was deleted."))
        return
    gone = ending.remove_all(run, ephemeral=ephemeral, force=force)
    environment = run.project.environment.name
    document = {
        "environment": environment,
        "deleted": bool(gone.workers or gone.resources),
        "resources": gone.resources,
        "workers": gone.workers,
    }
    lines = environment in run.project.environments
    run.result(document, lambda output: _show_whole(output, str(environment), gone, lines=lines))


def _show_whole(output: Output, environment: str, gone: Removed, *, lines: bool) -> None:
    from trailboss.cli import views

    name = output.style(environment, "1", output.out)
    if not gone.workers and not gone.resources:
        views.tick(output, f"Nothing to do: the account has nothing of {name}")
        return
    workers = ", ".join(gone.workers) or "no Worker was left"
    views.tick(
        output,
        f"Nothing of {name} is left in the account: {workers}, {plural(len(gone.resources), 'resource')}",
    )
    if lines:
        output.note("  Its lines in the files stay; a deploy makes it again")


def _one(run: Run, given: str | None, *, force: bool, dry_run: bool) -> None:
    from trailboss.release.delete import DeleteResult, Usage, delete_worker, read_usage

    script = run.script(given)
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
    harmless = usage is None or not (usage.users or usage.storage or usage.queues)
    return (lambda _question: True) if harmless else None


def _would(output: Output, done: DeleteResult, *, exists: bool) -> None:
    usage = done.usage
    output.line(f'Would delete "{done.worker}"' if exists else f'There is no Worker "{done.worker}"')
    for user in usage.users:
        output.line(f"  {user}")
    for storage in usage.storage:
        output.line(f"  the data of its Durable Object {storage} would go with it")
    for queue in usage.queues:
        output.line(f"  messages in {queue} would be taken by nobody")


def _show(output: Output, done: DeleteResult, environment: str | None) -> None:
    from trailboss.cli import views

    there = f'Deleted "{done.worker}"'
    views.tick(output, there if done.deleted else f'Nothing to do: there is no Worker "{done.worker}"')
    if environment:
        output.note(
            "  Its databases, buckets and other resources stay; "
            f"`trailboss delete --env {environment} --with-resources` takes them too"
        )
