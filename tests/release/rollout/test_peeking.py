"""What the live tail holds is looked at every second, and a window ends at a failing request."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from tests.release.rollout.sim import Scene, Visitors, steps
from trailboss.release.evidence.windows import Span
from trailboss.release.gates.base import Record
from trailboss.release.rollout import engine
from trailboss.release.rollout.peeking import spans
from trailboss.release.rollout.policy import Gate, Policy, Timing

CANARY = Policy("canary", steps(10, 50, 100), (Gate("errors", "errors"),))


@dataclass
class Tailed(Visitors):
    """Visitors whose records wait here until they are read."""

    waiting: list[Record] = field(default_factory=list)
    until: float = 0.0

    def held(self, canary: str, stable: str) -> tuple[Record, ...]:
        now = self.account.clock.now()
        begin = self.until or now
        live = self.account.deployments[self.worker][-1]["versions"]
        share = sum(one["percentage"] for one in live if one["version_id"] == canary) / 100
        for number in range(round((now - begin) * self.rate)):
            new = self.chance.random() < share
            bad = self.chance.random() < self.failing[new]
            self.waiting.append(Record(begin + number / self.rate, new, bad, bad))
        self.until = now
        return tuple(self.waiting)

    async def read(self, span: Span, canary: str, stable: str | None = None) -> tuple[Record, ...] | None:
        inside = tuple(one for one in self.waiting if span.start <= one.at < span.end)
        self.waiting = [one for one in self.waiting if one.at >= span.end]
        return inside


def scene(patch: pytest.MonkeyPatch, failing: tuple[float, float], seed: int = 7) -> Scene:
    made = Scene(patch)
    source = Tailed(made.account, "api", 50.0, failing, chance=random.Random(seed))
    patch.setattr(engine, "open_source", lambda *_: source)
    return made


def test_what_fails_for_all_goes_back_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    made, met = scene(monkeypatch, (0.0, 1.0)), []
    held = Tailed.held

    def counted(self: Tailed, *asked: str) -> tuple[Record, ...]:
        before = {one.at for one in self.waiting}
        found = held(self, *asked)
        met.extend(one for one in found if one.canary and one.at not in before)
        return found

    monkeypatch.setattr(Tailed, "held", counted)
    began = made.clock.now()
    ended = made.run(CANARY)
    assert ended.result == "rolled-back" and ended.gate == "api/errors"
    took = made.clock.now() - began
    assert 12.0 < took < 15.0, took  # ten of them to settle, two to count who met it at last
    assert ended.picture.workers[0].failed == len(met) > 20  # while it settled and after the verdict, too


def test_what_fails_for_both_alike_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy("canary", steps(10, 50, 100, deadline=60.0), (Gate("errors", "errors"),))
    results = [scene(monkeypatch, (0.2, 0.2), seed).run(policy).result for seed in range(4)]
    assert "rolled-back" not in results


def test_every_request_is_in_one_window() -> None:
    chance = random.Random(3)
    records = [
        Record(100 + n / 40, chance.random() < 0.1, chance.random() < 0.05, False) for n in range(1600)
    ]
    found = list(spans(records, 105.0, 100.0, 139.0, Timing()))
    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]
    assert found[0].start == 105.0 and {115.0, 125.0, 135.0} <= {one.end for one in found}
    assert all(one.end - one.start >= 0.1 for one in found if one.end not in (115.0, 125.0, 135.0))
    assert len({one.id for one in found}) == len(found) and found[-1].end <= 139.0
    failed = {one.at for one in records if one.failed}
    ends = [one.end for one in found if one.end not in (115.0, 125.0, 135.0)]
    assert all(any(0 < end - at <= 0.0011 for at in failed) for end in ends)


def test_a_pass_is_early_only_where_it_would_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    made = scene(monkeypatch, (0.0, 0.0))
    passes: list[Any] = []
    real = engine.look

    async def look(walk: Any) -> Any:
        passes.append(walk.clock.now())
        return await real(walk)

    monkeypatch.setattr(engine, "look", look)
    assert asyncio.run(made.release(CANARY)).result == "promoted"
    gaps = [after - before for before, after in pairwise(passes)]
    assert max(gaps) >= 9.9 and sum(gap < 2 for gap in gaps) <= 6
