"""`trailboss promote`: the same bytes, one environment further."""

from __future__ import annotations

from dataclasses import replace

import click

from trailboss.cli.commands.deploy import finish, released, target_of
from trailboss.cli.declare import command
from trailboss.cli.run import Run
from trailboss.errors import UsageError


@command(
    "trailboss promote staging production", "trailboss promote staging production --strategy canary --yes"
)
@click.argument("lower", metavar="FROM")
@click.argument("higher", metavar="TO")
@click.option("--message", "-m", help="Kept on the version; default: where it comes from.")
@click.option("--tag", help="A tag for the version.")
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@click.option("--force", is_flag=True, help="Also when the environment asks for other proof; recorded.")
@click.option("--strategy", metavar="NAME", help="at-once, canary, blue-green or edge-first.")
@click.option("--steps", metavar="PERCENT,...", help="Shares of the traffic on the way to 100.")
@click.option("--bake", metavar="TIME", help="Least time in each step, such as 5m.")
def promote(
    run: Run, lower: str, higher: str, *, message: str | None, tag: str | None, **flags: object
) -> int:
    """Release in TO exactly the artifact that has all the traffic in FROM, with TO's own bindings, variables
    and secrets.

    Nothing else is released: when the files here build something else, it comes from the build cache, or
    this is refused and says which commit to check out. Every Worker of the project goes, as one release.
    """
    from trailboss.release.outcomes import DeployOptions
    from trailboss.release.proof import read_proof

    if lower == higher or run.options.env not in (None, higher):
        raise UsageError(
            "TB9438",
            f'"{lower}" cannot be promoted to "{run.options.env or higher}".',
            hint="Name two environments: trailboss promote staging production",
        )
    run.options = replace(run.options, env=higher)
    workers = run.workers()
    run.announce(", ".join(worker.name for worker in workers))
    proof = run.call(lambda cloud: read_proof(run.project, lower, cloud, target_of(run), run.environ))
    options = DeployOptions(
        reveal=run.reveal,
        message=message or f"Promoted from {lower}",
        tag=tag,
        dry_run=bool(flags["dry_run"]),
        force=bool(flags["force"]),
        confirm=run.confirm(),
        promoted=proof,
        target_of=target_of(run),
    )
    return finish(run, released(run, workers, run.target, options, flags))
