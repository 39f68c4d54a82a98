"""`release status|resume|abort|pause|promote`: all of it from what the account says, from any machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trailboss.errors import CloudError, ReleaseError
from trailboss.release import paths
from trailboss.release.model import Deployment, Version
from trailboss.release.reading import read_deployments, read_versions
from trailboss.release.rollout import moves
from trailboss.release.rollout.clock import Clock, Wall
from trailboss.release.rollout.engine import drive
from trailboss.release.rollout.judging import Judge
from trailboss.release.rollout.mark import Mark, Phase
from trailboss.release.rollout.outlook import look_ahead
from trailboss.release.rollout.picture import Picture, draw
from trailboss.release.rollout.policy import Policy, Step, with_smoke
from trailboss.release.rollout.probing import Prober
from trailboss.release.rollout.report import EXITS, RolloutReport, report
from trailboss.release.rollout.scene import Continue, Member, Result, View, Walk, state_of, whoever
from trailboss.release.rollout.shape import under_way
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
            f"There is no rollout of {names}: what is live was deployed at once.",
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
    except ReleaseError:
        walk = walk_of(
            replace(found, marks={name: replace(mark, evidence=()) for name, mark in found.marks.items()}),
            replace(policy, gates=()),
            cloud,
            Prober(),
        )
    view = View(now, found.deployments, found.marks, found.state)
    dead = found.state.dead(now)
    drawn = draw(walk, view, Continue())
    said = found.deployments[found.order[0]].message or ""
    workers = tuple(replace(one, source="as its deployer saved it") for one in drawn.workers)
    alive = found.state.phase.driven and not dead
    return replace(drawn, alive=alive, doing=said, workers=workers, checks=())


async def resume(
    cloud: Cloud,
    found: Found,
    policy: Policy,
    *,
    addresses: Mapping[str, str | None],
    environment: str | None = None,
    folder: str | None = None,
    force: bool = False,
    clock: Clock | None = None,
    show: Callable[[object], None] = lambda _item: None,
) -> RolloutReport:
    """Take the rollout over and walk it to its end. Evidence is kept; the step's time begins anew, unless a
    source kept all counts since the deployer died.

    Raises ReleaseError TB4408 when it is over, TB4303 for other settings, TB4413 when it never began;
    ConflictError TB4403 while somebody is at it (`force` takes it from them); what `drive` raises."""
    clock = clock or Wall()
    now, state = clock.now(), found.state
    _refuse_over(found)
    if state.phase.over:
        return await _finish(cloud, found, policy)
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
        walk.environment, walk.folder, walk.show, walk.say = environment, folder, show, show
        outlook = await look_ahead(walk.policy, cloud, walk.names, now)
        await _take(walk, found, now)
        ended = await drive(walk)
    return report(walk, outlook, ended, time.perf_counter() - began)


async def _finish(cloud: Cloud, found: Found, policy: Policy) -> RolloutReport:
    """It is over for one Worker, and whoever said so died before the others followed."""
    state = found.state
    words = f"{state.phase.value}, as the others"
    after = await _write(
        cloud, found, words, phase=state.phase, at=state.at, since=state.since, until=state.until
    )
    outlook = await look_ahead(policy, None, (), state.since)
    result = Result(state.phase.value)
    return RolloutReport(
        outlook,
        state.id,
        result.value,
        "the Workers that lagged behind have followed",
        picture=picture_of(after, policy, cloud),
        exit_status=EXITS[result],
    )


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


async def pause(cloud: Cloud, found: Found, why: str = "") -> Found:
    """Stop where it is; whoever drives it waits. Raises ReleaseError TB4408 when it is over."""
    _refuse_over(found)
    return await _write(cloud, found, f"paused by {whoever()}{_because(why)}", phase=Phase.PAUSED, until=0.0)


async def abort(cloud: Cloud, found: Found, why: str = "") -> Found:
    """Everything back to the stable versions. Always allowed while it is not over (TB4408)."""
    _refuse_over(found)
    words = f"aborted by {whoever()}{_because(why)}"
    return await _write(cloud, found, words, phase=Phase.ABORTED, until=0.0, who=whoever())


async def revert(cloud: Cloud, found: Found, why: str = "") -> Found:
    """Take a promoted release back: every Worker of it, callers first, to what it replaced.

    Raises ReleaseError TB4414 when it was not promoted, and what `traffic.shift` raises."""
    refuse_unpromoted(found)
    words = f"rolled back by {whoever()}{_because(why)}"
    return await _write(cloud, found, words, phase=Phase.ROLLED_BACK, until=0.0, who=whoever())


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
    _refuse_over(found)
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
    return await _write(cloud, found, words, phase=phase, at=at, since=now, fresh=True)


async def _write(cloud: Cloud, found: Found, words: str, *, fresh: bool = False, **changes: object) -> Found:
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
        deployments[name] = await shift(
            cloud, name, mark.split, before=found.deployments[name], message=mark.message(words), force=True
        )
    return replace(found, marks=marks, deployments=deployments, state=marks[found.order[0]])


def _because(why: str) -> str:
    return f": {why}" if why else ""


def _refuse_over(found: Found) -> None:
    if all(mark.phase is found.state.phase for mark in found.marks.values()) and found.state.phase.over:
        raise ReleaseError(
            "TB4408",
            f"The rollout of {', '.join(found.order)} is over: it was {found.state.phase.value}.",
            hint="`trailboss history` shows how it went; `trailboss rollback` goes back behind it.",
        )
