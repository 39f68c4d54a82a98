"""A cache folder per test, and Cloud objects whose clock and sleep are ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.cloud.loopback import Loopback
from trailboss.cloud import Cloud, Target
from trailboss.cloud.budget import Budget
from trailboss.cloud.session import Options
from trailboss.values import Secret

TOKEN = "tok_0123456789abcdefghijklmnopqrstuvwxyz"
ACCOUNT = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test."""
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    """The clock of `connect`."""
    return Time()


@pytest.fixture
def connect(time: Time) -> Callable[..., Cloud]:
    """Make a Cloud for a loopback server; the budget is its own unless given."""

    def make(server: Loopback | str, *, account: str | None = ACCOUNT, **options: Any) -> Cloud:
        url = server if isinstance(server, str) else server.url
        options.setdefault("budget", Budget(None, clock=time.clock))
        target = Target("cloudflare", url, Secret(TOKEN), account)
        return Cloud(target, options=Options(clock=time.clock, sleep=time.sleep, rng=Random(7), **options))

    return make
