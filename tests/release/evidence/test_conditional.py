"""The conditional e-process against exact arithmetic: whole enumeration, fractions, properties."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailboss.errors import ReleaseError
from trailboss.release.evidence import Conditional, Exact, Window, dispersion
from trailboss.release.evidence.conditional import GRID, WEIGHTS, log_gains, log_probabilities

MARGIN = Fraction(5, 4)


def exact_pmf(stable: int, canary: int, failures: int, odds: Fraction) -> dict[int, Fraction]:
    support = range(max(0, failures - stable), min(failures, canary) + 1)
    terms = {j: math.comb(canary, j) * math.comb(stable, failures - j) * odds**j for j in support}
    whole = sum(terms.values())
    return {j: term / whole for j, term in terms.items()}


def window(stable: int, canary: int, failures: int, bad: int, number: int = 1) -> Window:
    return Window(number, Exact(stable, failures - bad), Exact(canary, bad))


@pytest.mark.parametrize("g", [Fraction(str(g)) for g in GRID])
def test_the_mean_gain_is_one_at_the_margin_and_less_below_by_enumeration(g: Fraction) -> None:
    worst = Fraction(0)
    for stable, canary in product(range(1, 6), repeat=2):
        for failures in range(1, stable + canary + 1):
            null = exact_pmf(stable, canary, failures, MARGIN)
            other = exact_pmf(stable, canary, failures, MARGIN * g)
            gain = {j: other[j] / null[j] for j in null}
            for truth in (Fraction(1, 50), Fraction(1, 2), Fraction(1), Fraction(9, 8), MARGIN):
                law = exact_pmf(stable, canary, failures, truth)
                mean = sum(law[j] * gain[j] for j in law)
                assert mean <= 1
                worst = max(worst, mean)
            for j in null:
                got = log_gains(window(stable, canary, failures, j), float(MARGIN))[GRID.index(float(g))]
                assert got == pytest.approx(math.log(gain[j]), abs=1e-12)
    assert worst == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=3),
    st.sampled_from([1.0, 1.25, 2.0]),
    st.floats(0.05, 1.0),
)
def test_the_whole_process_is_a_supermartingale(
    sizes: list[tuple[int, int, int]], margin: float, part: float
) -> None:
    def mean(process: Conditional, rest: list[tuple[int, int, int]], number: int) -> float:
        if not rest:
            return math.exp(process.log_e)
        stable, canary, failures = rest[0]
        failures = min(failures, stable + canary)
        law = exact_pmf(stable, canary, failures, Fraction(margin * part))
        return sum(
            float(p) * mean(process.after(window(stable, canary, failures, j, number)), rest[1:], number + 1)
            for j, p in law.items()
        )

    assert mean(Conditional(margin), sizes, 0) <= 1 + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 300), st.data())
def test_log_space_agrees_with_fractions(
    stable: int, canary: int, failures: int, data: st.DataObject
) -> None:
    failures = min(failures, stable + canary)
    low, high = max(0, failures - stable), min(failures, canary)
    seen = data.draw(st.integers(low, high))
    odds = [Fraction(1), MARGIN, Fraction(20), Fraction(500)]
    got = log_probabilities(stable, canary, failures, seen, [float(w) for w in odds])
    for w, value in zip(odds, got, strict=True):
        exact = exact_pmf(stable, canary, failures, w)[seen]
        log = math.log(exact.numerator) - math.log(exact.denominator)
        assert value == pytest.approx(log, abs=1e-8, rel=1e-10)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_more_failures_on_the_canary_are_always_more_evidence(
    stable: int, canary: int, failures: int
) -> None:
    failures = min(failures, stable + canary)
    low, high = max(0, failures - stable), min(failures, canary)
    gains = [log_gains(window(stable, canary, failures, j), 1.25) for j in range(low, high + 1)]
    for one, more in pairwise(gains):
        assert all(b > a for a, b in zip(one, more, strict=True))


@pytest.mark.parametrize(
    ("failures", "bad"), [(1, 1), (23, 9), (24, 9), (25, 9), (10_000, 500), (900_000, 450_000)]
)
def test_large_counts_stay_finite_and_normal(failures: int, bad: int) -> None:
    stable, canary = 950_000, 500_000
    gains = log_gains(window(stable, canary, failures, bad), 1.25)
    assert all(math.isfinite(gain) for gain in gains)
    step = log_gains(window(stable, canary, failures, min(bad + 1, failures)), 1.25)
    for one, more, g in zip(gains, step, GRID, strict=True):
        assert more - one == pytest.approx(math.log(g) * (failures > bad), abs=1e-6)


@pytest.mark.parametrize("failures", [1, 23, 24, 25, 120])
def test_probabilities_sum_to_one_at_a_million_requests(failures: int) -> None:
    logs = [log_probabilities(950_000, 500_000, failures, j, [1.25])[0] for j in range(failures + 1)]
    assert math.fsum(math.exp(log) for log in logs) == pytest.approx(1, abs=1e-12)


def test_a_million_requests_at_the_normal_rate_are_no_evidence() -> None:
    process = Conditional()
    for number in range(1000):
        process = process.after(Window(number, Exact(900, 9), Exact(100, 1)))
    assert process.log_e < 0


def test_both_ways_to_sum_agree() -> None:
    few = log_probabilities(5000, 300, 24, 6, [1.25, 12.0])
    exact = [exact_pmf(5000, 300, 24, Fraction(w))[6] for w in (1.25, 12.0)]
    assert few == pytest.approx([math.log(p) for p in exact], abs=1e-9)


@pytest.mark.parametrize(
    "silent",
    [
        Window(1, Exact(), Exact()),
        Window(1, Exact(50, 0), Exact(50, 0)),
        Window(1, Exact(50, 50), Exact(50, 50)),
        Window(1, Exact(50, 3), Exact()),
        Window(1, Exact(), Exact(50, 3)),
    ],
)
def test_a_window_that_cannot_tell_is_no_evidence(silent: Window) -> None:
    assert Conditional().after(silent).log_e == pytest.approx(0, abs=1e-12)


def test_probes_are_no_part_of_the_comparison() -> None:
    plain = Window(1, Exact(90, 1), Exact(10, 1))
    probed = Window(1, Exact(90, 1), Exact(10, 1), probes=Exact(500, 500))
    assert Conditional().after(probed) == Conditional().after(plain)


def test_a_few_failures_of_nearly_everything_are_enough() -> None:
    process, requests = Conditional(), 0
    while process.log_e < math.log(100):
        process, requests = process.after(Window(requests, Exact(99, 0), Exact(1, 1))), requests + 1
    assert 2 <= requests <= 6


def test_state_survives_json_and_repetition() -> None:
    process = Conditional().after(Window(5, Exact(90, 2), Exact(10, 3)))
    text = json.dumps(process.as_json(), allow_nan=False)
    back = Conditional.from_json(json.loads(text))
    assert back == process
    assert back.after(Window(5, Exact(90, 2), Exact(10, 3))) == process
    with pytest.raises(ReleaseError) as caught:
        Conditional.from_json(json.loads(text), margin=1.0)
    assert caught.value.code == "TB4303"


def test_a_margin_below_one_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Conditional(0.9)


def test_weights_are_a_probability() -> None:
    assert math.fsum(WEIGHTS) == pytest.approx(1)


def test_dispersion_finds_the_size_of_bursts() -> None:
    bursts = [Window(n, Exact(500, 5 * (n % 2)), Exact(500, 5 * (1 - n % 2))) for n in range(100)]
    assert dispersion(bursts) == pytest.approx(5, rel=0.02)
    assert dispersion([]) == 1.0
