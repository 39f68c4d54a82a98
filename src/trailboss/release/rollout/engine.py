"""The one driver: read the account, run the stages, act on the outcome, wait, again.

Whatever was written is on the account before the next stage runs, so the process may end anywhere: whoever
reads the deployments goes on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from trailboss.errors import CloudError, ConflictError, RateLimited, ReleaseError, Unavailable
from trailboss.release.evidence import Outcome
from trailboss.release.gates import ask
from trailboss.release.reading import read_versions
from trailboss.release.rollout import moves, peeking
from trailboss.release.rollout.mark import Mark, Phase
from trailboss.release.rollout.picture import Picture, draw
from trailboss.release.rollout.scene import (
    Continue,
    Fail,
    Hold,
    Member,
    Result,
    Stop,
    Verdict,
    View,
    WaitUntil,
    Walk,
    state_of,
)
from trailboss.release.rollout.stages import STAGES, foreign
from trailboss.release.sources import open_source

PATIENCE = 600.0
"""Seconds for which an account that cannot be reached is tried again; the split stays as it is meanwhile."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
_OVERTAKEN = "TB4021"


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended. `gate` failed (rolled back), `healthy` what the check after a rollback said (None:
    nobody could say), `picture` the last state, `moves` every share it had and why."""

    result: Result
    why: str
    picture: Picture
    gate: str | None = None
    healthy: bool | None = None
    health: str = ""
    moves: tuple[str, ...] = field(default=())


async def drive(walk: Walk) -> Ended:
    """Walk until an outcome ends it. Raises ConflictError TB4402 when somebody else deployed meanwhile,
    ReleaseError TB4410 when rolling back failed, CloudError when the account stays out of reach.

    When it is interrupted, the rollout is held where it is, and says so."""
    for member in walk.members:
        source = open_source(walk.policy, walk.cloud, member.worker)
        if source is not None:
            walk.sources[member.worker] = source
    try:
        with _asked_to_end():
            await asyncio.gather(*(source.open() for source in walk.sources.values()))
            return await _walk(walk)
    except asyncio.CancelledError:
        await asyncio.shield(_interrupted(walk))
        raise
    finally:
        await asyncio.gather(*(source.aclose() for source in walk.sources.values()))


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """SIGTERM, with which build systems end a job, interrupts as Ctrl-C does; where signals can be had."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    handled = True
    try:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    except (NotImplementedError, RuntimeError, ValueError):
        handled = False  # an operating system or a thread without signals: there SIGTERM stays a plain end
    try:
        yield
    finally:
        if handled:
            loop.remove_signal_handler(signal.SIGTERM)


async def _walk(walk: Walk) -> Ended:
    story: list[str] = []
    while True:
        view, verdict = await _patiently(walk)
        picture = draw(walk, view, verdict)
        walk.show(picture)
        if not story or story[-1] != view.state.where:
            story.append(view.state.where)
        match verdict:
            case WaitUntil(at=at):
                await peeking.wait(walk, view, at)
            case Stop(result=result, why=why):
                return Ended(result, why, draw(walk, view, verdict), moves=tuple(story))
            case Fail():
                return await _undo(walk, view, verdict, tuple(story))
            case Hold(why=why):
                await moves.move(walk, view, Phase.HELD, view.state.at, f"held: {why}")
                return Ended(Result.HELD, why, picture, moves=tuple(story))
            case Continue():  # the last stage always answers something else
                raise AssertionError("unreachable")


async def one_pass(walk: Walk) -> tuple[View, Verdict]:
    """Read, then the stages until one answers anything but Continue."""
    view = await look(walk)
    verdict: Verdict = Continue()
    for _, stage in STAGES:
        verdict = await stage(walk, view)
        if not isinstance(verdict, Continue):
            break
    return view, verdict


async def look(walk: Walk) -> View:
    """What the account says now. Another rollout's claim on top of ours came too late, and is taken back;
    anything else foreign ends ours (ConflictError TB4402)."""
    found = await moves.observe(walk)
    marks, deployments = {}, {}
    for worker, listed in found.items():
        if not listed:
            raise foreign(worker, None)
        current = listed[0]
        if current.mark is None or current.mark.id != walk.id:
            ours = next((one for one in listed if one.mark and one.mark.id == walk.id), None)
            mark = current.mark
            late = mark is not None and mark.phase is Phase.CLAIMED and mark.over != walk.id
            if not late or ours is None or ours.mark is None or ours.mark.phase.over:
                raise foreign(worker, mark.who if mark else current.author)
            current = await moves.again(walk, worker, ours.mark, current)
        assert current.mark is not None
        marks[worker], deployments[worker] = current.mark, current
    await _follow_rotations(walk, marks)
    return View(walk.clock.now(), deployments, marks, state_of(marks, walk.names))


