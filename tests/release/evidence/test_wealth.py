from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.errors import ReleaseError
from trailboss.release.evidence.wealth import Wealth, log_sum

GAINS = st.lists(st.floats(-50, 50), min_size=3, max_size=3)


def test_log_sum_survives_what_exp_does_not() -> None:
    assert log_sum([2000.0, 2000.0]) == pytest.approx(2000 + math.log(2))
    assert log_sum([-math.inf, -2000.0]) == -2000.0
    assert log_sum([]) == -math.inf


@given(st.lists(st.tuples(st.integers(0, 30), GAINS), max_size=20))
def test_every_window_moves_the_wealth_at_most_once(windows: list[tuple[int, list[float]]]) -> None:
    wealth = Wealth.start(3)
    for window, gains in windows:
        once = wealth.after(window, gains)
        assert once.after(window, gains) == once
        assert once.last == max(window, wealth.last if wealth.last is not None else window)
        wealth = once


def test_a_late_window_is_left_out() -> None:
    wealth = Wealth.start(1).after(10, [1.0])
    assert wealth.after(9, [5.0]) is wealth


@given(GAINS)
def test_json_keeps_every_bit(gains: list[float]) -> None:
    wealth = Wealth.start(3).after(7, [*gains[:2], -math.inf])
    text = json.dumps(wealth.as_json("x 1"), allow_nan=False)
    assert Wealth.from_json(json.loads(text), "x 1", 3) == wealth


@pytest.mark.parametrize("saved", [{"design": "x 2", "log": [0.0]}, {"design": "x 1", "log": [0.0, 0.0]}, {}])
def test_the_state_of_another_design_is_refused(saved: dict[str, object]) -> None:
    with pytest.raises(ReleaseError) as caught:
        Wealth.from_json(saved, "x 1", 1)
    assert caught.value.code == "TB4303"
