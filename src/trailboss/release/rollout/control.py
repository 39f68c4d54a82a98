"""`release status|abort|pause|promote`: all of it from what the account says, from any machine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trailboss.errors import CloudError, ReleaseError
from trailboss.release import paths
from trailboss.release.model import Deployment, Version
from trailboss.release.reading import read_deployments, read_versions
from trailboss.release.rollout.clock import Clock, Wall
from trailboss.release.rollout.judging import Judge
from trailboss.release.rollout.mark import Mark, Phase
from trailboss.release.rollout.picture import Picture, draw
from trailboss.release.rollout.policy import Policy, Step
from trailboss.release.rollout.probing import Prober
from trailboss.release.rollout.scene import Continue, Member, View, Walk, state_of, whoever
from trailboss.release.together import together
from trailboss.release.traffic import shift

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

_CERTIFICATE = 6


@dataclass(frozen=True, slots=True)
class Found:
    """The rollout of some Workers as the account has it: their `order`, current deployments, marks, and the
    state these amount to."""

    order: tuple[str, ...]
    deployments: Mapping[str, Deployment]
    marks: Mapping[str, Mark]
    state: Mark
    versions: Mapping[str, tuple[Version, ...]]

    def label(self, worker: str, version_id: str) -> str:
        """`v12`, or the beginning of the id."""
        known = next((one for one in self.versions.get(worker, ()) if one.id == version_id), None)
        return known.label if known else version_id[:8]


async def find(cloud: Cloud, workers: Sequence[str]) -> Found:
    """The rollout that is under way, or the one whose end is live.

    Raises ReleaseError TB4406 when what is live came from no rollout."""
    current = {name: await _current(cloud, name) for name in workers}
    marked = {name: one for name, one in current.items() if one is not None and one.mark is not None}
    if not marked:
        names = ", ".join(workers)
        raise ReleaseError(
            "TB4406",
            f"There is no rollout of {names}: what is live came from none.",
            hint="`trailboss deploy --strategy canary` begins one; `trailboss history` shows the releases.",
        )
    newest = max((one.mark for one in marked.values() if one.mark), key=lambda mark: mark.began)
    order = newest.members or tuple(
        name for name, one in marked.items() if one.mark and one.mark.id == newest.id
    )
    for name in order:
        if name not in current:
            current[name] = await _current(cloud, name)
    deployments = {name: one for name in order if (one := current[name]) is not None}
    marks = {name: one.mark for name, one in deployments.items() if one.mark and one.mark.id == newest.id}
    listed = await together(*(read_versions(cloud, name) for name in marks))
    return Found(
        tuple(name for name in order if name in marks),
        deployments,
        marks,
        state_of(marks, order),
        dict(zip(marks, listed, strict=True)),
    )


async def _current(cloud: Cloud, name: str) -> Deployment | None:
    """The Worker's deployment; None where it has none, or is not there yet."""
    try:
        listed = await read_deployments(cloud, name)
    except CloudError as error:
        if paths.is_missing(error):
            return None
        raise
    return listed[0] if listed else None


def walk_of(found: Found, policy: Policy, cloud: Cloud, prober: Prober, clock: Clock | None = None) -> Walk:
    """A hold on the rollout with the evidence that was saved. Raises ReleaseError TB4303 when the settings
    are others than those it began with."""
    policy = steps_of(policy, found.state)
    members = tuple(
        Member(
            name,
            mark.stable,
            mark.canary,
            found.label(name, mark.stable),
            found.label(name, mark.canary),
            mark.digest,
        )
        for name, mark in found.marks.items()
    )
    judges = {name: Judge.resumed(policy, mark) for name, mark in found.marks.items()}
    return Walk(policy, cloud, members, clock or Wall(), prober, id=found.state.id, judges=judges)


def steps_of(policy: Policy, mark: Mark) -> Policy:
    """The policy with the steps the rollout began with, each with the times it has here."""
    known = {step.share: step for step in policy.steps}
    model = policy.steps[0]
    steps = tuple(known.get(share, Step(share, model.bake, model.deadline)) for share in mark.shares)
    return replace(policy, steps=steps, strategy=mark.strategy)


def picture_of(found: Found, policy: Policy, cloud: Cloud, now: float | None = None) -> Picture:
    """What it looks like from outside: shares of now, evidence of the last save."""
    now = time.time() if now is None else now
    try:
        walk = walk_of(found, policy, cloud, Prober())
    except ReleaseError:  # begun under other settings: where it stands can be shown, its evidence not
        bare = replace(policy, gates=())
        none = Judge.start(bare).saved()
        marks = {name: replace(mark, evidence=none, design=bare.design) for name, mark in found.marks.items()}
        walk = walk_of(replace(found, marks=marks), bare, cloud, Prober())
    view = View(now, found.deployments, found.marks, found.state)
    dead = found.state.dead(now)
    drawn = draw(walk, view, Continue())
    said = found.deployments[found.order[0]].message or ""
    workers = tuple(replace(one, source="as its deployer saved it") for one in drawn.workers)
    alive = found.state.phase.driven and not dead
    return replace(drawn, alive=alive, doing=said, workers=workers, checks=())


