"""The state in a message: everything comes back, it fits, and what is not ours is nobody's."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.release.evidence import Exact
from trailboss.release.evidence.windows import Span
from trailboss.release.gates.base import Batch, Record
from trailboss.release.model import Share, read_deployment
from trailboss.release.rollout.judging import Judge
from trailboss.release.rollout.mark import Mark, Phase, pack, read_mark, unpack, words_of
from trailboss.release.rollout.policy import Gate, Policy
from trailboss.release.strategies import STRATEGIES, Asked

STABLE, CANARY = "9b1f8f2e-7d3c-4f5a-9c1b-0a1b2c3d4e5f", "11111111-2222-4333-8444-555555555555"


def mark(**changes: object) -> Mark:
    given_: dict[str, object] = {
        "id": "3f2a91bc",
        "phase": Phase.STEP,
        "at": 1,
        "shares": (1.0, 12.5, 100.0),
        "stable": STABLE,
        "canary": CANARY,
        "began": 1_800_000_000.0,
        "since": 1_800_000_100.125,
        "until": 1_800_000_900.0,
        "owner": "a1b2c3",
        "who": "me@example",
        "digest": "123456789abc",
        "design": "abcdef",
        "seen": (100, 2, 30),
        "members": ("api", "web"),
        "evidence": (1.5, -math.inf, 0.0),
        "window": 1_800_000_100_125,
        "over": "0a1b2c3d",
        "strategy": "trial",
    }
    return Mark(**{**given_, **changes})  # type: ignore[arg-type]


def test_there_and_back() -> None:
    for one in (mark(), mark(window=None, evidence=(), members=(), digest="", at=-1, phase=Phase.CLAIMED)):
        message = one.message("Fix the login")
        assert read_mark(message) == one and words_of(message) == "Fix the login"
    wire = {"id": "d", "created_on": "", "annotations": {"workers/message": mark().message("Fix")}}
    found = read_deployment({**wire, "versions": []})
    assert (found.message, found.mark) == ("Fix", mark())


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=100))
def test_numbers(values: list[float]) -> None:
    assert list(unpack(pack(values))) == values


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "hello",
        "[rollout 3f2a91bc ]",
        "[rollout 3f2a91bc phase=odd at=1]",
        mark().message("x") + " tail",
        mark().message("x").replace("e=", "e=!!"),
    ],
)
def test_what_is_no_mark(text: str | None) -> None:
    assert read_mark(text) is None


def test_a_message_cannot_forge_one() -> None:
    forged = mark(id="00000000").message("evil")
    message = mark().message(forged)
    found = read_mark(message)
    assert found is not None and found.id == "3f2a91bc"
    assert read_mark(words_of(message)) is None


@pytest.mark.parametrize(
    ("changes", "shares"),
    [
        ({"at": -1, "phase": Phase.CLAIMED}, ((STABLE, 100), (CANARY, 0))),
        ({}, ((STABLE, 87.5), (CANARY, 12.5))),
        ({"phase": Phase.HELD}, ((STABLE, 87.5), (CANARY, 12.5))),
        ({"at": 2}, ((STABLE, 0), (CANARY, 100))),
        ({"phase": Phase.PROMOTED}, ((CANARY, 100),)),
        ({"phase": Phase.ROLLED_BACK}, ((STABLE, 100),)),
        ({"phase": Phase.ABORTED}, ((STABLE, 100),)),
    ],
)
def test_the_split_that_belongs_to_it(
    changes: dict[str, object], shares: tuple[tuple[str, float], ...]
) -> None:
    assert mark(**changes).split == tuple(Share(*one) for one in shares)


def test_who_is_dead() -> None:
    assert mark().dead(1_800_000_901) and not mark().dead(1_800_000_899)
    assert not mark(phase=Phase.HELD, until=0.0).dead(1e12)


def test_all_gates_of_three_workers_fit() -> None:
    kinds = ("errors", "exceptions", "wall", "cpu", "ceiling")
    policy = Policy("canary", STRATEGIES["canary"](Asked()), tuple(Gate(kind, kind) for kind in kinds))
    judge = Judge.start(policy)
    for number in range(3):
        span = Span(10.0 * number, 10.0 * number + 10)
        records = [Record(span.start, at % 3 == 0, at % 50 == 0, False, 12.5 + at, 3.25) for at in range(300)]
        judge = judge.after(Batch(span, 0.3, tuple(records)))
    names = ("empathy-agency-api", "empathy-agency-web", "empathy-agency-jobs")
    full = mark(evidence=judge.saved(), members=names, who="x" * 80, design=policy.design)
    message = full.message("A long story. " * 100)
    assert len(message.encode()) <= 1000
    found = read_mark(message)
    assert found is not None and found.members == names
    many = mark(evidence=judge.saved(), members=tuple(f"empathy-agency-worker-{at}" for at in range(40)))
    without = read_mark(many.message("x"))
    assert len(many.message("x").encode()) <= 1000 and without is not None and without.members == ()
    again = Judge.resumed(policy, found)
    for one, other in zip(judge.statistics, again.statistics, strict=True):
        assert other.log_e == pytest.approx(one.log_e, abs=1e-3) and other.log_e <= one.log_e
    assert again.certificate.seen == judge.certificate.seen and again.certificate.seen != Exact()
