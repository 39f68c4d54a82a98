"""`watch`: a guard that stays after a release. When the error budget burns, it finds out whether the release
is to blame, and only then takes it back.

A release that has all traffic has nobody to be compared with, and an outage of a database looks just like a
bad release. So half of the traffic is given to the version before, at random, and both are judged by the
same test as in a rollout: only what is certainly the new version's doing (E >= 1/alpha) is rolled back; else
all traffic is given back to it, and the burn is somebody else's to mend."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from trailboss.release.burn import DEFAULT, Budget, Burning, BurnWindow
from trailboss.release.evidence.windows import Span
from trailboss.release.model import Version
from trailboss.release.naming import Catalogue, previous
from trailboss.release.reading import read_catalogue, read_deployments
from trailboss.release.reverting import plan_rollback
from trailboss.release.rollout import moves
from trailboss.release.rollout.clock import Clock, Wall
from trailboss.release.rollout.engine import Ended, drive, look
from trailboss.release.rollout.mark import Phase
from trailboss.release.rollout.policy import Gate, Policy, Step
from trailboss.release.rollout.probing import Prober
from trailboss.release.rollout.scene import Member, Result, Walk
from trailboss.release.sources.tail import TailSource

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.sources.base import Source

SHARE = 50.0
ROUND = 60.0
"""Seconds between two looks for a rollout whose deployer is gone."""


class Alarm(StrEnum):
    """What a guard may report."""

    QUIET = "quiet"
    BURNING = "burning"
    TRIED = "tried"
    ROLLED_BACK = "rolled-back"
    NOT_THE_RELEASE = "not-the-release"
    CANNOT = "cannot"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Guarded:
    """One thing that happened: `speed` is how many times faster than allowed the budget burns."""

    worker: str
    alarm: Alarm
    text: str
    at: float
    speed: float | None = None
    requests: int | None = None
    failed: int | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """`objective`: the share of requests that may not fail (0.999); `trial` seconds in which blame is
    decided; without `rollback` it only tells."""

    policy: Policy
    objective: float = 0.999
    windows: tuple[BurnWindow, ...] = DEFAULT
    trial: float = 300.0
    rollback: bool = True


@dataclass(frozen=True, slots=True)
class _Post:
    """Where the guard stands."""

    cloud: Cloud
    worker: str
    asked: Watch
    tell: Callable[[Guarded], None]
    clock: Clock


async def watch(
    cloud: Cloud,
    worker: str,
    asked: Watch,
    tell: Callable[[Guarded], None],
    *,
    seconds: float | None = None,
    clock: Clock | None = None,
    source: Source | None = None,
) -> Guarded:
    """Guard one Worker for `seconds` (None: for ever); the last thing that happened.

    It ends early when it has rolled back. Raises CloudError when the account cannot be reached."""
    clock = clock or Wall()
    listening = source or TailSource(cloud, worker, lag=asked.policy.timing.lag)
    budget = Budget(asked.objective, asked.windows)
    began = since = clock.now()
    last = Guarded(worker, Alarm.QUIET, "nothing burns", began)
    known, rounds = "", began
    end = math.inf if seconds is None else began + seconds
    await listening.open()
    try:
        while clock.now() < end:
            await clock.wait(min(clock.now() + asked.policy.timing.window, end))
            if clock.now() >= rounds:
                rounds, known = clock.now() + ROUND, await _abandoned(cloud, worker, known, tell, clock)
            since = await _count(listening, budget, since, clock.now())
            burning = budget.burning(clock.now())
            if burning is None:
                continue
            budget.forget()
            last = await _answer(_Post(cloud, worker, asked, tell, clock), burning)
            tell(last)
            if last.alarm is Alarm.ROLLED_BACK:
                break
            since = clock.now()
    finally:
        await listening.aclose()
    return last


async def _abandoned(
    cloud: Cloud, worker: str, known: str, tell: Callable[[Guarded], None], clock: Clock
) -> str:
    """Tell of a rollout that nobody drives any more, once; the id of the one that was told of."""
    listed = await read_deployments(cloud, worker)
    mark = listed[0].mark if listed else None
    if mark is None or mark.id == known or not mark.dead(clock.now()):
        return known
    text = f"a rollout by {mark.who} stands at {mark.where}, and nobody is at it: `trailboss release resume`"
    tell(Guarded(worker, Alarm.ABANDONED, text, clock.now()))
    return mark.id


async def _count(source: Source, budget: Budget, since: float, now: float) -> float:
    """Take what has arrived; the time up to which it was taken."""
    until = now - source.about().lag
    if until <= since:
        return since
    records = await source.read(Span(since, until), "")
    if records:
        budget.add(until, len(records), sum(record.failed for record in records))
    return until


async def _answer(post: _Post, burning: Burning) -> Guarded:
    """What is done about a burn."""
    counts = f"{burning.failed} of {burning.requests} failed"
    alarm = Guarded(
        post.worker,
        Alarm.BURNING,
        f"the error budget burns {burning.speed:g} times too fast ({counts})",
        post.clock.now(),
        burning.speed,
        burning.requests,
        burning.failed,
    )
    if not post.asked.rollback:
        return alarm
    post.tell(alarm)
    catalogue = await read_catalogue(post.cloud, post.worker)
    stable = previous(catalogue)
    reason = await _why_not(post, catalogue, stable)
    if reason or stable is None:
        return replace(
            alarm, alarm=Alarm.CANNOT, text=f"it is not tried against the version before: {reason}"
        )
    said = f"half of the traffic goes to {stable.label}, to see whether this release is to blame"
    post.tell(replace(alarm, alarm=Alarm.TRIED, text=said))
    ended = await _try(post, catalogue, stable)
    now = post.clock.now()
    if ended.result is Result.ROLLED_BACK:
        return replace(alarm, alarm=Alarm.ROLLED_BACK, text=f"back to {stable.label}: {ended.why}", at=now)
    text = f"{stable.label} fails no less: this release keeps the traffic, the cause is elsewhere"
    return replace(alarm, alarm=Alarm.NOT_THE_RELEASE, text=text, at=now)


async def _why_not(post: _Post, catalogue: Catalogue, stable: Version | None) -> str:
    current = catalogue.current
    if current is None or current.whole is None:
        return "the traffic is split already, and its rollout decides"
    if stable is None:
        return "there is none"
    plan = await plan_rollback(post.cloud, post.worker, stable.id)
    return "; ".join(finding.text for finding in plan.findings if finding.blocks)


async def _try(post: _Post, catalogue: Catalogue, stable: Version) -> Ended:
    """Both versions side by side, judged on errors alone; undecided at the end, the live one keeps it all."""
    current, trial = catalogue.current, post.asked.trial
    assert current is not None and current.whole is not None
    live = catalogue.by_id(current.whole)
    policy = replace(
        post.asked.policy,
        strategy="trial",
        steps=(Step(SHARE, trial, trial), Step(100.0, 0.0, trial)),
        gates=(Gate("errors", "errors"),),
        probes=(),
        undecided="hold",
    )
    label = live.label if live else current.whole[:8]
    member = Member(post.worker, stable.id, current.whole, stable.label, label)
    async with Prober(post.cloud.target.edge_url) as prober:
        walk = Walk(policy, post.cloud, (member,), post.clock, prober, words="The error budget burns")
        await moves.claim(walk, {post.worker: current}, at=0)
        ended = await drive(walk)
        if ended.result is Result.HELD:
            view = await look(walk)
            await moves.move(walk, view, Phase.PROMOTED, 1, f"100 %, {stable.label} fails no less")
    return ended
