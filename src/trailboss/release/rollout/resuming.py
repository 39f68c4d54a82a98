"""`release resume`: take a rollout over, walk it to its end, and write what belongs to no version."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from trailboss.errors import ReleaseError
from trailboss.release.rollout import moves
from trailboss.release.rollout.afterwards import Rest, warnings_of, write_rest
from trailboss.release.rollout.clock import Clock, Wall
from trailboss.release.rollout.control import Found, is_over, picture_of, refuse_over, walk_of, write
from trailboss.release.rollout.engine import drive
from trailboss.release.rollout.mark import Phase
from trailboss.release.rollout.outlook import look_ahead
from trailboss.release.rollout.policy import Policy, with_smoke
from trailboss.release.rollout.probing import Prober
from trailboss.release.rollout.report import EXITS, RolloutReport, report
from trailboss.release.rollout.scene import Result, View, Walk
from trailboss.release.rollout.shape import under_way

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Project
    from trailboss.release.callbacks import Confirm


async def resume(
    cloud: Cloud,
    found: Found,
    policy: Policy,
    *,
    addresses: Mapping[str, str | None],
    environment: str | None = None,
    project: Project | None = None,
    force: bool = False,
    confirm: Confirm | None = None,
    clock: Clock | None = None,
    show: Callable[[object], None] = lambda _item: None,
) -> RolloutReport:
    """Take the rollout over and walk it to its end. Evidence is kept; the step's time begins anew, unless a
    source kept all counts since the deployer died. At its end the settings and triggers are written that
    `project` knows (`afterwards`), also where the deployer died after its last step.

    Raises ReleaseError TB4408 when it is over, TB4303 for other settings, TB4413 when it never began;
    ConflictError TB4403 while somebody is at it (`force` takes it from them); what `drive` raises."""
    clock = clock or Wall()
    now, state = clock.now(), found.state
    if is_over(found) or state.phase.over:
        return await _finish(cloud, found, policy, project, confirm)
    if state.phase.driven and not state.dead(now) and not force:
        raise under_way(found.order[0], state)
    if len(found.marks) < len(state.members):
        missing = [name for name in state.members if name not in found.marks]
        raise ReleaseError(
            "TB4413",
            f"This rollout ended before it had begun for {', '.join(missing)}; nobody gets the new version.",
            hint="Run `trailboss deploy` again: it uses what was uploaded already.",
        )
    began = time.perf_counter()
    async with Prober(cloud.target.edge_url) as prober:
        walk = walk_of(found, with_smoke(policy, addresses.values()), cloud, prober, clock)
        walk.members = tuple(replace(one, address=addresses.get(one.worker)) for one in walk.members)
        walk.environment, walk.show, walk.say = environment, show, show
        walk.folder = str(project.root) if project is not None else None
        outlook = await look_ahead(walk.policy, cloud, walk.names, now)
        await _take(walk, found, now)
        ended = await drive(walk)
    done = report(walk, outlook, ended, time.perf_counter() - began)
    if ended.result is not Result.PROMOTED:
        return done
    return with_rest(done, await write_rest(project, cloud, found, confirm=confirm, progress=show))


def with_rest(done: RolloutReport, rest: tuple[Rest, ...]) -> RolloutReport:
    """The report with what was written afterwards; a trigger that failed is a failure."""
    failed = any(not one.ok and not one.left for one in rest)
    warnings = (*done.warnings, *warnings_of(rest))
    return replace(done, rest=rest, warnings=warnings, exit_status=1 if failed else done.exit_status)


async def _finish(
    cloud: Cloud, found: Found, policy: Policy, project: Project | None, confirm: Confirm | None
) -> RolloutReport:
    """It is over for one Worker, and whoever said so died before the others followed; or for all, and before
    settings and triggers were written. Raises ReleaseError TB4408 when nothing was left to do."""
    state, why = found.state, "the Workers that lagged behind have followed"
    words = f"{state.phase.value}, as the others"
    after, over = found, is_over(found)
    rest: tuple[Rest, ...] = ()
    if over:
        why = "settings and triggers that were left are written"
        if state.phase is not Phase.PROMOTED:
            refuse_over(found)
    else:
        after = await write(
            cloud, found, words, phase=state.phase, at=state.at, since=state.since, until=state.until
        )
    if state.phase is Phase.PROMOTED:
        rest = await write_rest(project, cloud, after, confirm=confirm)
        if over and not any(one.wrote for one in rest):
            refuse_over(found)
    outlook = await look_ahead(policy, None, (), state.since)
    result = Result(state.phase.value)
    done = RolloutReport(
        outlook,
        state.id,
        result.value,
        why,
        picture=picture_of(after, policy, cloud),
        exit_status=EXITS[result],
    )
    return with_rest(done, rest)


async def _take(walk: Walk, found: Found, now: float) -> None:
    phase = Phase.CLAIMED if found.state.at < 0 else Phase.STEP
    stored = walk.policy.source == "analytics-engine" and found.state.phase is Phase.STEP
    since = found.state.since if stored else now  # counts that are kept are read from where they were left
    marks = {
        name: replace(mark, phase=phase, at=found.state.at, owner=walk.owner, who=walk.who, since=since)
        for name, mark in found.marks.items()
    }
    view = View(now, found.deployments, marks, marks[found.order[0]])
    await moves.keep(walk, view)
