from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.release.evidence import Histogram, Latency, Values, thresholds

HISTORY = Values([float(n) for n in range(1, 101)])


def lognormal(draw: random.Random, count: int, factor: float = 1.0) -> Values:
    return Values([factor * draw.lognormvariate(3, 0.5) for _ in range(count)])


def test_thresholds_are_quantiles_of_the_history() -> None:
    assert thresholds(HISTORY) == (50, 90, 99)
    assert thresholds(Values([7.0])) == (7, 7, 7)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_a_quantile_is_exceeded_by_no_more_than_its_share(values: list[float], q: float) -> None:
    times = Values(values)
    assert times.slower(times.quantile(q)) <= (1 - q) * times.total + 1e-9


def test_histograms_count_exactly_at_their_bounds() -> None:
    history = Histogram((10, 20, 50), (50, 40, 9, 1))
    assert thresholds(history) == (10, 20, 50)
    assert [history.slower(tau) for tau in (10, 20, 50)] == [50, 10, 1]
    with pytest.raises(ValueError, match="bounds"):
        Histogram((10, 20), (1, 2))


def test_a_slow_canary_is_found_and_an_equal_one_is_not() -> None:
    draw = random.Random(4)
    history = lognormal(draw, 2000)
    slow = equal = Latency.start(history)
    for number in range(40):
        stable = lognormal(draw, 95)
        slow = slow.after(number, stable, lognormal(draw, 5, 2.0))
        equal = equal.after(number, stable, lognormal(draw, 5))
    assert slow.log_e > math.log(100) > 2 > equal.log_e


def test_the_average_of_streams_starts_at_one_and_survives_json() -> None:
    latency = Latency.start(HISTORY)
    assert latency.log_e == pytest.approx(0)
    latency = latency.after(3, HISTORY, Values([95.0, 120.0]))
    back = Latency.from_json(json.loads(json.dumps(latency.as_json(), allow_nan=False)))
    assert back == latency == back.after(3, HISTORY, Values([500.0] * 50))


def test_new_thresholds_keep_the_evidence() -> None:
    latency = Latency.start(HISTORY).after(3, HISTORY, Values([95.0, 120.0]))
    later = latency.retuned(Values([1.0, 2.0, 3.0]))
    assert later.taus == (2, 3, 3)
    assert later.log_e == latency.log_e
