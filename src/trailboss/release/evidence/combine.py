"""Several e-processes as one, and the verdict.

A weighted average of e-processes is one: however many gates watch a rollout, a good release is rolled back
with probability at most alpha. Weights are fixed before the first window. A gate without a source is left out
then; one whose source falls silent later stays at 1 and costs power, not validity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from trailboss.release.evidence.certificate import BETA, Certificate, clean_requests
from trailboss.release.evidence.wealth import log_sum

ALPHA = 0.01
FAMILIES = {"errors": 0.5, "latency": 0.3, "absolute": 0.2}


def shares(gates: Mapping[str, str]) -> dict[str, float]:
    """Weight of each gate, given its family ("errors", "latency", "absolute"): a family's weight is
    split among its gates, and families without a gate leave theirs to the others. Sums to 1."""
    present = {family: FAMILIES[family] for family in gates.values()}
    whole = math.fsum(present.values())
    members = list(gates.values())
    return {gate: FAMILIES[family] / whole / members.count(family) for gate, family in gates.items()}


def combined(log_e: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Log of the weighted average. A weighted gate without a value counts as E = 1: no evidence."""
    if not math.isclose(math.fsum(weights.values()), 1, abs_tol=1e-9):
        raise ValueError("the weights of the gates must sum to 1")
    return log_sum([math.log(w) + log_e.get(gate, 0.0) for gate, w in weights.items() if w])


def tempered(log_e: float, phi: float) -> float:
    """log of E^(1/phi): for failures that come `phi` at a time with one label (see `dispersion`). Costs
    phi times the delay. Shrinks evidence only: below 1, E is left as it is."""
    return log_e / phi if log_e > 0 else log_e


class Outcome(StrEnum):
    """What a gate may answer; undecided is never a pass."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNDECIDED = "undecided"


class Reason(StrEnum):
    """Why the outcome is what it is."""

    REGRESSION = "regression"
    CERTIFIED = "certified"
    BAKING = "baking"
    INSUFFICIENT_TRAFFIC = "insufficient traffic"
    NOT_CERTIFIED = "not certified"


@dataclass(frozen=True, slots=True)
class Limits:
    """`alpha`: risk of rolling back a good release, over the whole rollout. `beta`: risk of promoting a
    canary at theta_max, per step. `bake` and `deadline` in seconds since the step began."""

    alpha: float = ALPHA
    beta: float = BETA
    bake: float = 0.0
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class Verdict:
    """`evidence` of `needed` (E against 1/alpha) speaks against the canary, `proof` of `proof_needed` (C
    against 1/beta) for it; `missing` more good requests would complete the proof. `overdue`: still
    undecided past the deadline, so policy decides (probes, a larger share, abort): never a pass."""

    outcome: Outcome
    reason: Reason
    evidence: float
    needed: float
    proof: float
    proof_needed: float
    missing: int
    overdue: bool = False


def verdict(
    log_e: float, certificate: Certificate, *, elapsed: float, limits: Limits | None = None
) -> Verdict:
    """The answer for one step, `elapsed` seconds into it. Only a complete certificate passes; a NaN passes
    nothing and fails nothing."""
    limits = limits or Limits()
    outcome, reason = _decide(log_e, certificate, elapsed, limits)
    return Verdict(
        outcome,
        reason,
        _exp(log_e),
        1 / limits.alpha,
        _exp(certificate.log_c),
        1 / limits.beta,
        certificate.missing(limits.beta),
        outcome is Outcome.UNDECIDED and elapsed >= limits.deadline,
    )


def _decide(log_e: float, certificate: Certificate, elapsed: float, limits: Limits) -> tuple[Outcome, Reason]:
    bar = -math.log(limits.alpha)
    if log_e >= bar:
        return Outcome.FAIL, Reason.REGRESSION
    if certificate.proves(limits.beta) and log_e < bar:
        if elapsed >= limits.bake:
            return Outcome.PASS, Reason.CERTIFIED
        return Outcome.UNDECIDED, Reason.BAKING
    if certificate.seen.requests < clean_requests(certificate.theta_max, limits.beta):
        return Outcome.UNDECIDED, Reason.INSUFFICIENT_TRAFFIC
    return Outcome.UNDECIDED, Reason.NOT_CERTIFIED


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))
