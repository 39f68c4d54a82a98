"""Whole rollouts, seeded: few enough to be quick. `python -m benchmarks gates` runs thousands."""

from __future__ import annotations

import math
import random

from trailboss.release.evidence import Certificate, Conditional, Exact, Window

SHARES = (0.01, 0.05, 0.1, 0.25, 0.5)
PER_WINDOW = 1000
WINDOWS = 12


def failures(draw: random.Random, requests: int, rate: float) -> int:
    """A binomial number by the gaps between failures."""
    count, at = 0, 0
    while True:
        at += int(math.log(1 - draw.random()) / math.log(1 - rate)) + 1
        if at > requests:
            return count
        count += 1


def rollout(draw: random.Random, stable: list[float], factor: float) -> tuple[bool, int]:
    """Whether it was rolled back, and after how many canary requests."""
    process, number, requests = Conditional(1.0), 0, 0
    for share, base in zip(SHARES, stable, strict=True):
        for _ in range(WINDOWS):
            canary = failures(draw, PER_WINDOW, share)
            a = Exact(PER_WINDOW - canary, failures(draw, PER_WINDOW - canary, base))
            b = Exact(canary, failures(draw, canary, base * factor))
            number, requests = number + 1, requests + canary
            process = process.after(Window(number, a, b))
            if process.log_e >= math.log(100):
                return True, requests
    return False, requests


def test_a_good_release_is_left_alone_even_while_the_baseline_drifts() -> None:
    draw, runs = random.Random(1), 120
    flat = sum(rollout(draw, [0.005] * 5, 1)[0] for _ in range(runs))
    drifting = sum(rollout(draw, [0.005, 0.005, 0.015, 0.015, 0.025], 1)[0] for _ in range(runs))
    allowed = runs * 0.01 + 3 * math.sqrt(runs * 0.01 * 0.99)
    assert flat <= allowed
    assert drifting <= allowed


def test_a_bad_release_is_found_early() -> None:
    draw = random.Random(2)
    found = [rollout(draw, [0.005] * 5, 10) for _ in range(60)]
    assert all(back for back, _ in found)
    assert sorted(requests for _, requests in found)[30] < 250


def test_a_canary_at_theta_max_is_seldom_certified() -> None:
    draw, runs, wrong = random.Random(3), 400, 0
    for _ in range(runs):
        certificate = Certificate(0.05)
        for number in range(200):
            certificate = certificate.after(Window(number, Exact(), Exact(10, failures(draw, 10, 0.05))))
            if certificate.proves():
                wrong += 1
                break
    assert wrong <= runs * 0.05 + 3 * math.sqrt(runs * 0.05 * 0.95)
