"""Whole rollouts, seeded: few enough to be quick. `python -m benchmarks gates` runs thousands."""

from __future__ import annotations

import math
import random

from trailboss.release.evidence import Certificate, Conditional, Event, Exact, Keyed, Span, Window

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
    draw, runs = random.Random(1), 80
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
    draw, runs, wrong = random.Random(3), 250, 0
    for _ in range(runs):
        certificate = Certificate(0.05)
        for number in range(80):
            certificate = certificate.after(Window(number, Exact(), Exact(25, failures(draw, 25, 0.05))))
            if certificate.proves():
                wrong += 1
                break
    assert wrong <= runs * 0.05 + 3 * math.sqrt(runs * 0.05 * 0.95)


def sticky_rollout(draw: random.Random) -> tuple[bool, bool]:
    """A good release under version affinity: forty users fail in every window once they began. Whether
    requests, and whether keys as the unit roll it back."""
    users = [(str(n), draw.random(), draw.randrange(50)) for n in range(40)]
    requests, keys, fired = Conditional(1.0), Keyed(1.0), [False, False]
    for number in range(50):
        share, span = SHARES[number // 10], Span(number * 10, number * 10 + 10)
        events = [
            Event(span.start, label < share, True, key) for key, label, began in users if began <= number
        ]
        canary, bad = round(PER_WINDOW * share), sum(event.canary for event in events)
        stable = Exact(PER_WINDOW - canary, len(events) - bad)
        requests = requests.after(Window(span.id, stable, Exact(max(canary, bad), bad)))
        keys, _ = keys.after(span, share, events)
        fired = [was or e.log_e >= math.log(100) for was, e in zip(fired, (requests, keys), strict=True)]
    return fired[0], fired[1]


def test_users_that_fail_for_ever_do_not_roll_a_good_release_back() -> None:
    draw, runs = random.Random(4), 100
    done = [sticky_rollout(draw) for _ in range(runs)]
    assert sum(by_key for _, by_key in done) <= runs * 0.01 + 3 * math.sqrt(runs * 0.01 * 0.99)
    assert sum(by_request for by_request, _ in done) > runs * 0.1
