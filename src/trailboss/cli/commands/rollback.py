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
    from trailboss.cloud import Cloud
    from trailboss.release.reverting import RollbackPlan
    from trailboss.release.rollback import RollbackResult
    from trailboss.release.rollout.control import Found
    from trailboss.release.surroundings import Difference


@command(
    'trailboss rollback --message "checkout is broken" --yes',
    "trailboss rollback v122 --env production --dry-run",
)
@click.argument("version", required=False, metavar="[VERSION]")
@click.option("--message", "-m", help="Why; kept on the deployment.")
@click.option("--force", is_flag=True, help="Also when secrets changed since that version was made.")
@click.option(
    "--dry-run", is_flag=True, help="Say whether it can be done and what it would do; change nothing."
)
@click.option("--around", is_flag=True, help="Also schedules, workers.dev and settings, as they were then.")
@click.option("--data", is_flag=True, help="Also D1, as it was then: what was written since is lost.")
@worker_name
def rollback(
    run: Run,
    version: str | None,
    *,
    message: str | None,
    force: bool,
    dry_run: bool,
    name: str | None,
    **also: bool,
) -> int:
    """Give all traffic back to an earlier version, with that version's own secrets and bindings.

    One API call; nothing is built or uploaded. Without VERSION it is the one that had all the traffic
    before; of a project with several Workers, all that were released together. Data, routes and schedules
    belong to no version and stay as they are.
    """
    from trailboss.cli import wire
    from trailboss.release.rollback import rollback as roll_back

    if name is None and version is None and len(run.project.workers) > 1 and not dry_run:
        return _together(run, message)
    script = run.script(name)
    run.announce(script)
    if dry_run:
        return _preview(run, script, version)
    _sure(run, script, version, data=also["data"])
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
    restored = _restore(run, done, data=also["data"]) if also["around"] or also["data"] else ()
    run.result({**document, "restored": restored}, lambda output: _show(output, done, restored))
    return 0


def _restore(run: Run, done: RollbackResult, *, data: bool) -> tuple[Difference, ...]:
    """Put back what surrounded the version, where a release kept it.

    Raises:
        ReleaseError: TB4416 nothing was kept with it.
    """
    from trailboss.errors import ReleaseError
    from trailboss.release.surroundings import read_surroundings, recall, restore

    async def go(cloud: Cloud) -> tuple[Difference, ...]:
        then = await recall(cloud, done.worker, done.target.id)
        if then is None:
            raise ReleaseError(
                "TB4416",
                f"{done.target.label} has all traffic, but nobody kept what surrounded it.",
                hint="Rollouts keep it. `trailboss deploy` of that commit puts schedules and settings back.",
            )
        now = await read_surroundings(cloud, done.worker, done.target.id)
        return await restore(cloud, done.worker, now, then, data=data)

    return run.call(go)


def _together(run: Run, message: str | None) -> int:
    """The whole last release of the project."""
    from trailboss.cli import views
    from trailboss.release.rollout.control import find, revert

    scripts = [worker.name for worker in run.project.workers]
    names = ", ".join(scripts)
    run.announce(names)
    ask = run.confirm()
    if ask is not None and not ask(f"Give all traffic of {names} back to the versions before?"):
        raise RefusedError("TB4032", f"{names} were not rolled back", hint="You answered no.")

    async def go(cloud: Cloud) -> Found:
        return await revert(cloud, await find(cloud, scripts), message or "")

    done = run.call(go)
    rows = [
        {"worker": one, "version_id": mark.stable, "label": done.label(one, mark.stable)}
        for one, mark in done.marks.items()
    ]
    text = ", ".join(f"{row['worker']} to {row['label']}" for row in rows)
    run.result(
        {"rollout": done.state.id, "workers": rows}, lambda output: views.tick(output, f"Rolled back {text}")
    )
    return 0


def _preview(run: Run, script: str, version: str | None) -> int:
    from trailboss.cli import wire
    from trailboss.release.reverting import plan_rollback

    plan = run.call(lambda cloud: plan_rollback(cloud, script, version))
    document = {
        "worker": plan.worker,
        "dry_run": True,
        "possible": plan.possible,
        "asks": plan.asks,
        "version": wire.version(plan.target),
        "live": plan.live,
        "findings": plan.findings,
        "uploads_left": plan.left,
        "around": plan.around,
        "untouched": plan.untouched,
    }
    run.result(document, lambda output: _show_plan(output, plan))
    return 0 if plan.possible else 1


def _show_plan(output: Output, plan: RollbackPlan) -> None:
    from trailboss.cli import views

    said = "can be rolled back" if plan.possible else "cannot be rolled back"
    live = " and ".join(plan.live)
    if plan.possible:
        views.tick(output, f"{plan.worker} {said} from {live} to {plan.target.label}; nothing was changed")
    else:
        output.line(f"{output.style('✗', '31;1', output.out)} {plan.worker} {said} to {plan.target.label}")
    for finding in plan.findings:
        mark = output.style("✗" if finding.blocks else "!", "31" if finding.blocks else "33", output.out)
        output.line(f"  {mark} {finding.text}")
    output.line(f"  {plan.left} more uploads until {plan.target.label} cannot be deployed any more")
    for one in plan.around or ():
        flag = "--data" if one.data else "--around" if one.restorable else "by hand"
        output.line(f"  {one.what}: {one.now}; it was {one.then} ({flag})")
    for line in textwrap.wrap(f"Would stay as they are: {', '.join(plan.untouched)}", 76):
        output.note(output.style(line, "2"))


def _sure(run: Run, script: str, version: str | None, *, data: bool = False) -> None:
    """wrangler asks on a terminal and goes ahead in a script; so does this."""
    ask = run.confirm()
    where = f"version {version}" if version else "the version before"
    lost = ", and D1 to where it stood then" if data else ""
    if data and ask is None:
        raise RefusedError(
            "TB4033",
            "Going back in D1 loses what was written since.",
            hint="Say so with --yes, in a script too.",
        )
    if ask is not None and not ask(f'Give all traffic of "{script}" back to {where}{lost}?'):
        raise RefusedError("TB4032", f'"{script}" was not rolled back', hint="You answered no.")


def _show(output: Output, done: RollbackResult, restored: tuple[Difference, ...] = ()) -> None:
    from trailboss.cli import views

    if not done.changed:
        views.tick(output, f"Nothing to do: {done.target.label} has all the traffic already")
        return
    before = ", ".join(f"{views.name(item)} {item.percentage:g} %" for item in done.before.versions)
    views.tick(output, f"Rolled back to {done.target.label}  (before: {before})")
    views.split(output, done.deployment)
    for one in restored:
        views.tick(output, f"{one.what} put back: {one.then}")
    for line in textwrap.wrap(f"Left as they are: {', '.join(done.untouched)}", 76):
        output.note(output.style(line, "2"))
