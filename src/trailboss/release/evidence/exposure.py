"""What a rollout would cost at worst, said before it starts.

For a canary failing with probability p1 where the stable version fails with p0, at share s, no valid test
of "odds ratio <= c" at level alpha needs fewer canary requests on average than ln(1/alpha) / I (Wald 1945):

    I = min over a of ((1-s) KL(p0 || a) + s KL(p1 || b)) / s,   odds(b) = c odds(a)

(the null closest in KL; for c = 1 the weighted Jensen-Shannon divergence of measures section 1.3). What we
build stays within a measured factor of that: the median 1.35, nine in ten 3.0 (targets T2). The sum
over steps is of information, since evidence is carried from step to step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trailboss.release.evidence.certificate import BETA, THETA_MAX, clean_requests
from trailboss.release.evidence.combine import ALPHA, FAMILIES
from trailboss.release.evidence.conditional import MARGIN
from trailboss.release.evidence.windows import LENGTH, PROPAGATION

WORST = 3.0  # times the bound: nine rollouts in ten (measures section 0, T2)
FLOOR = 8  # canary requests that even a canary that always fails takes: the grid's price
DEFAULT_CASES = (("2x", 2.0, 0.0), ("5x", 5.0, 0.0), ("20 % fail", 0.0, 0.2), ("all fail", 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Step:
    """`share` of the traffic in percent (below 100), for at least `seconds`."""

    share: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """`per_second` requests in all; `failing` is the stable version's share of failures (0 to 1);
    `per_user` requests one user makes in a step (1: every request somebody else, the worst case);
    `sticky` when a user stays on a version."""

    per_second: float
    failing: float
    per_user: float = 1.0
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One regression. `step` (from 0) is where it is detected, None when the rollout may end before the gate
    can tell; the figures are then those of the whole rollout. `seconds` to the verdict, `requests` the
    canary answers until then, `failed` those that fail beyond what would have failed anyway, `users` who
    met the canary; all None when no verdict would ever come (no traffic, or worse by no more than the margin
    and yet not to be certified): the step is held until policy decides."""

    name: str
    rate: float
    step: int | None
    seconds: float | None
    requests: int | None
    failed: int | None
    users: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """`shortest` is the least the rollout takes in seconds if all is well: bake times, and per step the
    requests of a clean certificate; None when a step has no traffic, or the normal rate of failures is
    theta_max or more, so that nothing could be certified."""

    shortest: float | None
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """`nats` to be gathered against `margin`, and `delay` seconds from the request to the verdict."""

    nats: float
    margin: float
    delay: float


def kl(p: float, q: float) -> float:
    """Kullback-Leibler divergence of two Bernoulli laws, in nats."""
    return sum(x * math.log(x / y) for x, y in ((p, q), (1 - p, 1 - q)) if x > 0)


def information(share: float, stable: float, canary: float, margin: float = MARGIN) -> float:
    """Nats that one canary request brings against "odds ratio <= margin", at best; `share` from 0 to 1.
    The divergence is convex in the log-odds of `a`, so a ternary search finds its least value."""
    p0 = min(max(stable, 1e-9), 1 - 1e-9)
    if not 0 < share < 1 or canary * (1 - p0) <= margin * p0 * (1 - canary):
        return 0.0

    def divergence(logit: float) -> float:
        a, b = (1 / (1 + math.exp(-x)) for x in (logit, logit + math.log(margin)))
        return ((1 - share) * kl(p0, a) + share * kl(canary, b)) / share

    low, high = math.log(p0 / (1 - p0)) - 1, 25.0
    for _ in range(90):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if divergence(left) < divergence(right) else (left, high)
    return divergence(low)


def bound(
    share: float, stable: float, canary: float, *, alpha: float = ALPHA, margin: float = MARGIN
) -> float:
    """Mean canary requests below which no test of level alpha can detect; infinite within the margin."""
    nats = information(share, stable, canary, margin)
    return -math.log(alpha) / nats if nats else math.inf


def expose(
    steps: Sequence[Step],
    traffic: Traffic,
    *,
    alpha: float = ALPHA,
    margin: float = MARGIN,
    weight: float = FAMILIES["errors"],
    theta_max: float = THETA_MAX,
    lag: float = LENGTH,
    window: float = LENGTH,
    cases: Sequence[tuple[str, float, float]] = DEFAULT_CASES,
) -> Plan:
    """The price of each case (name, multiple of the normal rate, or else a rate of failures).

    `weight` is the error gate's in the average of gates, so it needs E >= 1/(alpha weight); `lag` is how old
    evidence is when it arrives, `window` how far apart the looks at it are, in seconds. A canary failing more
    often than `theta_max` stays in its step until judged, since it gets no certificate (risk beta). Cases no
    worse than normal are left out."""
    rule = _Rule(WORST * -math.log(alpha * weight), margin, window + lag)
    good = [(step, _stay(step, traffic, theta_max)) for step in steps]
    held = [(step, math.inf) for step in steps]
    results = []
    for name, multiple, rate in cases:
        failing = rate or min(1.0, multiple * traffic.failing)
        if failing <= traffic.failing:
            continue
        stays = held if failing >= theta_max else good
        results.append(_case(name, failing, stays, traffic, rule))
    return Plan(_finite(sum(stay for _, stay in good)), tuple(results))


def _stay(step: Step, traffic: Traffic, theta_max: float) -> float:
    """Seconds a good canary stays in the step."""
    per_second = traffic.per_second * step.share / 100
    if not per_second or traffic.failing >= theta_max:
        return math.inf
    proof = clean_requests(theta_max, BETA) / per_second
    return PROPAGATION + max(step.seconds, proof)


def _case(name: str, rate: float, stays: Sequence[tuple[Step, float]], traffic: Traffic, rule: _Rule) -> Case:
    """Walk the steps, adding information until the rule's nats are reached."""
    nats, found = rule.nats, None
    seconds = requests = users = 0.0
    for index, (step, stay) in enumerate(stays):
        share = step.share / 100
        per_second = traffic.per_second * share
        gain = per_second * information(share, traffic.failing, rate, rule.margin)
        needed = math.inf
        if gain:
            needed = PROPAGATION + max(nats / gain, FLOOR / per_second) + rule.delay
        spent = min(needed, stay)
        seconds += spent
        requests += per_second * spent if per_second else 0.0
        users += _users(traffic, share, spent)
        if needed <= stay and gain:
            found = index
            break
        nats -= gain * max(0.0, spent - PROPAGATION) if gain else 0.0
    failed = requests * max(0.0, rate - traffic.failing)
    if not math.isfinite(seconds):
        return Case(name, rate, None, None, None, None, None)
    return Case(name, rate, found, seconds, _ceil(requests), _ceil(failed), _ceil(users))


def _users(traffic: Traffic, share: float, seconds: float) -> float:
    """Users that met the canary at least once."""
    if not traffic.per_second:
        return 0.0
    everyone = traffic.per_second * seconds / traffic.per_user
    return everyone * (share if traffic.sticky else 1 - (1 - share) ** traffic.per_user)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _ceil(value: float) -> int:
    """Rounded up, but not for a rounding error of the sum."""
    return math.ceil(value - 1e-6)
