"""A whole release taken back by hand: every Worker of it, callers first, looked at before anything moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trailboss.errors import RefusedError, ReleaseError
from trailboss.release.restoring import Difference, put_back
from trailboss.release.reverting import RollbackPlan, plan_rollback
from trailboss.release.rollout.control import Found, find, refuse_unpromoted, revert
from trailboss.release.together import together

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.callbacks import Confirm


@dataclass(frozen=True, slots=True)
class Back:
    """What a rollback of several Workers is asked: `why` is kept with the deployments, `force` says yes to
    older secrets; `around` and `data` put back what no version carries."""

    why: str = ""
    force: bool = False
    around: bool = False
    data: bool = False


@dataclass(frozen=True, slots=True)
class WentBack:
    """`found` as it is now; `restored` by Worker."""

    found: Found
    restored: Mapping[str, tuple[Difference, ...]] = field(default_factory=dict)


async def last_release(cloud: Cloud, workers: Sequence[str]) -> Found:
    """The release of these Workers that is live. Raises ReleaseError TB4406 where each was deployed by
    itself, so that nobody can say what belongs together."""
    try:
        return await find(cloud, workers)
    except ReleaseError as error:
        if error.code != "TB4406":
            raise
        raise ReleaseError(
            "TB4406",
            f"There is no release of {', '.join(workers)} as one: each was deployed by itself.",
            hint=f"Name the one to go back with: trailboss rollback --name {workers[0]}",
        ) from None


async def plan_whole(cloud: Cloud, found: Found) -> tuple[RollbackPlan, ...]:
    """What taking the release back would do, Worker by Worker. Writes nothing.

    Raises ReleaseError TB4414 when it was not promoted, and as `plan_rollback`."""
    refuse_unpromoted(found)
    marks = [(name, found.marks[name]) for name in found.order]
    return tuple(await together(*(plan_rollback(cloud, name, mark.stable) for name, mark in marks)))


async def roll_back_whole(
    cloud: Cloud, found: Found, asked: Back, confirm: Confirm | None = None
) -> WentBack:
    """Take a promoted release back as one. Where one Worker cannot go back, none does.

    Raises ReleaseError TB4414 (not promoted), TB4034 (a rule of the platform forbids it), TB4416 (nothing was
    kept), RefusedError TB4020 (older secrets, and nobody said yes), and what `traffic.shift` raises."""
    plans = await plan_whole(cloud, found)
    _refuse(plans, asked, confirm)
    after = await revert(cloud, found, asked.why)
    restored: dict[str, tuple[Difference, ...]] = {}
    if asked.around or asked.data:
        for plan in reversed(plans):
            done = await put_back(cloud, plan.worker, plan.target, data=asked.data, confirm=confirm)
            restored[plan.worker] = done
    return WentBack(after, restored)


def _refuse(plans: tuple[RollbackPlan, ...], asked: Back, confirm: Confirm | None) -> None:
    blocked = [f"{one.worker}: {finding.text}" for one in plans for finding in one.findings if finding.blocks]
    if blocked:
        raise ReleaseError(
            "TB4034",
            f"This release cannot be taken back as a whole; nothing was moved. {'; '.join(blocked)}.",
            hint="Deploy the old code again, or name one Worker and a version: rollback --name NAME VERSION.",
        )
    older = [f"{one.worker}: {finding.text}" for one in plans for finding in one.findings if one.asks]
    question = f"Secrets changed since. {'; '.join(older)}. Continue?"
    if not older or asked.force or (confirm is not None and confirm(question)):
        return
    raise RefusedError(
        "TB4020",
        f"Secrets changed since those versions were made. {'; '.join(older)}.",
        hint="With --force their own, older secret values go live. Or deploy again to keep the newest.",
    )