async def _follow_rotations(walk: Walk, marks: Mapping[str, Mark]) -> None:
    """`secret rotate` puts successors in the places of both versions, and their names into the mark: whoever
    counts and asks from now on has to mean those. One call for each Worker where that happened."""
    walk.members = tuple([await _followed(walk, one, marks[one.worker]) for one in walk.members])


async def _followed(walk: Walk, one: Member, mark: Mark) -> Member:
    if (mark.stable, mark.canary) == (one.stable, one.canary):
        return one
    labels = {version.id: version.label for version in await read_versions(walk.cloud, one.worker)}
    stable, canary = (labels.get(each, each[:8]) for each in (mark.stable, mark.canary))
    return replace(one, stable=mark.stable, canary=mark.canary, stable_label=stable, canary_label=canary)


async def _patiently(walk: Walk) -> tuple[View, Verdict]:
    """A pass, tried again while the account is out of reach. Where somebody wrote right after one of our
    writes, the next look says whose rollout it is now: a pause or a rotation of secrets keeps it ours."""
    since, wait = walk.clock.now(), FIRST_WAIT
    while True:
        try:
            return await one_pass(walk)
        except ConflictError as error:
            if error.code != _OVERTAKEN:
                raise
        except (Unavailable, RateLimited) as error:
            now = walk.clock.now()
            if now - since >= PATIENCE:
                raise
            walk.say(f"The account does not answer ({error.message}); trying again")
            await walk.clock.wait(now + max(wait, getattr(error, "retry_after", 0.0)))
            wait = min(2 * wait, LONGEST_WAIT)


async def _undo(walk: Walk, view: View, failure: Fail, story: tuple[str, ...]) -> Ended:
    """Everything back to the stable versions, then see that they are well."""
    walk.say(f"Rolling back: {failure.why}")
    since, wait = walk.clock.now(), FIRST_WAIT
    while True:
        try:
            await moves.go_back(walk, view, Phase.ROLLED_BACK, f"rolled back: {failure.why}")
            break
        except (ReleaseError, CloudError):
            now = walk.clock.now()
            if now - since >= PATIENCE:
                raise
            await walk.clock.wait(now + wait)
            wait = min(2 * wait, LONGEST_WAIT)
            view = await _look_again(walk, view)
    healthy, health = await check_health(walk)
    await peeking.count_the_rest(walk, view)
    stop = Stop(Result.ROLLED_BACK, failure.why)
    return Ended(
        Result.ROLLED_BACK,
        failure.why,
        draw(walk, view, stop),
        failure.gate,
        healthy,
        health,
        (*story, "0 %"),
    )


async def _look_again(walk: Walk, view: View) -> View:
    try:
        return await look(walk)
    except (Unavailable, RateLimited):
        return view


async def check_health(walk: Walk) -> tuple[bool | None, str]:
    """Whether the stable versions pass the probes now, and what they said; None when nobody can say."""
    asking = walk.asking("after", 0.0)
    gates = [gate for gate in walk.policy.checks if gate.kind != "command"]
    answers = await asyncio.gather(*(ask(gate, asking) for gate in gates))
    said = "; ".join(f"{gate.name}: {answer.note}" for gate, answer in zip(gates, answers, strict=True))
    outcomes = {answer.outcome for answer in answers}
    if Outcome.FAIL in outcomes:
        return False, said
    return (True if outcomes == {Outcome.PASS} else None), said


async def _interrupted(walk: Walk) -> None:
    """Hold it where it is, and say who went; when even that fails, its silence tells."""
    try:
        async with asyncio.timeout(10.0):
            view = await look(walk)
            if view.state.phase.driven and view.state.owner == walk.owner:
                await moves.move(walk, view, Phase.HELD, view.state.at, f"held: {walk.who} was interrupted")
    except (CloudError, ReleaseError, TimeoutError) as error:
        walk.say(f"The rollout could not be marked as held: {error}")
