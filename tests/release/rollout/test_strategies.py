"""Every strategy as a table: what was asked, what steps come of it."""

from __future__ import annotations

import pytest

from trailboss.errors import UsageError
from trailboss.release.rollout.policy import Step
from trailboss.release.strategies import STRATEGIES, Asked, Wish, following
from trailboss.release.strategies.edge_first import placed

HALF = 1800.0


@pytest.mark.parametrize(
    ("strategy", "asked", "expected"),
    [
        ("canary", Asked(), [(1, 120, 3600), (10, 120, 3600), (50, 120, 3600), (100, 0, HALF)]),
        ("canary", Asked((Wish(5), Wish(100)), bake=10), [(5, 10, HALF), (100, 0, HALF)]),
        ("canary", Asked((Wish(5, 1, 7), Wish(100, 60)), deadline=9), [(5, 1, 7), (100, 60, 60)]),
        ("canary", Asked((Wish(100),)), [(100, 0, HALF)]),
        ("at-once", Asked(), [(100, 0, HALF)]),
        ("at-once", Asked(bake=30), [(100, 30, HALF)]),
        ("blue-green", Asked(), [(100, 300, 9000)]),
        ("blue-green", Asked(bake=5, deadline=1), [(100, 5, 5)]),
        ("edge-first", Asked(bake=1), [(5, 1, HALF), (25, 1, HALF), (100, 0, HALF)]),
        ("edge-first", Asked((Wish(50), Wish(100)), bake=1), [(50, 1, HALF), (100, 0, HALF)]),
    ],
)
def test_steps(strategy: str, asked: Asked, expected: list[tuple[float, float, float]]) -> None:
    assert list(STRATEGIES[strategy](asked)) == [Step(*row) for row in expected]


@pytest.mark.parametrize(
    ("strategy", "shares", "code"),
    [
        ("canary", (0, 100), "TB9430"),
        ("canary", (120,), "TB9430"),
        ("canary", (10, 5, 100), "TB9431"),
        ("canary", (10, 50), "TB9431"),
        ("canary", (10, 10, 100), "TB9431"),
        ("edge-first", (10,), "TB9431"),
        ("at-once", (10, 100), "TB9432"),
        ("blue-green", (50,), "TB9433"),
    ],
)
def test_impossible_steps(strategy: str, shares: tuple[float, ...], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        STRATEGIES[strategy](Asked(tuple(Wish(share) for share in shares)))
    assert caught.value.code == code


def test_the_next_step() -> None:
    steps = STRATEGIES["canary"](Asked())
    assert [following(steps, at) for at in (-1, 0, 2, 3)] == [0, 1, 3, None]


def test_placement_of_edge_first() -> None:
    assert placed({}, None) == placed({}, "all") == {"placement": {"mode": "smart"}}
    assert placed({"placement": {"mode": "off"}}, "all")["placement"] == {"mode": "off"}
    assert placed({"name": "a"}, "aws:us-east-1") == {"name": "a", "placement": {"region": "aws:us-east-1"}}
    with pytest.raises(UsageError) as caught:
        placed({}, "eu,us")
    assert caught.value.code == "TB9434"
