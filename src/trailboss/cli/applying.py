"""Plan, show, ask, apply: what `apply` and every command that edits the file do at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trailboss.cli import plans
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.errors import RefusedError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.plan.apply import Applied
    from trailboss.plan.changes import Change
    from trailboss.plan.plan import Plan
    from trailboss.plan.shown import ChangeShown
    from trailboss.plan.wanted import Wanted
    from trailboss.values import Secret


def carry_out(
    run: Run,
    want: Wanted,
    *,
    targets: tuple[str, ...] = (),
    adopt: bool = False,
    approved: str | None = None,
    confirm: bool = False,
    wait: float = 0.0,
    quiet: bool = False,
    doing: str = "apply",
    known: Mapping[str, Secret] | None = None,
) -> Applied:
    """Plan, show, ask where somebody is there to answer, and apply. `known` are secrets by reference."""
    from trailboss.plan.apply import Applied, Options
    from trailboss.plan.apply import apply as do
    from trailboss.plan.plan import make
    from trailboss.plan.plan import refuse as refuse_plan
    from trailboss.plan.shown import shown

    async def work(cloud: Cloud) -> Applied:
        plan = await make(cloud, want, adopt=adopt, targets=targets)
        view = shown(plan)
        if not run.output.as_json and (not quiet or len(plan.pending) > 1 or plan.losing):
            run.output.settle()
            plans.show(run.output, view)
        if plan.is_empty and approved is None and not _silent(plan):
            return Applied(plan, (), plan.calls)
        confirmed = _agreed(run, plan, confirm)
        refuse_plan(plan, approved=approved, confirmed=confirmed)
        step = plans.stepper(run.output)
        step.expect(plan.changes)
        options = Options(
            adopt=adopt,
            targets=targets,
            approved=plan.fingerprint,
            confirmed=confirmed,
            wait=wait,
            doing=doing,
            reveal=plans.revealer(run, known),
            tell=run.output.warn,
            step=step,
            progress=run.output.progress,
        )
        return await do(cloud, want, options)

    return run.call(work)


def _silent(plan: Plan) -> bool:
    """Whether there is something to write that is no change: stamps, and the note of the Workers' names."""
    return plan.is_late or any(one.restamp for one in plan.changes)


def _agreed(run: Run, plan: Plan, confirm: bool) -> bool:
    """Whether what cannot be undone may be done. In production only `--confirm` says so."""
    ask = run.confirm()
    if plan.losing and not confirm and plans.is_production(run.project):
        return False
    if ask is None or not plan.pending:
        return confirm
    if not run.options.yes and not ask("Carry this out?"):
        raise RefusedError("TB9060", "nothing was changed")
    return True


def result_of(done: Applied) -> dict[str, object]:
    """What `--json` prints of an apply."""
    from trailboss.plan.shown import shown

    view = shown(done.plan)
    return {
        "project": view.project,
        "environment": view.environment,
        "changed": [_row(one) for one in done.done if one.action != "none"]
        + [_row(one) for one in view.changes if one.kind == "environment"],
        "calls": done.calls,
    }


def _row(one: Change | ChangeShown) -> dict[str, str]:
    return {"action": one.action, "kind": one.kind, "key": one.key, "name": one.name}


def show_applied(output: Output, done: Applied) -> None:
    """The last line of an apply."""
    from trailboss.cli import views
    from trailboss.cli.words_for import plural

    count = sum(one.action != "none" for one in done.done) + (done.plan.ending is not None)
    if count:
        views.tick(output, f"{plural(count, 'change')} made and read back ({done.calls} API calls)")
    else:
        views.tick(output, "The account is as the files say")
