"""`trailboss plan` and `trailboss apply`: what the files want, compared with the account and made so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trailboss.cli import plans
from trailboss.cli.applying import carry_out, result_of, show_applied
from trailboss.cli.declare import command
from trailboss.cli.output import Output, plain
from trailboss.cli.run import Run
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.plan.plan import Plan
    from trailboss.plan.shown import PlanShown

resource = click.option(
    "--resource", "resources", multiple=True, metavar="KIND.KEY", help="Only this one and what it needs."
)
adopting = click.option("--adopt", is_flag=True, help="Take over what is there already and differs.")


@command(
    "trailboss plan --env staging",
    "trailboss plan --all-environments --exit-code",
    "trailboss plan --out plan.json",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Save it for `trailboss apply FILE`."
)
@click.option("--exit-code", is_flag=True, help="End with status 3 when there are changes.")
@click.option("--all-environments", "everywhere", is_flag=True, help="Plan every environment of the project.")
@resource
@adopting
def plan(
    run: Run, *, out: Path | None, exit_code: bool, everywhere: bool, resources: tuple[str, ...], adopt: bool
) -> int:
    """Show what has to change in the account so that it is as the files say. Nothing is written.

    Each change shows its fields, old and new; what was changed by hand is told apart from a change of the
    file; what cannot be undone says so. Things that are not this project's are never changed or deleted.
    """
    from trailboss.plan.saved import save
    from trailboss.plan.shown import shown

    if out is not None and everywhere:
        raise UsageError(
            "TB9065", "a saved plan is for one environment", hint="Leave out --out or --all-environments."
        )
    targets = plans.addresses(run, resources)
    runs = plans.every_environment(run) if everywhere else (run,)
    found = [_plan(one, targets, adopt) for one in runs]
    views = [shown(one) for one in found]
    if out is not None:
        account = run.target.account_id or ""
        save(out, found[0], account, adopt=adopt, targets=targets, shown=plain(views[0]))
    document = {"plans": list(map(_told, runs, views))} if everywhere else views[0]

    def show(output: Output) -> None:
        for view in views:
            if everywhere:
                output.line(f"\n{output.style(view.environment or '(top level)', '1', output.out)}")
            plans.show(output, view)
        if out is not None:
            output.note(f"Saved in {out}; carry it out with `trailboss apply {out}`.")

    run.result(document, show)
    return 3 if exit_code and not all(one.is_empty for one in found) else 0


@command(
    "trailboss apply --env staging", "trailboss apply plan.json", "trailboss apply --resource queue.jobs"
)
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--confirm", is_flag=True, help="Also what cannot be undone.")
@click.option("--wait", type=float, default=0.0, metavar="SECONDS", help="Wait for another apply to finish.")
@resource
@adopting
def apply(
    run: Run, *, file: Path | None, confirm: bool, wait: float, resources: tuple[str, ...], adopt: bool
) -> None:
    """Make the account as the files say: create, update, delete, in the right order, and read it back.

    It can be stopped anywhere; the next run goes on from there. One apply at a time: a lock in the account
    says who is at work. What cannot be undone (a database with its data) needs --confirm in production, and
    a yes elsewhere. FILE is a saved plan: it is refused when anything changed since.
    """
    from trailboss.plan.saved import load, refuse_elsewhere
    from trailboss.plan.wanted import wanted

    targets, approved = plans.addresses(run, resources), None
    if file is not None:
        saved = load(file)
        run.options = replace(run.options, env=saved.environment)
        targets, adopt, approved = saved.targets, saved.adopt, saved.fingerprint
    run.announce(run.project.name)
    want = wanted(run.project)
    if file is not None:
        refuse_elsewhere(saved, run.target.account_id or "", want.owner)
    done = carry_out(run, want, targets=targets, adopt=adopt, approved=approved, confirm=confirm, wait=wait)
    run.result(result_of(done), lambda output: show_applied(output, done))


def _told(run: Run, view: PlanShown) -> dict[str, object]:
    return {"target": run.target.name, "account_id": run.target.account_id, **plain(view)}


def _plan(run: Run, targets: tuple[str, ...], adopt: bool) -> Plan:
    from trailboss.plan.plan import make
    from trailboss.plan.wanted import wanted

    run.announce(run.project.name)
    want = wanted(run.project)

    async def work(cloud: Cloud) -> Plan:
        return await make(cloud, want, adopt=adopt, targets=targets)

    return run.call(work)
