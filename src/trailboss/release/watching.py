"""`watch`: a guard that stays after a release. When an error budget burns, it finds out whether the release
is to blame (`trial`), and only then takes it back.

All Workers of a project are guarded by one process, over one connection with one allowance of requests. While
one of them is on trial the others wait: what they count then is partly the trial's doing, and is dropped."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.errors import CloudError
from trailboss.release import paths
from trailboss.release.burn import Budget
from trailboss.release.evidence.windows import Span
from trailboss.release.guarded import Alarm, Guarded, Post, Watch
from trailboss.release.reading import read_deployments
from trailboss.release.rollout.clock import Clock, Wall
from trailboss.release.sources.tail import TailSource
from trailboss.release.trial import answer

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.sources.base import Source

ROUND = 60.0
"""Seconds between two looks for a rollout whose deployer is gone."""


@dataclass(slots=True)
class _Shared:
    """What the guards of several Workers share: one trial at a time, and how many there were."""

    lock: asyncio.Lock
    trials: int = 0


_GRAVITY = (
    Alarm.QUIET,
    Alarm.ABANDONED,
    Alarm.TRIED,
    Alarm.NOT_THE_RELEASE,
    Alarm.CANNOT,
    Alarm.BURNING,
    Alarm.ROLLED_BACK,
)


async def watch_all(
    cloud: Cloud,
    workers: Sequence[str],
    asked: Watch,
    tell: Callable[[Guarded], None],
    *,
    seconds: float | None = None,
    clock: Clock | None = None,
    sources: Mapping[str, Source] | None = None,
) -> Guarded:
    """Guard all of `workers` for `seconds` (None: for ever); the gravest thing that happened last to any.

    It ends early when it has rolled back. Raises CloudError when the account cannot be reached."""
    shared, sources = _Shared(asyncio.Lock()), sources or {}
    guards = [
        asyncio.ensure_future(
            watch(
                *(cloud, worker, asked, tell),
                seconds=seconds,
                clock=clock,
                source=sources.get(worker),
                shared=shared,
            )
        )
        for worker in workers
    ]
    ended: list[Guarded] = []
    try:
        for guard in asyncio.as_completed(guards):
            ended.append(await guard)
            if ended[-1].alarm is Alarm.ROLLED_BACK:
                break
    finally:
        for task in guards:
            task.cancel()
        await asyncio.gather(*guards, return_exceptions=True)
    return max(ended, key=lambda one: _GRAVITY.index(one.alarm))


async def watch(
    cloud: Cloud,
    worker: str,
    asked: Watch,
    tell: Callable[[Guarded], None],
    *,
    seconds: float | None = None,
    clock: Clock | None = None,
    source: Source | None = None,
    shared: _Shared | None = None,
) -> Guarded:
    """Guard one Worker for `seconds` (None: for ever); the last thing that happened.

    It ends early when it has rolled back. Raises CloudError when the account cannot be reached."""
    clock, shared = clock or Wall(), shared or _Shared(asyncio.Lock())
    listening = source or TailSource(cloud, worker, lag=asked.policy.timing.lag)
    budget = Budget(asked.objective, asked.windows)
    began = since = clock.now()
    last = Guarded(worker, Alarm.QUIET, "nothing burns", began)
    known, rounds, trials = "", began, shared.trials
    end = math.inf if seconds is None else began + seconds
    await listening.open()
    try:
        while clock.now() < end:
            await clock.wait(min(clock.now() + asked.policy.timing.window, end))
            if clock.now() >= rounds:
                rounds, known = clock.now() + ROUND, await _abandoned(cloud, worker, known, tell, clock)
            since = await _count(listening, budget, since, clock.now())
            async with shared.lock:
                if shared.trials != trials:
                    trials, since = shared.trials, clock.now()
                    budget.forget()
                burning = budget.burning(clock.now())
                if burning is None:
                    continue
                budget.forget()
                last = await answer(Post(cloud, worker, asked, tell, clock), burning)
                shared.trials += last.alarm in (Alarm.ROLLED_BACK, Alarm.NOT_THE_RELEASE)
            tell(last)
            if last.alarm is Alarm.ROLLED_BACK:
                break
            trials, since = shared.trials, clock.now()
    finally:
        await listening.aclose()
    return last


async def _abandoned(
    cloud: Cloud, worker: str, known: str, tell: Callable[[Guarded], None], clock: Clock
) -> str:
    """Tell of a rollout that nobody drives any more, once; the id of the one that was told of."""
    try:
        listed = await read_deployments(cloud, worker)
    except CloudError as error:
        if paths.is_missing(error):
            return known  # not deployed yet, or deleted: there is nothing to guard until it is
        raise
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
