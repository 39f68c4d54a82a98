"""Every write of a rollout: one deployment per Worker, with the mark that says what it means.

Claims are written to the first Worker last, so that its mark says the claim is whole. Steps are written to
it first, and the others follow, now or in whoever's next pass. Going back begins with the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from trailboss.errors import CloudError, ConflictError, ReleaseError
from trailboss.release.model import Deployment
from trailboss.release.reading import read_deployments
from trailboss.release.rollout.mark import Mark, Phase
from trailboss.release.rollout.scene import Member, View, Walk
from trailboss.release.together import together
from trailboss.release.traffic import shift

JUST_NOW = 0.5
"""Seconds for which what was listed when a write was read back stands for the next look."""
GRACE = 60.0
"""Seconds beyond two checkpoints after which a deployer that gave no sign is taken for dead."""


async def claim(walk: Walk, before: Mapping[str, Deployment], *, at: int = -1) -> None:
    """Put every canary beside its stable version, at 0 % or with the share of step `at`. `before` are the
    deployments this was decided on.

    Raises ConflictError TB4401 when another rollout claimed one of the Workers at the same moment: it was
    first, and goes on."""
    now = walk.clock.now()
    for member in reversed(walk.members):
        known = before[member.worker].mark
        mark = replace(_fresh(walk, member, now), over=known.id if known and not known.phase.over else "")
        if at >= 0:
            mark = replace(mark, phase=Phase.STEP, at=at)
        try:
            listed = await _put(walk, member, mark, before[member.worker], mark.where)
        except ConflictError as error:  # it took its share back before ours was read
            raise _late(member.worker, error) from error
        _refuse_race(walk, member, before[member.worker], listed)


def _fresh(walk: Walk, member: Member, now: float) -> Mark:
    return Mark(
        id=walk.id,
        phase=Phase.CLAIMED,
        at=-1,
        shares=walk.policy.shares,
        stable=member.stable,
        canary=member.canary,
        began=now,
        since=now,
        until=_until(walk, now),
        owner=walk.owner,
        who=walk.who,
        digest=member.digest,
        design=walk.policy.design,
        members=walk.names,
        strategy=walk.policy.strategy,
        **_evidence(walk, member),
    )


def _refuse_race(walk: Walk, member: Member, before: Deployment, listed: Sequence[Deployment]) -> None:
    """Whoever wrote between the look and the claim was first."""
    since = listed[: next((at for at, one in enumerate(listed) if one.id == before.id), len(listed))]
    older = [one for one in since[1:] if one.mark is None or one.mark.id != walk.id]
    if not older:
        return
    raise _late(member.worker, None, older[-1].mark.who if older[-1].mark else older[-1].author)


def _late(worker: str, error: ConflictError | None, who: str | None = None) -> ConflictError:
    """Another deploy was first (TB4401)."""
    said = f" ({who})" if who else ""
    detail = f" {error.message}" if error is not None else ""
    return ConflictError(
        "TB4401",
        f'Another deploy of "{worker}" began at the same moment{said}.{detail}',
        hint="It goes on; this one moved no traffic. `trailboss release status` shows it.",
    )


async def move(walk: Walk, view: View, phase: Phase, at: int, why: str) -> None:
    """Bring all Workers to a phase and a step; the step's time begins anew when it is another one."""
    now = walk.clock.now()
    since = now if at != view.state.at or view.state.phase is not phase else view.state.since
    for member in walk.members:
        mark = _moved(walk, view, member, phase=phase, at=at, since=since, until=_until(walk, now))
        await _put(walk, member, mark, view.deployments[member.worker], why)


async def keep(walk: Walk, view: View) -> None:
    """The same split once more, with the evidence so far and a new sign of life."""
    until = _until(walk, walk.clock.now())
    for member in walk.members:
        mark = _moved(walk, view, member, until=until, owner=walk.owner, who=walk.who)
        await _put(walk, member, mark, view.deployments[member.worker], mark.where)


async def follow(walk: Walk, view: View) -> int:
    """Bring Workers that lag behind the state to it; how many there were."""
    behind = [
        member
        for member in walk.members
        if (view.marks[member.worker].phase, view.marks[member.worker].at)
        != (view.state.phase, view.state.at)
    ]
    for member in behind:
        state = view.state
        mark = _moved(
            walk, view, member, phase=state.phase, at=state.at, since=state.since, until=state.until
        )
        await _put(walk, member, mark, view.deployments[member.worker], f"{mark.where}, as the others")
    return len(behind)


async def go_back(walk: Walk, view: View, phase: Phase, why: str) -> None:
    """Give everything back to the stable versions, callers first. One Worker that cannot be reached does
    not keep the others: raises ReleaseError TB4410 at the end, naming what still has traffic."""
    failed: list[str] = []
    first: CloudError | ReleaseError | None = None
    for member in reversed(walk.members):
        if view.marks[member.worker].phase is phase:
            continue
        mark = _moved(walk, view, member, phase=phase, until=0.0)
        try:
            await _put(walk, member, mark, view.deployments[member.worker], why)
        except (CloudError, ReleaseError) as error:
            first = first or error
            failed.append(f"{member.worker} ({view.state.share:g} % on {member.canary_label})")
    if first is not None:
        raise ReleaseError(
            "TB4410",
            f"Rolling back failed for {', '.join(failed)}: {first.message}",
            hint="`trailboss release abort` tries again; it is safe from any machine.",
        ) from first


def _moved(walk: Walk, view: View, member: Member, **changes: Any) -> Mark:
    """The Worker's mark with changes and the evidence in hand."""
    evidence = _evidence(walk, member)
    return replace(view.marks[member.worker], **{**evidence, "design": walk.policy.design, **changes})


def _evidence(walk: Walk, member: Member) -> dict[str, Any]:
    judge = walk.judges[member.worker]
    return {"evidence": judge.saved(), "window": judge.window, "seen": judge.exposed}


def _until(walk: Walk, now: float) -> float:
    return now + 2 * walk.policy.timing.checkpoint + GRACE


async def _put(
    walk: Walk, member: Member, mark: Mark, before: Deployment, why: str
) -> tuple[Deployment, ...]:
    """One deployment, and what was listed when it was read back. Secrets that changed go with the version
    that has them."""
    words = f"{walk.words} · {why}" if walk.words else why
    listed = await shift(
        walk.cloud, member.worker, mark.split, before=before, message=mark.message(words), force=True
    )
    walk.written = walk.clock.now()
    walk.listed[member.worker] = (walk.written, listed)
    return listed


async def observe(walk: Walk) -> dict[str, tuple[Deployment, ...]]:
    """The deployments of all Workers, newest first. One call for each that was not read back just now."""
    now = walk.clock.now()
    known = {name: listed for name, (at, listed) in walk.listed.items() if now - at < JUST_NOW}
    walk.listed.clear()
    names = [name for name in walk.names if name not in known]
    found = await together(*(read_deployments(walk.cloud, name) for name in names))
    return known | dict(zip(names, found, strict=True))


async def again(walk: Walk, worker: str, mark: Mark, over: Deployment) -> Deployment:
    """Our last deployment once more, over one that came too late."""
    listed = await _put(walk, walk.member(worker), mark, over, f"{mark.where}, again")
    return listed[0]
