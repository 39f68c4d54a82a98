"""Cloudflare's cron expressions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.sandbox.workers.cron import parse

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()  # a Monday


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", "2026-11-23 12:01"),
        ("*/15 * * * *", "2026-11-23 12:15"),
        ("0 0 * * *", "2026-11-24 00:00"),
        ("0 0 * * 1", "2026-11-29 00:00"),
        ("0 0 * * 7", "2026-11-28 00:00"),
        ("0 0 * * SUN", "2026-11-29 00:00"),
        ("0 9 * * MON-FRI", "2026-11-24 09:00"),
        ("0 0 L * *", "2026-11-30 00:00"),
        ("0 0 LW * *", "2026-11-30 00:00"),
        ("0 0 15W * *", "2026-12-15 00:00"),
        ("0 0 * * 6L", "2026-11-27 00:00"),
        ("0 0 * * 2#1", "2026-12-07 00:00"),
        ("0 0 1 JAN *", "2027-01-01 00:00"),
        ("0 0 13 * 6", "2026-11-27 00:00"),
        ("30 10-12/2 * * *", "2026-11-23 12:30"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
    ],
)
def test_the_next_moment(expression: str, expected: str) -> None:
    moment = parse(expression).next_after(START)
    assert moment is not None
    assert f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 0",
        "* * * * 8",
        "5-1 * * * *",
        "*/0 * * * *",
        "a * * * *",
    ],
)
def test_expressions_that_are_none(expression: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse(expression)


def test_a_day_that_never_comes() -> None:
    assert parse("0 0 31 2 *").next_after(START) is None


@given(st.text(alphabet="0123456789*/-,LW#?MONJA ", max_size=30))
def test_any_text_is_a_cron_or_a_value_error(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        return
