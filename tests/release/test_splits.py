"""Percentages as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.errors import UsageError
from trailboss.release.splits import Wanted, read_splits


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        (["v12"], [("v12", 100)]),
        (["v12@100"], [("v12", 100)]),
        (["v12@90", "v13@10"], [("v12", 90), ("v13", 10)]),
        (["v12@90%", "v13@10%"], [("v12", 90), ("v13", 10)]),
        (["v12", "v13@10"], [("v12", 90), ("v13", 10)]),
        (["v12@99.5", "v13"], [("v12", 99.5), ("v13", 0.5)]),
        (["v12", "v13"], [("v12", 50), ("v13", 50)]),
        (["v12@100", "v13@0"], [("v12", 100), ("v13", 0)]),
        (["v12@100", "v13"], [("v12", 100), ("v13", 0)]),
        ([" v12 @ 60 % ", "v13@40"], [("v12", 60), ("v13", 40)]),
        (["me@work@90", "v13@10"], [("me@work", 90), ("v13", 10)]),
    ],
)
def test_splits(specs: list[str], expected: list[tuple[str, float]]) -> None:
    assert read_splits(specs) == tuple(Wanted(name, share) for name, share in expected)


@pytest.mark.parametrize(
    ("specs", "code"),
    [
        ([], "TB9401"),
        (["@50", "v1@50"], "TB9401"),
        ([""], "TB9401"),
        (["v1@50", "v2@25", "v3@25"], "TB9402"),
        (["v1@x"], "TB9403"),
        (["v1@101"], "TB9403"),
        (["v1@-1", "v2@101"], "TB9403"),
        (["v1@nan"], "TB9403"),
        (["v1@inf"], "TB9403"),
        (["v1@"], "TB9403"),
        (["v1@10"], "TB9404"),
        (["v1@60", "v2@60"], "TB9404"),
        (["v1@40", "v2@40"], "TB9404"),
        (["v1@50", "v1@50"], "TB9405"),
    ],
)
def test_refusals(specs: list[str], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_splits(specs)
    assert caught.value.code == code
    assert caught.value.hint


def test_the_rest_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        read_splits(["v12@10"])
    assert "90 %" in caught.value.hint


@given(hundredths=st.integers(0, 10_000))
def test_two_decimals_are_exact_and_sum_to_100(hundredths: int) -> None:
    first, second = read_splits([f"a@{hundredths / 100}", "b"])
    assert first.percentage == hundredths / 100
    assert round(first.percentage + second.percentage, 6) == 100


@given(specs=st.lists(st.text(max_size=20), max_size=4))
def test_anything_typed_is_shares_or_a_usage_error(specs: list[str]) -> None:
    try:
        found = read_splits(specs)
    except UsageError:
        return
    assert 1 <= len(found) <= 2
    assert abs(sum(item.percentage for item in found) - 100) < 1e-6
    assert all(0 <= item.percentage <= 100 for item in found)