async def pause(cloud: Cloud, found: Found, why: str = "") -> Found:
    """Stop where it is; whoever drives it waits. Raises ReleaseError TB4408 when it is over."""
    refuse_over(found)
    return await write(cloud, found, f"paused by {whoever()}{_because(why)}", phase=Phase.PAUSED, until=0.0)


async def abort(cloud: Cloud, found: Found, why: str = "") -> Found:
    """Everything back to the stable versions. Always allowed while it is not over (TB4408)."""
    refuse_over(found)
    words = f"aborted by {whoever()}{_because(why)}"
    return await write(cloud, found, words, phase=Phase.ABORTED, until=0.0, who=whoever())


async def revert(cloud: Cloud, found: Found, why: str = "") -> Found:
    """Take a promoted release back: every Worker of it, callers first, to what it replaced.

    Raises ReleaseError TB4414 when it was not promoted, and what `traffic.shift` raises."""
    refuse_unpromoted(found)
    words = f"rolled back by {whoever()}{_because(why)}"
    return await write(cloud, found, words, phase=Phase.ROLLED_BACK, until=0.0, who=whoever())


def refuse_unpromoted(found: Found) -> None:
    """Raise ReleaseError TB4414 unless all Workers have what they were promoted to."""
    if found.state.phase is not Phase.PROMOTED:
        raise ReleaseError(
            "TB4414",
            f"The last release of {', '.join(found.order)} was {found.state.phase.value}, not promoted.",
            hint="While it is not over: `trailboss release abort`. Else name a Worker and a version.",
        )


async def promote(cloud: Cloud, found: Found, *, full: bool = False, why: str = "") -> Found:
    """The next step (or 100 %) without proof, on somebody's word, which is kept with it. Raises ReleaseError
    TB4408 when it is over, TB4407 when nobody has probed it yet."""
    refuse_over(found)
    state = found.state
    if state.at < 0:
        raise ReleaseError(
            "TB4407",
            "The new version was not probed yet, so it cannot be promoted.",
            hint="`trailboss release resume` probes it, `trailboss release abort` ends it.",
        )
    last = full or state.at + 1 >= len(state.shares) or state.shares[state.at + 1] == 100
    at = len(state.shares) - 1 if last else state.at + 1
    phase = Phase.PROMOTED if last else state.phase
    words = f"{100 if last else state.shares[at]:g} %, promoted by hand by {whoever()}{_because(why)}"
    now = time.time()
    return await write(cloud, found, words, phase=phase, at=at, since=now, fresh=True)


async def write(cloud: Cloud, found: Found, words: str, *, fresh: bool = False, **changes: object) -> Found:
    """The same change to every Worker's mark, callers first when it goes back."""
    back = changes.get("phase") in (Phase.ABORTED, Phase.ROLLED_BACK)
    marks, deployments = dict(found.marks), dict(found.deployments)
    for name in reversed(found.order) if back else found.order:
        if found.marks[name].phase is changes.get("phase") and found.marks[name].phase.over:
            continue
        mark = replace(marks[name], **changes)  # type: ignore[arg-type]
        if fresh:  # what was proved of one step says nothing of the next
            mark = replace(mark, evidence=(*[0.0] * _CERTIFICATE, *mark.evidence[_CERTIFICATE:]))
        marks[name] = mark
        listed = await shift(
            cloud, name, mark.split, before=found.deployments[name], message=mark.message(words), force=True
        )
        deployments[name] = listed[0]
    return replace(found, marks=marks, deployments=deployments, state=marks[found.order[0]])


def _because(why: str) -> str:
    return f": {why}" if why else ""


def is_over(found: Found) -> bool:
    """Whether it is over for all its Workers."""
    return found.state.phase.over and all(mark.phase is found.state.phase for mark in found.marks.values())


def refuse_over(found: Found) -> None:
    """Raise ReleaseError TB4408 when it is over for all its Workers."""
    if is_over(found):
        raise ReleaseError(
            "TB4408",
            f"The rollout of {', '.join(found.order)} is over: it was {found.state.phase.value}.",
            hint="`trailboss history` shows how it went; `trailboss rollback` goes back behind it.",
        )
