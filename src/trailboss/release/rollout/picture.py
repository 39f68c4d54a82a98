"""A rollout at one moment, as data: what `release status`, the live tree and `--json` show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from trailboss.release.rollout import judging
from trailboss.release.rollout.mark import Mark
from trailboss.release.rollout.scene import Continue, Stop, Verdict, View, Walk


@dataclass(frozen=True, slots=True)
class GatePicture:
    """One gate: `outcome` is pass, fail or undecided; `note` one line; `figures` its counts."""

    name: str
    kind: str
    outcome: str
    note: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WorkerPicture:
    """One Worker. `requests`, `failed` and `users` are what the canary has served since the rollout began;
    `proof` of `proof_needed` and `missing` more good requests say how far the step is from being left;
    `source` says where the counts come from, how fresh and how sampled."""

    worker: str
    stable: str
    canary: str
    stable_share: float
    canary_share: float
    requests: int
    failed: int
    users: int
    proof: float
    proof_needed: float
    missing: int
    source: str
    gates: tuple[GatePicture, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """`phase` as in the marks; `step` counts from 1 (0: being probed at 0 %); `shares` are all steps;
    `elapsed` seconds into the step; `left` seconds of its bake time; `evidence` (E) of `needed` speaks
    against the canary; `doing` is one line; `alive` whether somebody is at it."""

    id: str
    phase: str
    step: int
    shares: tuple[float, ...]
    share: float
    elapsed: float
    left: float
    evidence: float
    needed: float
    who: str
    alive: bool
    doing: str
    workers: tuple[WorkerPicture, ...]
    checks: tuple[GatePicture, ...] = ()


def draw(walk: Walk, view: View, verdict: Verdict) -> Picture:
    """The picture of a pass that ended with `verdict`."""
    state = view.state
    step = walk.policy.steps[max(0, min(state.at, len(walk.policy.steps) - 1))]
    doing = "" if isinstance(verdict, Continue) else verdict.why
    if isinstance(verdict, Stop):
        doing = f"{verdict.result.value}: {verdict.why}"
    return Picture(
        id=state.id,
        phase=state.phase.value,
        step=state.at + 1,
        shares=state.shares,
        share=state.share,
        elapsed=round(view.elapsed, 1),
        left=round(max(0.0, step.bake - view.elapsed), 1) if state.at >= 0 else 0.0,
        evidence=_e(judging.evidence(walk.judges, walk.weights)),
        needed=round(1 / walk.policy.judgement.alpha, 3),
        who=state.who,
        alive=state.phase.driven,
        doing=doing,
        workers=tuple(_worker(walk, member.worker, state) for member in walk.members),
        checks=tuple(_check(walk, name) for name in walk.checks),
    )


def _worker(walk: Walk, worker: str, state: Mark) -> WorkerPicture:
    member, judge = walk.member(worker), walk.judges[worker]
    requests, failed, users = judge.exposed
    risks, certificate = walk.policy.judgement, judge.certificate
    figures = judging.figures(judge)
    source = walk.sources.get(worker)
    about = source.about() if source else None
    shares = {share.version_id: share.percentage for share in state.split}
    return WorkerPicture(
        worker=worker,
        stable=member.stable_label or member.stable[:8],
        canary=member.canary_label or member.canary[:8],
        stable_share=next(iter(shares.values())) if state.phase.value != "promoted" else 0.0,
        canary_share=state.share,
        requests=requests,
        failed=failed,
        users=users,
        proof=_e(certificate.log_c),
        proof_needed=round(1 / risks.beta, 3),
        missing=certificate.missing(risks.beta),
        source=(about.note + (f": {about.trouble}" if about.trouble else "")) if about else "no counts",
        gates=tuple(_gate(walk, name, found) for name, found in figures.items()),
    )


def _gate(walk: Walk, name: str, found: dict[str, Any]) -> GatePicture:
    gate = next(one for one in walk.policy.statistics if one.name == name)
    against = found.pop("e")
    outcome = "fail" if against >= 1 / walk.policy.judgement.alpha else "undecided"
    return GatePicture(name, gate.kind, outcome, f"E = {against:g}", found)


def _check(walk: Walk, name: str) -> GatePicture:
    gate = next(one for one in walk.policy.checks if one.name == name)
    answer = walk.checks[name].answer
    outcome = answer.outcome.value if answer else "undecided"
    return GatePicture(name, gate.kind, outcome, answer.note if answer else "not asked yet", {})


def _e(log_e: float) -> float:
    return round(math.exp(min(log_e, 700.0)), 3)
