"""The stages of one pass. Each looks at what the pass has read, does one thing, and answers.

Reading `STAGES` aloud explains a rollout. No stage loops or waits; a stage that has moved traffic answers
`WaitUntil` now, so that the next pass sees it in the account before anything else happens.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable

from trailboss.errors import ConflictError
from trailboss.release.evidence import Exact, Outcome, cut
from trailboss.release.evidence.windows import NONE, Span
from trailboss.release.gates import ask
from trailboss.release.gates.base import Answer, Batch
from trailboss.release.rollout import judging, moves, peeking
from trailboss.release.rollout.mark import Phase
from trailboss.release.rollout.scene import (
    Continue,
    Fail,
    Hold,
    Result,
    Stop,
    Verdict,
    View,
    WaitUntil,
    Walk,
)
from trailboss.release.rollout.spans import spoken
from trailboss.release.sources.base import Held
from trailboss.release.strategies import following

SMOKE = 600.0
"""Seconds the probes at 0 % may stay undecided."""
_ENDS = {
    Phase.PROMOTED: Result.PROMOTED,
    Phase.ROLLED_BACK: Result.ROLLED_BACK,
    Phase.ABORTED: Result.ABORTED,
    Phase.HELD: Result.HELD,
}


async def own(walk: Walk, view: View) -> Verdict:
    """Somebody else who took the rollout over has it."""
    if view.state.owner != walk.owner:
        return Stop(Result.TAKEN_OVER, f"{view.state.who} has taken over")
    return Continue()


async def obey(walk: Walk, view: View) -> Verdict:
    """What was said from another machine: paused, promoted, aborted, and the Workers that lag behind it."""
    await moves.follow(walk, view)
    phase = view.state.phase
    if phase in _ENDS:
        return Stop(_ENDS[phase], f"{phase.value} by {view.state.who}")
    if phase is Phase.PAUSED:
        return WaitUntil(view.now + walk.policy.timing.window, "paused; `trailboss release resume` goes on")
    return Continue()


async def begin_step(walk: Walk, view: View) -> Verdict:
    """A step that this deployer has not seen yet: a new certificate, checks asked anew."""
    if walk.step != view.state.at:
        if walk.step is not None:
            walk.judges = {name: judge.next_step() for name, judge in walk.judges.items()}
        walk.step = view.state.at
        for standing in walk.checks.values():
            standing.answer, standing.due = None, view.state.since + walk.policy.timing.settle
    return Continue()


async def keep(walk: Walk, view: View) -> Verdict:
    """Save the evidence, and give a sign of life."""
    if view.now - walk.written >= walk.policy.timing.checkpoint:
        await moves.keep(walk, view)
    return Continue()


async def smoke(walk: Walk, view: View) -> Verdict:
    """At 0 %: nobody gets the new version before every check has passed on it."""
    if view.state.at >= 0:
        return Continue()
    ready = view.state.since + walk.policy.timing.settle
    if view.now < ready:
        return WaitUntil(ready, "the account spreads the new version")
    failed = await _ask_due(walk, view, "before")
    if failed is not None:
        return failed
    open_ = _unanswered(walk)
    if not open_:
        return await _go_on(walk, view, "probed at 0 %")
    if view.elapsed >= SMOKE:
        return _overdue(walk, f"{open_} did not pass at 0 % within {spoken(SMOKE)}")
    return WaitUntil(_next_due(walk, view), f"waiting for {open_}")


async def gather(walk: Walk, view: View) -> Verdict:
    """Windows of evidence that are over and were not taken yet."""
    timing, state = walk.policy.timing, view.state
    for worker, source in walk.sources.items():
        until = view.now - source.about().lag
        if isinstance(source, Held):
            found: Iterable[Span] = peeking.spans_of(walk, view, worker, source)
        else:
            found = cut(state.since, until, length=timing.window, skip=timing.settle)
        for span in found:
            if (known := walk.judges[worker].window) is not None and span.id <= known:
                continue
            peeking.count_settling(walk, view, worker, source)
            peeking.took(walk, worker, source, span)
            member = walk.member(worker)
            records = await source.read(span, member.canary, member.stable)
            if records is not None:
                judge = walk.judges[worker]
                batch = Batch(span, state.share / 100, records, walk.pending[worker])
                walk.judges[worker], walk.pending[worker] = judge.after(batch), NONE
    return Continue()


async def check(walk: Walk, view: View) -> Verdict:
    """Ask the checks that are due."""
    failed = await _ask_due(walk, view, "during")
    return failed or Continue()


async def judge(walk: Walk, view: View) -> Verdict:
    """All evidence of all Workers as one: at 1/alpha everything goes back."""
    weights = walk.weights
    log_e = judging.evidence(walk.judges, weights)
    if log_e < -math.log(walk.policy.judgement.alpha):
        return Continue()
    gate = judging.loudest(walk.judges, weights)
    return Fail(gate, f"{gate}: E = {math.exp(min(log_e, 700)):.0f}, {_counts(walk, gate)}")


async def bake(walk: Walk, view: View) -> Verdict:
    """A step lasts its time at least."""
    left = walk.policy.steps[view.state.at].bake - view.elapsed
    if left <= 0:
        return Continue()
    return WaitUntil(min(view.now + left, _next_due(walk, view)), f"baking, {spoken(left)} left")


async def prove(walk: Walk, view: View) -> Verdict:
    """A step is left on proof: a certificate for each Worker, a pass of every check. Never by time alone."""
    missing = _unproved(walk, view)
    if not missing:
        return Continue("proved")
    step = walk.policy.steps[view.state.at]
    if view.elapsed >= step.deadline:
        return _overdue(walk, f"undecided after {spoken(view.elapsed)} at {view.state.share:g} %: {missing}")
    return WaitUntil(_next_due(walk, view), missing)


async def advance(walk: Walk, view: View) -> Verdict:
    """The next step, or the end."""
    return await _go_on(walk, view, "all gates passed")


Stage = Callable[[Walk, View], Awaitable[Verdict]]
STAGES: tuple[tuple[str, Stage], ...] = (
    ("own", own),
    ("obey", obey),
    ("begin-step", begin_step),
    ("keep", keep),
    ("smoke", smoke),
    ("gather", gather),
    ("check", check),
    ("judge", judge),
    ("bake", bake),
    ("prove", prove),
    ("advance", advance),
)


async def _go_on(walk: Walk, view: View, why: str) -> Verdict:
    steps = walk.policy.steps
    at = following(steps, view.state.at)
    if at is None or (steps[at].share == 100 and steps[at].bake == 0):
        await moves.move(walk, view, Phase.PROMOTED, len(steps) - 1, f"100 %, {why}")
        return Stop(Result.PROMOTED, why)
    await moves.move(walk, view, Phase.STEP, at, f"{steps[at].share:g} %, {why}")
    return WaitUntil(view.now, f"{steps[at].share:g} %")


async def _ask_due(walk: Walk, view: View, phase: str) -> Fail | None:
    """Ask what is due, all at once; the first that failed often enough."""
    due = [gate for gate in walk.policy.checks if walk.checks[gate.name].due <= view.now]
    asking = walk.asking(phase, view.state.share)
    answers = await asyncio.gather(*(ask(gate, asking) for gate in due))
    for gate, answer in zip(due, answers, strict=True):
        standing = walk.checks[gate.name]
        standing.answer = answer
        standing.fails = standing.fails + 1 if answer.outcome is Outcome.FAIL else 0
        passing = answer.outcome is Outcome.PASS and phase == "during"
        standing.due = view.now + (gate.every if passing else min(gate.every, walk.policy.timing.window))
        if phase == "during" and gate.kind == "probe":
            _count(walk, answer)
        if standing.fails >= gate.fails:
            return Fail(gate.name, f"{gate.name}: {answer.note}")
    return None


def _count(walk: Walk, answer: Answer) -> None:
    """Probes of one Worker count for its certificate."""
    worker = answer.worker
    if worker in walk.pending:
        walk.pending[worker] += Exact(answer.good + answer.bad, answer.bad)


def _unanswered(walk: Walk) -> str:
    """The checks that have not passed, with what they said last."""
    said = []
    for gate in walk.policy.checks:
        answer = walk.checks[gate.name].answer
        if answer is None or answer.outcome is not Outcome.PASS:
            said.append(f"{gate.name}{f' ({answer.note})' if answer else ''}")
    return ", ".join(said)


def _unproved(walk: Walk, view: View) -> str:
    """What still lacks to leave the step, as one line; empty when nothing does."""
    missing = [_unanswered(walk)]
    step = walk.policy.steps[view.state.at]
    if walk.policy.statistics and step.share < 100:
        log_e = judging.evidence(walk.judges, walk.weights)
        for worker, one in walk.judges.items():
            found = judging.decide(one, walk.policy, log_e, view.elapsed, step)
            if found.outcome is not Outcome.PASS:
                missing.append(f"{worker}: {found.reason.value}, {found.missing} more good requests prove it")
                missing.append(walk.sources[worker].about().trouble if worker in walk.sources else "")
    return "; ".join(part for part in missing if part)


def _next_due(walk: Walk, view: View) -> float:
    """When there may be news: the next window, the next check, the next save."""
    timing = walk.policy.timing
    dues = [view.now + timing.window, walk.written + timing.checkpoint]
    dues += [standing.due for standing in walk.checks.values()]
    return max(min(dues), view.now + min(0.05, timing.window))


def _overdue(walk: Walk, why: str) -> Verdict:
    return Fail("undecided", why) if walk.policy.undecided == "rollback" else Hold(why)


def _counts(walk: Walk, gate: str) -> str:
    worker, _, name = gate.partition("/")
    found = next(one for one in walk.judges[worker].statistics if one.name == name).figures()
    parts = []
    for arm in ("canary", "stable", "both"):
        if arm in found and "bad" in found[arm]:
            parts.append(f"{arm} {found[arm]['bad']} of {found[arm]['requests']}")
        elif arm in found and "p90" in found[arm]:
            parts.append(f"{arm} p90 {found[arm]['p90']:g} ms")
    return ", ".join(parts)


def foreign(worker: str, who: str | None) -> ConflictError:
    """Somebody else's deployment is on top of ours (TB4402)."""
    return ConflictError(
        "TB4402",
        f'Somebody{f" ({who})" if who else ""} deployed "{worker}" meanwhile; this rollout ends here.',
        hint="Nothing more was moved. `trailboss deployments list` shows what is live.",
    )
