"""`trailboss token permissions`: the least an API token must be allowed for this project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run

if TYPE_CHECKING:
    from trailboss.plan.permissions import Needed


@command("trailboss token permissions", "trailboss token permissions --read --json")
@click.option("--read", is_flag=True, help="Only what `trailboss plan` needs.")
def permissions(run: Run, read: bool) -> None:
    """Show the permission groups that an API token for this project needs, and what for.

    They follow from the resources that the files want: of the environment of --env, else of all of them.
    Nobody is asked. The names are those of Cloudflare's dashboard and API.
    """
    from trailboss.cli.plans import every_environment
    from trailboss.plan.permissions import needed
    from trailboss.plan.wanted import wanted

    runs = every_environment(run) if run.options.env is None else (run,)
    found = needed([wanted(one.project) for one in runs], read=read)
    environments = [one.project.environment.name for one in runs]
    document = {"environments": environments, "read_only": read, "permissions": found}
    run.result(document, lambda output: _show(output, found))


def _show(output: Output, found: tuple[Needed, ...]) -> None:
    rows = [[output.style(one.name, "1", output.out), _where(one), ", ".join(one.why)] for one in found]
    output.show(table(("permission group", "on", "for"), rows))


def _where(one: Needed) -> str:
    return ", ".join(one.zones) or ("zones" if one.scope == "zone" else "the account")
