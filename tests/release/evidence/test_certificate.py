from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.errors import ReleaseError
from trailboss.release.evidence import Certificate, Exact, Window, clean_requests
from trailboss.release.evidence.certificate import FRACTIONS, WEIGHTS, _gains


@pytest.mark.parametrize(("theta_max", "requests"), [(0.05, 65), (0.01, 331), (0.005, 663)])
def test_clean_requests_to_certify(theta_max: float, requests: int) -> None:
    assert clean_requests(theta_max) == requests
    enough = Certificate(theta_max).after(Window(1, Exact(), Exact(requests)))
    assert enough.proves()
    assert enough.missing() == 0
    assert not Certificate(theta_max).after(Window(1, Exact(), Exact(requests - 1))).proves()


@given(st.floats(0.001, 0.5), st.floats(1, 1.9))
def test_every_factor_has_mean_at_most_one_from_theta_max_up(theta_max: float, worse: float) -> None:
    rate = min(1.0, theta_max * worse)
    bad, good = _gains(theta_max, Exact(1, 1)), _gains(theta_max, Exact(1, 0))
    for x, y in zip(bad, good, strict=True):
        assert rate * math.exp(x) + (1 - rate) * math.exp(y) <= 1 + 1e-12


def test_probes_count_and_the_stable_version_does_not() -> None:
    certificate = Certificate().after(Window(1, Exact(10_000), Exact(131), probes=Exact(200)))
    assert certificate.proves()
    assert certificate.seen == Exact(331)
    assert not Certificate().after(Window(1, Exact(10_000), Exact())).proves()


def test_failures_cost_proof() -> None:
    clean = Certificate().after(Window(1, Exact(), Exact(400)))
    once = Certificate().after(Window(1, Exact(), Exact(400, 1)))
    bad = Certificate().after(Window(1, Exact(), Exact(400, 8)))
    assert clean.log_c > once.log_c > bad.log_c
    assert once.missing() > 0
    more = once.after(Window(2, Exact(), Exact(once.missing())))
    assert more.proves()


def test_state_survives_json_even_when_one_part_is_ruined() -> None:
    window = Window(1, Exact(), Exact(50, 1))
    certificate = Certificate().after(window)
    assert certificate.wealth.log[0] == -math.inf
    back = Certificate.from_json(json.loads(json.dumps(certificate.as_json(), allow_nan=False)))
    assert back == certificate == back.after(window)
    with pytest.raises(ReleaseError):
        Certificate.from_json(certificate.as_json(), 0.05)


def test_nothing_is_no_proof() -> None:
    assert Certificate().log_c == pytest.approx(0)
    assert math.fsum(WEIGHTS) == pytest.approx(1)
    assert len(WEIGHTS) == len(FRACTIONS)


@pytest.mark.parametrize("theta_max", [0, 1, 2])
def test_theta_max_is_a_share(theta_max: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Certificate(theta_max)
