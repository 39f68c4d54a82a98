"""`trailboss seed`: the data an environment begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import ConfigError

if TYPE_CHECKING:
    from trailboss.develop.seeding import Planted


@command("trailboss seed --env testing", "trailboss seed --env pr-12 --json")
def seed(run: Run) -> None:
    """Fill an environment's databases, namespaces and buckets with the data of [environments.NAME.seed], or
    of [ephemeral.seed] where it is ephemeral.

    Each file is applied once, and again when it has changed. A deploy does this by itself, before the first
    traffic; a protected environment is refused.
    """
    from trailboss.cli import beginning

    seeds = beginning.seeds_of(run)
    name = run.project.environment.name
    if not seeds:
        raise ConfigError(
            "TB1533",
            f"the files have no data for {name or 'the top level'} to begin with",
            hint=f"Write [environments.{name or 'testing'}.seed], or [ephemeral.seed] for ephemeral ones.",
            where=run.project.locate("ephemeral", "seed"),
        )
    run.announce(", ".join(worker.name for worker in run.project.workers))
    planted = beginning.plant(run, seeds)
    run.result({"seeded": planted}, lambda output: _show(output, planted))


def _show(output: Output, planted: tuple[Planted, ...]) -> None:
    from trailboss.cli import views

    for one in planted:
        views.tick(output, said(one))


def said(one: Planted) -> str:
    """What became of one seed, in words."""
    what = {"d1": "SQL file", "kv": "pair", "r2": "object"}[one.product]
    count = f"{one.count} {what}{'' if one.count == 1 else 's'}"
    return f"{one.binding} ({one.resource}): {f'{count} written' if one.count else 'was seeded already'}"
