from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.release.evidence import (
    Certificate,
    Exact,
    Limits,
    Outcome,
    Reason,
    Window,
    combined,
    shares,
    tempered,
    verdict,
)

PROVEN = Certificate().after(Window(1, Exact(), Exact(400)))


def test_weights_by_family() -> None:
    assert shares({"error_rate": "errors", "wall": "latency", "slo": "absolute"}) == pytest.approx(
        {"error_rate": 0.5, "wall": 0.3, "slo": 0.2}
    )
    split = shares({"error_rate": "errors", "exceptions": "errors", "wall": "latency", "cpu": "latency"})
    assert math.fsum(split.values()) == pytest.approx(1)
    assert split["error_rate"] == pytest.approx(0.3125)
    assert shares({"only": "latency"}) == {"only": 1.0}


@given(st.lists(st.floats(0, 300), min_size=3, max_size=3))
def test_the_average_lies_between_its_parts(e_values: list[float]) -> None:
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    logs = {name: math.log(e) if e else -math.inf for name, e in zip(weights, e_values, strict=True)}
    want = sum(w * e for w, e in zip(weights.values(), e_values, strict=True))
    assert math.exp(combined(logs, weights)) == pytest.approx(want, abs=1e-9)


def test_a_silent_gate_is_no_evidence() -> None:
    assert combined({}, {"a": 0.5, "b": 0.5}) == pytest.approx(0)
    assert combined({"a": math.log(199)}, {"a": 0.5, "b": 0.5}) == pytest.approx(math.log(100))
    with pytest.raises(ValueError, match="sum to 1"):
        combined({}, {"a": 0.5})


def test_tempering_shrinks_evidence_and_nothing_else() -> None:
    assert tempered(10.0, 5) == 2.0
    assert tempered(-3.0, 5) == -3.0


def test_evidence_against_it_fails_at_any_time() -> None:
    answer = verdict(math.log(100), PROVEN, elapsed=0, limits=Limits(bake=600))
    assert (answer.outcome, answer.reason) == (Outcome.FAIL, Reason.REGRESSION)
    assert answer.evidence == pytest.approx(100) == answer.needed


def test_only_a_certificate_after_the_bake_time_passes() -> None:
    limits = Limits(bake=60, deadline=600)
    early = verdict(0.0, PROVEN, elapsed=59, limits=limits)
    assert (early.outcome, early.reason) == (Outcome.UNDECIDED, Reason.BAKING)
    done = verdict(0.0, PROVEN, elapsed=60, limits=limits)
    assert (done.outcome, done.reason, done.overdue) == (Outcome.PASS, Reason.CERTIFIED, False)


@given(st.floats(0, 1e9), st.integers(0, 330))
def test_no_time_makes_up_for_missing_traffic(elapsed: float, requests: int) -> None:
    certificate = Certificate().after(Window(1, Exact(10**6), Exact(requests)))
    answer = verdict(0.0, certificate, elapsed=elapsed, limits=Limits(deadline=600))
    assert (answer.outcome, answer.reason) == (Outcome.UNDECIDED, Reason.INSUFFICIENT_TRAFFIC)
    assert answer.missing == 331 - requests
    assert answer.overdue == (elapsed >= 600)


def test_enough_traffic_with_failures_is_not_certified() -> None:
    certificate = Certificate().after(Window(1, Exact(), Exact(400, 4)))
    answer = verdict(0.0, certificate, elapsed=1e6)
    assert (answer.outcome, answer.reason) == (Outcome.UNDECIDED, Reason.NOT_CERTIFIED)


def test_a_broken_number_neither_passes_nor_fails() -> None:
    assert verdict(math.nan, PROVEN, elapsed=1e6).outcome is Outcome.UNDECIDED
