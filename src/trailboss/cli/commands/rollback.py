"""`trailboss rollback`: back to an earlier version."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import command, worker_name
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import RefusedError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.restoring import Difference
    from trailboss.release.reverting import RollbackPlan
    from trailboss.release.rollback import RollbackResult
    from trailboss.release.rollout.backwards import Back


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
@click.option("--around", is_flag=True, help="Also routes, domains, schedules, consumers, settings of then.")
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
    before; of a project with several Workers, all that were released together. Data, routes, schedules and
    queue consumers belong to no version: they stay as they are, unless --around and --data put them back.
    """
    from trailboss.cli import wire
    from trailboss.release.rollback import rollback as roll_back

    if name is None and version is None and len(run.project.workers) > 1:
        from trailboss.release.rollout.backwards import Back as Asked

        asked = Asked(message or "", force, also["around"], also["data"])
        return _preview_whole(run) if dry_run else _together(run, asked)
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
    left = _left(done.untouched, around=also["around"], data=also["data"])
    document = {
        "worker": done.worker,
        "changed": done.changed,
        "version": wire.version(done.target),
        "before": wire.deployment(done.before),
        "deployment": wire.deployment(done.deployment),
        "untouched": left,
    }
    restored = _restore(run, done, data=also["data"]) if also["around"] or also["data"] else ()
    run.result({**document, "restored": restored}, lambda output: _show(output, done, left, restored))
    return 0


def _restore(run: Run, done: RollbackResult, *, data: bool) -> tuple[Difference, ...]:
    """Put back what surrounded the version, where a release kept it."""
    from trailboss.release.restoring import put_back

    return run.call(lambda cloud: put_back(cloud, done.worker, done.target, data=data, confirm=run.confirm()))


def _together(run: Run, asked: Back) -> int:
    """The whole last release of the project."""
    from trailboss.release.rollout.backwards import WentBack, last_release, roll_back_whole

    scripts = _announced(run)
    _sure(run, ", ".join(scripts), None, data=asked.data)

    async def go(cloud: Cloud) -> WentBack:
        return await roll_back_whole(cloud, await last_release(cloud, scripts), asked, run.confirm())

    done = run.call(go)
    rows = [
        {
            "worker": one,
            "version_id": mark.stable,
            "label": done.found.label(one, mark.stable),
            "restored": done.restored.get(one, ()),
        }
        for one, mark in done.found.marks.items()
    ]
    run.result({"rollout": done.found.state.id, "workers": rows}, lambda output: _show_whole(output, rows))
    return 0


def _announced(run: Run) -> list[str]:
    scripts = [worker.name for worker in run.project.workers]
    run.announce(", ".join(scripts))
    return scripts


def _show_whole(output: Output, rows: list[dict[str, Any]]) -> None:
    from trailboss.cli import views

    views.tick(output, "Rolled back " + ", ".join(f"{row['worker']} to {row['label']}" for row in rows))
    for row in rows:
        for one in row["restored"]:
            views.tick(output, f"{row['worker']}: {one.what} put back: {one.then}")


def _preview_whole(run: Run) -> int:
    """What taking the whole last release back would do; nothing is changed."""
    from trailboss.release.rollout.backwards import last_release, plan_whole

    scripts = _announced(run)

    async def go(cloud: Cloud) -> tuple[RollbackPlan, ...]:
        return await plan_whole(cloud, await last_release(cloud, scripts))

    plans = run.call(go)
    possible = all(plan.possible for plan in plans)

    def show(output: Output) -> None:
        for plan in plans:
            _show_plan(output, plan)

    workers = [_planned(plan) for plan in plans]
    run.result({"dry_run": True, "possible": possible, "workers": workers}, show)
    return 0 if possible else 1


def _preview(run: Run, script: str, version: str | None) -> int:
    from trailboss.release.reverting import plan_rollback

    plan = run.call(lambda cloud: plan_rollback(cloud, script, version))
    run.result(_planned(plan), lambda output: _show_plan(output, plan))
    return 0 if plan.possible else 1


def _planned(plan: RollbackPlan) -> dict[str, Any]:
    from trailboss.cli import wire

    return {
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
        flag = "--data" if one.data else "--around" if one.restorable else "stays"
        output.line(f"  {one.what}: {one.now} -> {one.then} ({flag})")
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


def _left(untouched: tuple[str, ...], *, around: bool, data: bool) -> tuple[str, ...]:
    """What a rollback leaves: with `around` and `data` it is only what they do not put back."""
    stored = "stored data"
    return tuple(one for one in untouched if not (data if one == stored else around))


def _show(
    output: Output, done: RollbackResult, left: tuple[str, ...], restored: tuple[Difference, ...]
) -> None:
    from trailboss.cli import views

    if not done.changed:
        views.tick(output, f"Nothing to do: {done.target.label} has all the traffic already")
        return
    before = ", ".join(f"{views.name(item)} {item.percentage:g} %" for item in done.before.versions)
    views.tick(output, f"Rolled back to {done.target.label}  (before: {before})")
    views.split(output, done.deployment)
    for one in restored:
        views.tick(output, f"{one.what} put back: {one.then}")
    for line in textwrap.wrap(f"Left as they are: {', '.join(left)}", 76) if left else ():
        output.note(output.style(line, "2"))
