"""The table of what may be sent again."""

from __future__ import annotations

from random import Random

import pytest

from trailboss.cloud.retry import Outcome, Retry, may_repeat, outcome_of


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"])
@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("idempotent", [None, True, False])
def test_may_repeat(method: str, outcome: Outcome, idempotent: bool | None) -> None:
    harmless = outcome in (Outcome.REFUSED, Outcome.NOT_SENT)
    same_twice = idempotent if idempotent is not None else method not in ("POST", "PATCH")
    expected = outcome is not Outcome.FINAL and (harmless or same_twice)
    assert may_repeat(outcome, method, idempotent) is expected


def test_outcomes() -> None:
    assert outcome_of(429, []) is Outcome.REFUSED
    assert outcome_of(500, [10007]) is Outcome.BROKEN
    assert outcome_of(400, [10013]) is Outcome.BROKEN
    assert outcome_of(404, [10007]) is Outcome.FINAL
    assert outcome_of(200, []) is Outcome.FINAL
    assert outcome_of(501, []) is Outcome.FINAL


def test_full_jitter_below_a_doubling_ceiling() -> None:
    rng, policy = Random(1), Retry(base=0.5, ceiling=8.0)
    for attempt, ceiling in [(1, 0.5), (2, 1), (3, 2), (5, 8), (9, 8)]:
        delays = [policy.delay(attempt, rng) for _ in range(200)]
        assert 0 <= min(delays) < ceiling / 4
        assert ceiling * 3 / 4 < max(delays) <= ceiling
