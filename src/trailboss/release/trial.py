"""Whether the release is to blame for what burns, found out by half of the traffic.

A release that has all traffic has nobody to be compared with, and an outage of a database looks just like a
bad release. So half of the traffic is given to the version before, at random, and both are judged by the
same test as in a rollout: only what is certainly the new version's doing (E >= 1/alpha) is rolled back; else
all traffic is given back to it, and the burn is somebody else's to mend. Workers that were released as one
are tried, and go back, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trailboss.errors import CloudError
from trailboss.release.burn import Burning
from trailboss.release.guarded import Alarm, Guarded, Post
from trailboss.release.model import Version
from trailboss.release.naming import Catalogue, previous
from trailboss.release.reading import read_catalogue
from trailboss.release.reverting import plan_rollback
from trailboss.release.rollout import moves
from trailboss.release.rollout.control import find
from trailboss.release.rollout.engine import Ended, drive, look
from trailboss.release.rollout.mark import Phase
from trailboss.release.rollout.policy import Gate, Step
from trailboss.release.rollout.probing import Prober
from trailboss.release.rollout.scene import Member, Result, Walk
from trailboss.release.together import together

SHARE = 50.0
"""Percent of the traffic that goes to the version before."""


async def answer(post: Post, burning: Burning) -> Guarded:
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
    reason = ""
    members: tuple[Member, ...] = ()
    if catalogue.current is None or catalogue.current.whole is None:
        reason = "the traffic is split already, and its rollout decides"
    elif stable is None:
        reason = "there is none"
    else:
        members = await _members(post, catalogue, stable)
        reason = await _why_not(post, members)
    if reason:
        return replace(
            alarm, alarm=Alarm.CANNOT, text=f"it is not tried against the version before: {reason}"
        )
    before = _labels(members)
    said = f"half of the traffic goes to {before}, to see whether this release is to blame"
    post.tell(replace(alarm, alarm=Alarm.TRIED, text=said))
    ended = await _try(post, members)
    now = post.clock.now()
    if ended.result is Result.ROLLED_BACK:
        return replace(alarm, alarm=Alarm.ROLLED_BACK, text=f"back to {before}: {ended.why}", at=now)
    text = f"{before} fails no less: this release keeps the traffic, the cause is elsewhere"
    return replace(alarm, alarm=Alarm.NOT_THE_RELEASE, text=text, at=now)


async def _members(post: Post, catalogue: Catalogue, stable: Version) -> tuple[Member, ...]:
    """Who is tried: all Workers of the release that is live, callees first, or where it was not made by a
    rollout, or one of them has gone on since, this one alone."""
    current = catalogue.current
    assert current is not None and current.whole is not None
    live = catalogue.by_id(current.whole)
    label = live.label if live else current.whole[:8]
    alone = (Member(post.worker, stable.id, current.whole, stable.label, label),)
    mark = current.mark
    if mark is None or mark.phase is not Phase.PROMOTED or len(mark.members) < 2:
        return alone
    try:
        found = await find(post.cloud, [post.worker])
    except CloudError:
        return alone
    marks = [found.marks.get(name) for name in mark.members]
    if any(one is None or one.phase is not Phase.PROMOTED or one.id != mark.id for one in marks):
        return alone
    return tuple(
        Member(name, one.stable, one.canary, found.label(name, one.stable), found.label(name, one.canary))
        for name, one in found.marks.items()
    )


async def _why_not(post: Post, members: Sequence[Member]) -> str:
    """What forbids a rollback of any of them; empty when nothing does."""
    plans = await together(*(plan_rollback(post.cloud, one.worker, one.stable) for one in members))
    return "; ".join(finding.text for plan in plans for finding in plan.findings if finding.blocks)


async def _try(post: Post, members: tuple[Member, ...]) -> Ended:
    """Both versions side by side, judged on errors alone; undecided at the end, the live one keeps it all."""
    trial = post.asked.trial
    policy = replace(
        post.asked.policy,
        strategy="trial",
        steps=(Step(SHARE, trial, trial), Step(100.0, 0.0, trial)),
        gates=(Gate("errors", "errors"),),
        probes=(),
        undecided="hold",
    )
    async with Prober(post.cloud.target.edge_url) as prober:
        walk = Walk(policy, post.cloud, members, post.clock, prober, words="The error budget burns")
        before = await moves.observe(walk)
        await moves.claim(walk, {name: listed[0] for name, listed in before.items()}, at=0)
        ended = await drive(walk)
        if ended.result is Result.HELD:
            view = await look(walk)
            await moves.move(walk, view, Phase.PROMOTED, 1, f"100 %, {_labels(members)} fails no less")
    return ended


def _labels(members: Sequence[Member]) -> str:
    """`v12`, and of several Workers whose."""
    if len(members) == 1:
        return members[0].stable_label
    return ", ".join(f"{one.worker} {one.stable_label}" for one in members)
