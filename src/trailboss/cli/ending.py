"""The end of an environment in the account, whoever asks for it: `delete`, `preview delete`, `reap`.

Its files are not touched. What was made to be thrown away needs no yes where nobody is there to give one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.cli.beginning import WAIT
from trailboss.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from trailboss.cli.removing import Removed
    from trailboss.cli.run import Run
    from trailboss.cloud import Cloud
    from trailboss.plan.plan import Plan


class _Seen(Exception):
    """What would go; raised where somebody would have been asked."""

    def __init__(self, plan: Plan, workers: tuple[str, ...]) -> None:
        super().__init__()
        self.plan, self.workers = plan, workers


def is_ephemeral(run: Run) -> bool:
    """Whether the environment ends by itself: the files say so, or the account has a note of its end."""
    from trailboss.cli import beginning

    if not run.project.environment.name:
        return False
    if beginning.is_ephemeral(run.project):
        return True
    from trailboss.cli.removing import expiries
    from trailboss.plan.owner import Owner

    return Owner(run.project.name, run.project.environment.name) in expiries(run, quiet=True)


def remove_all(run: Run, *, ephemeral: bool, force: bool, wait: float = WAIT) -> Removed:
    """Everything of the environment, after saying what that is.

    Raises:
        UsageError: TB9075 no environment is chosen. RefusedError: TB9043 it is protected; as `remove`.
    """
    from trailboss.cli.removing import remove
    from trailboss.plan.wanted import nothing

    check(run, force=force)
    want = nothing(run.project)
    run.announce(", ".join(sorted(want.scripts)))
    unasked = force or (ephemeral and (run.confirm() is None or run.options.yes))
    try:
        return remove(run, want, confirm=unasked, force=unasked, wait=wait)
    except RefusedError as error:
        if error.code != "TB6202" or not (force or _is_preview(run)):
            if error.code == "TB6202":
                error.hint = "--force deletes the Workers, and the resources that are named after it."
            raise
        return _by_name(run, asking=not unasked)


def _is_preview(run: Run) -> bool:
    return run.project.document is not None and run.project.document.derived is not None


def _by_name(run: Run, *, asking: bool) -> Removed:
    """What is named after the environment, where the account cannot say what is its own."""
    from trailboss.cli.removing import Removed
    from trailboss.plan.by_name import remove_by_name
    from trailboss.plan.wanted import wanted

    name = run.project.environment.name
    run.output.warn(f"this account refuses resource tags: what is named after {name} goes, and no more")
    ask = run.confirm()
    if asking and ask is not None and not ask(f"Delete what is named after {name}? This cannot be undone."):
        raise RefusedError("TB9060", "nothing was changed")
    want = wanted(run.project)
    gone, workers = run.call(lambda cloud: remove_by_name(cloud, want, run.output.progress))
    rows = [{"action": "delete", "kind": one[0], "key": one[1], "name": one[2]} for one in gone]
    return Removed(tuple(rows), workers)


def would_remove(run: Run, *, force: bool) -> dict[str, Any]:
    """What `remove_all` would take, shown to a person, and as a document."""
    from trailboss.cli import plans
    from trailboss.cli.output import plain
    from trailboss.plan.removal import remove_environment
    from trailboss.plan.shown import shown
    from trailboss.plan.wanted import nothing

    check(run, force=force)
    want = nothing(run.project)
    run.announce(", ".join(sorted(want.scripts)))

    def look(plan: Plan, workers: tuple[str, ...]) -> bool:
        raise _Seen(plan, workers)

    async def work(cloud: Cloud) -> _Seen:
        try:
            await remove_environment(cloud, want, approve=look)
        except _Seen as seen:
            return seen
        raise AssertionError("nobody was asked")

    seen = run.call(work)
    view = shown(seen.plan)
    if not run.output.as_json:
        for name in seen.workers:
            run.output.line(f"  {run.output.style('-', '31', run.output.out)} Worker {name}")
        plans.show(run.output, view)
    gone = [
        {"action": one.action, "kind": one.kind, "key": one.key, "name": one.name}
        for one in seen.plan.pending
    ]
    rows = {"resources": plain(gone), "workers": list(seen.workers)}
    return {"environment": run.project.environment.name, "deleted": False, **rows}


def check(run: Run, *, force: bool) -> None:
    """Raises UsageError TB9075, RefusedError TB9043."""
    name = run.project.environment.name
    if not name:
        raise UsageError(
            "TB9075",
            "which environment is to go was not said, and everything that has none is too much",
            hint="Choose one with --env.",
        )
    if run.project.protected and not force:
        raise RefusedError(
            "TB9043",
            f"{name} is protected and was not removed",
            hint="--force removes it all the same.",
            where=run.project.locate("protected"),
        )
