"""A whole environment taken away: what it has in the account, then its lines in the files.

The account says what is its own: tags, markers, claims and its Workers. What it adopted stays. Stopped
anywhere, the files still name the environment, and the same command goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trailboss.cli import plans
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural
from trailboss.errors import RefusedError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.plan.owner import Owner
    from trailboss.plan.plan import Plan
    from trailboss.plan.register import Expiry
    from trailboss.plan.removal import Removal
    from trailboss.plan.wanted import Wanted


_TOLD = ("delete Worker ", "empty ")
"""Steps of a removal that no finished change tells of."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What went: resources as in an apply's `changed`, and Workers by name."""

    resources: tuple[dict[str, str], ...]
    workers: tuple[str, ...]


def remove(run: Run, want: Wanted, *, confirm: bool, force: bool, wait: float = 0.0) -> Removed:
    """Everything of the environment that `want` is of; `want` itself wants nothing any more.

    Raises:
        RefusedError: TB9067 a Worker is used from outside or holds data, and nobody confirmed; as
            `plan.remove_environment`.
    """
    from trailboss.plan.apply import Options
    from trailboss.plan.removal import remove_environment

    reasons = run.call(lambda cloud: _reasons(cloud, want.scripts))
    asked = run.confirm() is not None and not plans.is_production(run.project)
    if reasons and not (confirm or force or asked):
        raise RefusedError(
            "TB9067", "\n".join(["nothing was deleted:", *reasons]), hint="Confirm it with --confirm."
        )
    options = Options(
        doing="environments delete",
        wait=wait,
        tell=run.output.warn,
        step=plans.stepper(run.output),
        progress=lambda text: run.output.progress(text) if text.startswith(_TOLD) else None,
    )

    async def work(cloud: Cloud) -> Removal:
        return await remove_environment(
            cloud, want, options, approve=lambda plan, workers: _agreed(run, plan, workers, reasons, confirm)
        )

    done = run.call(work)
    rows = [(one.action, one.kind, one.key, one.name) for one in done.resources]
    return Removed(
        tuple(dict(zip(("action", "kind", "key", "name"), row, strict=True)) for row in rows), done.workers
    )


def expiries(run: Run, *, quiet: bool = False) -> dict[Owner, Expiry]:
    """The environments of the target's account that have an end; none where it refuses tags, which is said
    unless `quiet`."""
    from trailboss.errors import PermissionDenied
    from trailboss.plan.register import Register

    async def read(cloud: Cloud) -> dict[Owner, Expiry]:
        try:
            return (await Register.read(cloud)).expiries()
        except PermissionDenied as error:
            if not quiet:
                run.output.warn(f"the account's tags cannot be read ({error.message}): only the files count")
            return {}

    return run.call(read)


def _agreed(run: Run, plan: Plan, workers: tuple[str, ...], reasons: tuple[str, ...], confirm: bool) -> bool:
    """Shows what would go, and asks where somebody is there; in production only `--confirm` says so."""
    from trailboss.plan.shown import shown

    if not run.output.as_json:
        run.output.settle()
        for name in workers:
            run.output.line(f"  {run.output.style('-', '31', run.output.out)} Worker {name}")
        for reason in reasons:
            run.output.line(f"      {reason}")
        view = shown(plan)
        plans.show(run.output, replace(view, changes=tuple(replace(one, why="") for one in view.changes)))
    ask = run.confirm()
    if confirm or ask is None or not (plan.pending or workers):
        return confirm
    if plan.losing and plans.is_production(run.project):
        return False
    them = " and ".join([*([plural(len(plan.pending), "resource")] if plan.pending else []), *workers])
    if not run.options.yes and not ask(f"Delete {them}? This cannot be undone."):
        raise RefusedError("TB9060", "nothing was changed")
    return True


async def _reasons(cloud: Cloud, names: frozenset[str]) -> tuple[str, ...]:
    """Why somebody would miss these Workers; what their own environment does with them goes with them."""
    from trailboss.release.delete import read_usage

    found: list[str] = []
    for name in sorted(names):
        usage = await read_usage(cloud, name)
        if usage is not None:
            users = [text for text in usage.users if not any(f"Worker {own} " in text for own in names)]
            data = [f"the data of its Durable Objects {one} would be lost" for one in usage.storage]
            found += [f'"{name}": {reason}' for reason in (*users, *data)]
    return tuple(found)
