"""Every spelling of the rate limit."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.cloud.ratelimit import block_seconds, retry_after

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("0", 0), ("-5", 0), ("3600.5", 3600.5), (formatdate(NOW + 90, usegmt=True), 90),
     (formatdate(NOW - 90, usegmt=True), 0), (str(int(NOW) + 20), 20), ("soon", None),
     ("nan", None), (None, None)],
)  # fmt: skip
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert retry_after({"retry-after": text} if text is not None else {}, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"ratelimit": '"default";r=50;t=30'}, 30),
        ({"ratelimit": '"default";r=241;t=30'}, 0),
        ({"ratelimit": '"default"; r=240; t=30', "ratelimit-policy": '"default";q=1200;w=300'}, 30),
        ({"ratelimit": '"default";r=30;t=9', "ratelimit-policy": '"default";q=100;w=60'}, 0),
        ({"ratelimit": '"default";r=3;t=9', "ratelimit-policy": '"default";q=4;w=60'}, 0),
        ({"ratelimit": '"default";r=0;t=9', "ratelimit-policy": '"default";q=4;w=60'}, 9),
        ({"x-ratelimit-limit": "1200", "x-ratelimit-remaining": "100", "x-ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-remaining": "900", "x-ratelimit-reset": "12"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": formatdate(NOW + 60, usegmt=True)}, 60),
        ({"x-ratelimit-remaining": "0"}, 0),
        ({"ratelimit": "nonsense"}, 0),
    ],
)
def test_block_seconds(headers: dict[str, str], seconds: float) -> None:
    assert block_seconds(headers, NOW) == seconds


@given(st.text(), st.text())
def test_nonsense_never_raises(first: str, second: str) -> None:
    for name in ("ratelimit", "x-ratelimit-remaining"):
        assert block_seconds({name: first, "x-ratelimit-reset": second}, NOW) >= 0
    assert (retry_after({"retry-after": first}, NOW) or 0) >= 0
