from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.errors import ReleaseError
from trailboss.release.evidence import Exact, Guard, Window
from trailboss.release.evidence.guard import _log_ratios


@given(st.floats(0.001, 0.9), st.floats(0, 1))
def test_every_factor_has_mean_at_most_one_up_to_the_ceiling(ceiling: float, part: float) -> None:
    rate = ceiling * part
    for bad, good in _log_ratios(ceiling):
        assert rate * math.exp(bad) + (1 - rate) * math.exp(good) <= 1 + 1e-12


def test_it_fires_when_both_versions_break() -> None:
    guard = Guard().after(Window(1, Exact(90, 40), Exact(10, 4)))
    assert guard.log_e > math.log(100)


def test_the_normal_rate_lowers_it() -> None:
    assert Guard().after(Window(1, Exact(9000, 9), Exact(1000, 1))).log_e < math.log(0.01)


def test_the_canary_alone_can_be_guarded() -> None:
    window = Window(1, Exact(90, 60), Exact(10, 0))
    assert Guard(arms="canary").after(window).log_e < 0 < Guard().after(window).log_e


def test_state_survives_json_and_repetition() -> None:
    window = Window(1, Exact(90, 4), Exact(10, 4), probes=Exact(100, 100))
    guard = Guard(0.02).after(window)
    back = Guard.from_json(json.loads(json.dumps(guard.as_json(), allow_nan=False)), 0.02)
    assert back == guard == back.after(window)
    with pytest.raises(ReleaseError):
        Guard.from_json(guard.as_json(), 0.03)


@pytest.mark.parametrize("ceiling", [0, 1, -0.1, 5])
def test_a_ceiling_is_a_share(ceiling: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Guard(ceiling)
