"""Between two passes: what a source holds already may say that everything has to go back.

A pass asks the account, so there is one every ten seconds, not every second. A source that holds its records
here (the live tail) can be looked at for nothing: each second, and the pass comes early when the evidence is
enough.

Its windows end with the ten seconds, or at the first failing request 100 ms or more after they began. Which
version failed does not matter for that, so the labels are as random as before; and given how many requests of
each version a window has, the odds that the failing one is the canary's are what they are in any window.
Nothing of the guarantee is lost (docs/gates.md)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trailboss.release.evidence.windows import Span
from trailboss.release.gates.base import Batch, Record
from trailboss.release.rollout import judging
from trailboss.release.sources.base import Held

if TYPE_CHECKING:
    from trailboss.release.rollout.policy import Timing
    from trailboss.release.rollout.scene import View, Walk
    from trailboss.release.sources.base import Source

EVERY = 1.0
"""Seconds between two looks at what is held."""
LEAST = 0.1
"""Seconds of a window at least: many failures in a row are one window."""


async def wait(walk: Walk, view: View, at: float) -> None:
    """Wait until `at`, or until the evidence that is held suffices to go back."""
    holds = view.state.at >= 0 and any(isinstance(one, Held) for one in walk.sources.values())
    while holds and walk.clock.now() + EVERY < at:
        await walk.clock.wait(walk.clock.now() + EVERY)
        if alarming(walk, view):
            return
    await walk.clock.wait(at)


def alarming(walk: Walk, view: View) -> bool:
    """Whether the records held so far, taken in the windows the next pass will take, bring E to 1/alpha."""
    judges = dict(walk.judges)
    for worker, source in walk.sources.items():
        if not isinstance(source, Held):
            continue
        member, until = walk.member(worker), walk.clock.now() - source.about().lag
        records = sorted(source.held(member.canary, member.stable), key=_when)
        for span in spans(records, begin_of(walk, view, worker), view.state.since, until, walk.policy.timing):
            first, last = (bisect_left(records, at, key=_when) for at in (span.start, span.end))
            inside = tuple(records[first:last])
            judges[worker] = judges[worker].after(Batch(span, view.state.share / 100, inside))
    return judging.evidence(judges, walk.weights) >= -math.log(walk.policy.judgement.alpha)


def _when(record: Record) -> float:
    return record.at


def spans_of(walk: Walk, view: View, worker: str, source: Held) -> list[Span]:
    """The windows that are over and were not taken yet."""
    member, until = walk.member(worker), view.now - source.about().lag
    records = source.held(member.canary, member.stable)
    return list(spans(records, begin_of(walk, view, worker), view.state.since, until, walk.policy.timing))


def count_settling(walk: Walk, view: View, worker: str, source: Source) -> None:
    """Before the first window of a step: whoever met the canary while the change spread, and in what was left
    of the step before, is in no window, and still met it."""
    begin, taken = begin_of(walk, view, worker), walk.taken.get(worker, 0.0)
    if isinstance(source, Held) and taken < begin:
        member = walk.member(worker)
        early = [one for one in source.held(member.canary, member.stable) if taken <= one.at < begin]
        walk.judges[worker] = walk.judges[worker].saw(early)
        walk.taken[worker] = begin


def begin_of(walk: Walk, view: View, worker: str) -> float:
    """Where a Worker's next window begins: behind the last one, and not before the step has settled."""
    return max(view.state.since + walk.policy.timing.settle, walk.taken.get(worker, 0.0))


def spans(
    records: Sequence[Record], start: float, since: float, until: float, timing: Timing
) -> Iterator[Span]:
    """Windows from `start` on that are over by `until`, in whole milliseconds where a failure ends them."""
    failures = sorted(one.at for one in records if one.failed)
    base = since + timing.settle
    while True:
        border = base + timing.window * (math.floor((start - base) / timing.window + 1e-6) + 1)
        after = bisect_left(failures, start + LEAST)
        failed = failures[after] if after < len(failures) else math.inf
        end = min(border, (math.floor(failed * 1000) + 1) / 1000 if failed < border else math.inf)
        if end > until:
            return
        yield Span(start, end)
        start = end


async def count_the_rest(walk: Walk, view: View) -> None:
    """After a rollback: who met the canary until it took effect. Waits for the source's lag."""
    if not any(isinstance(one, Held) for one in walk.sources.values()):
        return
    await walk.clock.wait(walk.clock.now() + walk.policy.timing.lag)
    for worker, source in walk.sources.items():
        count_settling(walk, view, worker, source)
        begin, now, member = begin_of(walk, view, worker), walk.clock.now(), walk.member(worker)
        if isinstance(source, Held) and begin < now:
            records = await source.read(Span(begin, now), member.canary, member.stable)
            walk.judges[worker] = walk.judges[worker].saw(records or ())


def took(walk: Walk, worker: str, source: Source, span: Span) -> None:
    """Remember where the next window begins."""
    if isinstance(source, Held):
        walk.taken[worker] = span.end
