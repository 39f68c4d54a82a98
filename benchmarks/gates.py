"""The gate's statistics against targets T1-T6, beside fixed thresholds and a z-test one peeks at.

100 requests a second. A whole rollout is five steps of 200,000 requests. The gate looks every second. What a
second brings is drawn from the exact joint law of (canary requests, failures, failures on the canary);
seconds without evidence are skipped by a geometric gap, so a million requests cost a thousand draws. Every
gain comes from the library's own `log_gains`. `python -m benchmarks.gates 500` runs fewer rollouts.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, product

from benchmarks.measure import table
from trailboss.release import evidence
from trailboss.release.evidence import Certificate, Exact, Window
from trailboss.release.evidence.certificate import FRACTIONS
from trailboss.release.evidence.certificate import WEIGHTS as PROOF_WEIGHTS
from trailboss.release.evidence.conditional import WEIGHTS, log_gains

RPS = 100
SHARES = (0.01, 0.05, 0.10, 0.25, 0.50)
TICKS = 2000  # seconds per step: 200,000 requests
FLAT, DRIFT = (1, 1, 1, 1, 1), (1, 3, 3, 5, 5)
REGRESSIONS = (
    *((0.001, rate) for rate in (0.0013, 0.002, 0.0035, 0.005, 0.007, 0.2)),
    *((0.01, rate) for rate in (0.02, 0.05, 0.07, 0.2)),
)
BAR, GATED = 100.0, 199.0  # E needed alone, and as half of an average whose other half stays at 1
Stage = tuple[float, float, float]  # share, failing part of the stable version, of the canary
Step = tuple[Stage, int]  # and for how many seconds


@dataclass(frozen=True)
class Law:
    """What one second may bring: cumulative chances, and for each outcome (canary requests, gains).
    `idle` is the log chance of a second that says nothing (0: every second is drawn), `idle_requests`
    the canary requests of such a second, on average."""

    cumulative: list[float]
    outcomes: list[tuple[int, tuple[float, ...] | None]]
    idle: float
    idle_requests: float


def binomial(n: int, p: float) -> list[float]:
    return [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]


def second(stage: Stage) -> list[tuple[float, int, int, int]]:
    """Chance, canary requests, failures of the stable version, failures of the canary."""
    share, stable, canary = stage
    return [
        (here * left * right, b, x_a, x_b)
        for b, here in enumerate(binomial(RPS, share))
        if here > 1e-12
        for x_a, left in enumerate(binomial(RPS - b, stable))
        if here * left > 1e-11
        for x_b, right in enumerate(binomial(b, canary))
        if here * left * right > 1e-11
    ]


@lru_cache(maxsize=200)
def law(stage: Stage, margin: float, skip: bool) -> Law:
    chances, outcomes, silent, requests = [], [], 0.0, 0.0
    for chance, b, x_a, x_b in second(stage):
        gains = None
        if x_a + x_b and 0 < b < RPS:
            logs = log_gains(Window(0, Exact(RPS - b, x_a), Exact(b, x_b)), margin)
            gains = tuple(math.exp(gain) for gain in logs)
        elif skip:
            silent, requests = silent + chance, requests + chance * b
            continue
        chances.append(chance)
        outcomes.append((b, gains))
    sums = list(accumulate(chances))
    idle = math.log(silent / (silent + sums[-1])) if silent else 0.0
    return Law([s / sums[-1] for s in sums], outcomes, idle, requests / silent if silent else 0.0)


def rollout(
    draw: random.Random, stages: Sequence[Step], margin: float, skip: bool = True, last: float = BAR
) -> tuple[float, float]:
    """Canary requests when the error gate alone, and when the average of gates, rolled back: infinite when
    it did not. The walk ends at E = `last`; the wealth is carried from step to step."""
    wealth, alone, requests = list(WEIGHTS), math.inf, 0.0
    uniform, log = draw.random, math.log
    for stage, ticks in stages:
        way = law(stage, margin, skip)
        cumulative, outcomes, idle, rest = way.cumulative, way.outcomes, way.idle, way.idle_requests
        top, tick = len(outcomes) - 1, 0
        while True:
            gap = int(log(1.0 - uniform()) / idle) if idle else 0
            tick += gap + 1
            if tick > ticks:
                requests += (gap - (tick - 1 - ticks)) * rest
                break
            canary, gains = outcomes[min(top, bisect_right(cumulative, uniform()))]
            requests += gap * rest + canary
            if gains is not None:
                wealth = [a * b for a, b in zip(wealth, gains, strict=True)]
                e = sum(wealth)
                if e >= BAR:
                    alone = min(alone, requests)
                    if e >= last:
                        return alone, requests
    return alone, math.inf


def steps(base: float, odds: float = 1.0, drift: Sequence[int] = FLAT) -> list[Step]:
    rates = [base * times for times in drift]
    return [((s, p, odds * p / (1 - p + odds * p)), TICKS) for s, p in zip(SHARES, rates, strict=True)]


@lru_cache(maxsize=400)
def poisson(mean: float) -> list[float]:
    top = int(mean + 10 * math.sqrt(mean) + 20)
    return list(accumulate(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(top)))


def usual(draw: random.Random, stages: Sequence[Step], limit: float) -> tuple[float, float]:
    """Canary requests at which a z-test (1 %, every 10 s, fresh per step) and a threshold (minutes above
    `limit`, five strikes) roll back; infinite when they do not."""
    z = threshold = math.inf
    requests, strikes, size = 0, 0, RPS * 10
    for (share, stable, canary), ticks in stages:
        parts = (share * canary, share * (1 - canary), (1 - share) * stable, (1 - share) * (1 - stable))
        laws = [poisson(size * part) for part in parts]
        x_b = n_b = x_a = n_a = minute_x = minute_n = 0
        for look in range(1, ticks // 10 + 1):
            bad, good, stable_bad, stable_good = (bisect_right(sums, draw.random()) for sums in laws)
            requests += bad + good
            x_b, n_b = x_b + bad, n_b + bad + good
            x_a, n_a = x_a + stable_bad, n_a + stable_bad + stable_good
            minute_x, minute_n = minute_x + bad, minute_n + bad + good
            p = (x_a + x_b) / (n_a + n_b)
            error = math.sqrt(p * (1 - p) * (1 / n_a + 1 / n_b)) if n_b else 0.0
            if error and x_b / n_b - x_a / n_a > 2.326 * error:
                z = min(z, requests)
            if look % 6 == 0:
                strikes += bool(minute_n and minute_x / minute_n > limit)
                minute_x = minute_n = 0
                threshold = min(threshold, requests) if strikes >= 5 else threshold
            if max(z, threshold) < math.inf:
                return z, threshold
    return z, threshold


def limit_for(base: float) -> float:
    return 0.01 if base < 0.005 else 0.02


def rate(hits: int, runs: int) -> str:
    return f"{100 * hits / runs:.2f} %"


def met(good: bool) -> str:
    return "met" if good else "MISSED"


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return statistics.median(ordered), ordered[math.ceil(0.9 * len(ordered)) - 1]


def false_rollbacks(runs: int) -> None:
    allowed, few, rows = 0.01 + 3 * math.sqrt(0.01 * 0.99 / runs), max(1, runs // 4), []
    cases = (
        ("the same", 1.0, 1.0, FLAT),
        ("the same", 1.25, 1.0, FLAT),
        ("the same, both drift x3, x5", 1.0, 1.0, DRIFT),
        ("odds ratio 1.25", 1.25, 1.25, FLAT),
    )
    for (name, margin, odds, drift), base in product(cases, (0.001, 0.01)):
        draw, stages = random.Random(f"{name} {margin} {base}"), steps(base, odds, drift)
        hits = sum(rollout(draw, stages, margin)[0] < math.inf for _ in range(runs))
        others = [usual(draw, stages, limit_for(base)) for _ in range(few)]
        beside = [rate(sum(other[i] < math.inf for other in others), few) for i in (0, 1)]
        row = (name, f"{100 * base:g} %", f"{margin:g}", rate(hits, runs), met(hits / runs <= allowed))
        rows.append((*row, *beside))
    print(f"T1 rolled back for nothing: {runs:,} rollouts of 1 M requests (z, threshold: {few:,});", end=" ")
    print(f"allowed {100 * allowed:.2f} %\n")
    table(("canary", "failing", "margin", "gate", "T1", "z, peeking", "threshold"), rows)


def detection(runs: int, margin: float, base: float, failing: float, share: float) -> tuple[str, ...]:
    least = evidence.bound(share, base, failing, margin=margin)
    stage, ticks = (share, base, failing), max(60, math.ceil(12 * least / share / RPS))
    draw = random.Random(f"{margin} {stage}")
    done = [rollout(draw, [(stage, ticks)], margin, least > 300, GATED) for _ in range(runs)]
    (median, ninth), average = (quantiles([one[i] for one in done]) for i in (0, 1))
    stages = [(stage, max(ticks, 600))]
    others = [usual(draw, stages, limit_for(base)) for _ in range(max(1, runs // 20))]
    z, threshold = (quantiles([other[i] for other in others])[0] for i in (0, 1))
    answer = f"T4 {met(median <= 1.35 * least)}"
    if failing >= 0.2:
        look = share * RPS  # the target allows one window on top: here a second
        answer = f"T3 {met(median <= 25 + look and ninth <= 50 + look)}"
    elif round(failing / base, 6) in (2, 5, 7):
        answer = f"T2 {met(median <= 1.35 * least and ninth <= 3 * least)}"
    what = (f"{100 * base:g} -> {100 * failing:g} %", f"{100 * share:g} %", f"{least:,.0f}")
    times = (f"{median:,.0f} / {ninth:,.0f}", f"{median / least:.2f} / {ninth / least:.2f}", answer)
    return (*what, *times, f"{average[0]:,.0f} / {average[1]:,.0f}", f"{z:,.0f}", f"{threshold:,.0f}")


def detections(runs: int, margin: float) -> None:
    cases = [(base, failing) for base, failing in REGRESSIONS if margin == 1 or failing >= 2 * base]
    rows = [detection(runs, margin, *case, share) for case, share in product(cases, (0.01, 0.1))]
    print(f"\nT2-T4 canary requests to detect, median / p90, margin {margin:g}, {runs:,} runs\n")
    headings = (
        "failing",
        "share",
        "bound",
        "gate",
        "x bound",
        "",
        "at weight 0.5",
        "z, invalid",
        "threshold",
    )
    table(headings, rows)


def extra_failures(runs: int) -> None:
    rows = []
    walk = [evidence.Step(100 * share, TICKS) for share in SHARES]
    for margin, (name, failing) in product((1.0, 1.25), (("2x", 0.002), ("5x", 0.005), ("20 %", 0.2))):
        draw, stages = random.Random(f"{margin} {name}"), [((s, 0.001, failing), TICKS) for s in SHARES]
        done = [rollout(draw, stages, margin, failing < 0.1)[0] for _ in range(runs)]
        found = [requests * (failing - 0.001) for requests in done if requests < math.inf]
        median, ninth = quantiles(found or [math.inf])
        plan = evidence.expose(
            walk, evidence.Traffic(RPS, 0.001), margin=margin, weight=1.0, cases=[(name, 0.0, failing)]
        )
        spent, answer = f"{median:.1f} / {ninth:.1f}", met(median <= 15 and ninth <= 30)
        rows.append((name, f"{margin:g}", rate(len(found), runs), spent, answer, plan.cases[0].failed))
    print(f"\nT5 extra failed requests before the rollback, whole rollout at 0.1 %, {runs:,} runs\n")
    table(("canary", "margin", "detected", "median / p90", "T5", "printed beforehand"), rows)


def wrong_promotion(draw: random.Random, theta: float) -> bool:
    """Whether a canary failing exactly at theta is ever certified within 40/theta requests."""
    good = [math.log((1 - f * theta) / (1 - theta)) for f in FRACTIONS]
    bad = [math.log(f) if f else -math.inf for f in FRACTIONS]
    wealth, left = [math.log(w) for w in PROOF_WEIGHTS], int(40 / theta)
    while left > 0:
        gap = min(left, int(math.log(1 - draw.random()) / math.log(1 - theta)))
        wealth = [a + gap * g for a, g in zip(wealth, good, strict=True)]
        if sum(math.exp(a) for a in wealth) >= 20:
            return True
        left -= gap + 1
        wealth = [a + b for a, b in zip(wealth, bad, strict=True)]
    return False


def unproven_promotions(draw: random.Random, runs: int) -> int:
    passed, limits = 0, evidence.Limits(bake=60, deadline=600)
    for _ in range(runs):
        certificate = Certificate()
        for number in range(draw.randrange(1, 30)):
            certificate = certificate.after(Window(number, Exact(500), Exact(draw.choice((0, 0, 1, 10)))))
            answer = evidence.verdict(0.0, certificate, elapsed=draw.random() * 1e7, limits=limits)
            passed += answer.outcome is evidence.Outcome.PASS
    return passed


def promotions(runs: int) -> None:
    draw, rows, allowed = random.Random(14), [], 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    for theta in (0.05, 0.01, 0.005):
        wrong = sum(wrong_promotion(draw, theta) for _ in range(runs))
        clean = Certificate(theta).missing()
        rows.append(
            (
                f"failing at theta_max = {100 * theta:g} %",
                rate(wrong, runs),
                met(wrong / runs <= allowed),
                clean,
            )
        )
    passed = unproven_promotions(draw, runs)
    rows.append(("too few requests, 115 days", str(passed), met(not passed), "-"))
    print(f"\nT6 promoted without right, {runs:,} runs: allowed {100 * allowed:.2f} %, 0 unproven\n")
    table(("canary", "promoted", "T6", "clean requests needed"), rows)


def main(runs: int = 4000) -> None:
    began, used = time.perf_counter(), time.process_time()
    false_rollbacks(runs)
    detections(runs // 2, 1.0)
    detections(runs // 2, 1.25)
    extra_failures(runs // 2)
    promotions(runs)
    print(f"\n{time.perf_counter() - began:.0f} s, {time.process_time() - used:.0f} s of one core")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
