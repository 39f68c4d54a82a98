"""The rank test is exact, careful with ties, and claims no more than it may."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from trailboss.develop.performance.ranks import difference, judged, p_value, ratio


def by_counting(before: list[float], after: list[float]) -> float:
    """The same probability from every way to deal out the ranks."""
    seen = sum(new > old for new in after for old in before)
    total = len(before) + len(after)
    deals = list(combinations(range(total), len(after)))
    wins = [sum(a > b for a in deal for b in set(range(total)) - set(deal)) for deal in deals]
    return sum(one >= seen for one in wins) / len(deals)


@pytest.mark.parametrize("seed", range(8))
def test_it_is_exact(seed: int) -> None:
    source = random.Random(seed)
    before, after = [source.random() for _ in range(5)], [source.random() + 0.2 for _ in range(4)]
    assert p_value(before, after) == pytest.approx(by_counting(before, after))


def test_equal_rounds_say_nothing() -> None:
    assert p_value([1.0] * 10, [1.0] * 10) == 1.0
    assert p_value([0.0] * 10, [1.0] * 10) < 1e-5


def test_false_claims_are_rarer_than_alpha_however_heavy_the_tails() -> None:
    source = random.Random(4)
    claims = 0
    for _ in range(2000):
        old, new = ([source.paretovariate(1.2) for _ in range(10)] for _ in range(2))
        verdicts = judged([ratio("p50", old, new, 1.0), ratio("p95", new, old, 1.0)], 0.05)
        claims += any(one.worse for one in verdicts)
    assert claims / 2000 <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5


def test_what_is_put_up_with_is_no_regression_and_more_is_found() -> None:
    source = random.Random(7)
    old = [0.1 * source.lognormvariate(0, 0.1) for _ in range(10)]
    alike, slow = ([0.1 * by * source.lognormvariate(0, 0.1) for _ in range(10)] for by in (1.15, 1.8))
    assert not judged([ratio("p50", old, alike, 1.25)], 0.01)[0].worse
    [found] = judged([ratio("p50", old, slow, 1.25)], 0.01)
    assert found.worse and 1.6 < found.change < 2.0


def test_failures_are_compared_by_their_difference() -> None:
    assert not judged([difference("failed", [0.0] * 10, [0.01] * 10, 0.01)], 0.01)[0].worse
    assert judged([difference("failed", [0.0] * 10, [0.05] * 10, 0.01)], 0.01)[0].worse


def test_holm_divides_the_risk() -> None:
    old, new = [float(n) for n in range(5)], [n + 3.5 for n in range(5)]
    one = ratio("p50", old, new, 1.0)
    assert one.p < 0.05
    assert judged([one], 0.05)[0].worse
    assert not any(v.worse for v in judged([one, ratio("p95", old, old, 1.0)], one.p * 1.5))
