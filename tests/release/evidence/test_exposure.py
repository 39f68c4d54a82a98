from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.release.evidence import Step, Traffic, expose
from trailboss.release.evidence.exposure import bound, information

STEPS = [Step(1, 300), Step(10, 300), Step(50, 300)]


@pytest.mark.parametrize(
    ("share", "stable", "canary", "requests"),
    [
        (0.01, 0.001, 0.002, 12_062),
        (0.1, 0.001, 0.002, 13_611),
        (0.01, 0.001, 0.005, 1158),
        (0.1, 0.01, 0.05, 135),
        (0.01, 0.001, 0.2, 6.1),
        (0.1, 0.01, 0.2, 14.9),
    ],
)
def test_the_bounds_of_the_literature(share: float, stable: float, canary: float, requests: float) -> None:
    assert bound(share, stable, canary, margin=1) == pytest.approx(requests, rel=5e-3)


@given(st.floats(0.001, 0.5), st.floats(0.001, 0.2), st.floats(1.5, 4))
def test_a_wider_margin_never_makes_detection_cheaper(share: float, rate: float, worse: float) -> None:
    canary = min(0.9, rate * worse)
    assert information(share, rate, canary, 1.0) >= information(share, rate, canary, 1.25) - 1e-12


def test_within_the_margin_there_is_nothing_to_find() -> None:
    assert information(0.1, 0.01, 0.012) == 0
    assert bound(0.1, 0.01, 0.012) == float("inf")
    assert information(0, 0.01, 0.5) == information(1, 0.01, 0.5) == 0


def test_what_breaks_everything_costs_the_first_step_only() -> None:
    plan = expose(STEPS, Traffic(100, 0.001))
    worst = plan.cases[-1]
    assert worst.step == 0
    assert worst.seconds is not None
    assert worst.seconds < 60
    assert worst.requests == worst.users
    assert worst.failed is not None
    assert worst.failed <= 60


def test_a_slight_regression_may_pass_and_says_so() -> None:
    twice = expose(STEPS, Traffic(100, 0.001)).cases[0]
    assert twice.step is None
    assert twice.requests is not None
    assert twice.requests > 5000


def test_worse_regressions_are_found_sooner() -> None:
    cases = expose(STEPS, Traffic(1000, 0.001)).cases
    times = [case.seconds for case in cases if case.seconds is not None]
    assert times == sorted(times, reverse=True)


def test_a_step_lasts_until_a_clean_certificate_is_possible() -> None:
    slow = expose(STEPS, Traffic(1, 0.001)).shortest
    fast = expose(STEPS, Traffic(10_000, 0.001)).shortest
    assert fast == pytest.approx(915)
    assert slow is not None
    assert slow > 33_100


def test_without_traffic_nothing_can_be_said() -> None:
    plan = expose(STEPS, Traffic(0, 0.001))
    assert plan.shortest is None
    assert all(case.seconds is None and case.users is None for case in plan.cases)
    json.dumps(asdict(plan), allow_nan=False)


def test_returning_users_are_fewer_than_requests_and_sticky_ones_fewest() -> None:
    by_request = expose(STEPS, Traffic(100, 0.001, per_user=10)).cases[0]
    sticky = expose(STEPS, Traffic(100, 0.001, per_user=10, sticky=True)).cases[0]
    assert by_request.requests is not None
    assert by_request.users is not None
    assert sticky.users is not None
    assert by_request.requests > by_request.users > sticky.users


def test_a_normal_rate_above_theta_max_cannot_be_certified_and_says_so() -> None:
    assert expose(STEPS, Traffic(100, 0.02), theta_max=0.01).shortest is None


def test_cases_no_worse_than_normal_are_left_out() -> None:
    assert [case.name for case in expose(STEPS, Traffic(100, 0.0)).cases] == ["20 % fail", "all fail"]
    assert [case.name for case in expose(STEPS, Traffic(100, 0.3)).cases] == ["2x", "5x", "all fail"]
