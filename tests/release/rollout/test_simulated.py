"""Whole rollouts by chance: all gates together, all steps, the real engine. How often a good one is rolled
back, and what a bad one costs. `python -m benchmarks gates` simulates the statistics alone, at length."""

from __future__ import annotations

import random
import statistics
from typing import Any

import pytest

from tests.release.rollout import sim
from tests.release.rollout.sim import Scene, steps
from trailboss.release.gates.base import Record
from trailboss.release.rollout.engine import Ended
from trailboss.release.rollout.policy import Gate, Judgement, Policy

KINDS = ("errors", "exceptions", "wall", "cpu", "ceiling")
POLICY = Policy(
    "canary",
    steps(5, 25, 100, bake=60, deadline=500),
    tuple(Gate(kind, kind, limit=0.3 if kind == "ceiling" else None) for kind in KINDS),
    judgement=Judgement(theta_max=0.1),
)


def run(patch: pytest.MonkeyPatch, seed: int, stable: float, canary: float, slower: float = 1.0) -> Ended:
    """One rollout at 40 requests a second; the failures of both triple after a minute."""
    scene = Scene(patch, rate=40, failing={"api": (stable, canary)})
    make = scene._source

    def source(policy: Policy, cloud: Any, worker: str) -> Any:
        found = make(policy, cloud, worker)
        assert found is not None
        found.chance = random.Random(seed)
        began, read = scene.clock.now(), found.read

        async def timed(*words: Any) -> tuple[Record, ...] | None:
            drift = 3.0 if scene.clock.now() - began > 60 else 1.0
            found.failing = (stable * drift, canary * drift)
            records = await read(*words)
            return tuple(
                one._replace(wall=found.chance.lognormvariate(3, 1) * (slower if one.canary else 1), cpu=1.0)
                for one in records or ()
            )

        patch.setattr(found, "read", timed)
        return found

    patch.setattr(sim.engine, "open_source", source)
    return scene.run(POLICY)


def test_good_releases_are_promoted(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [run(monkeypatch, seed, 0.01, 0.01).result for seed in range(20)]
    assert ends.count("promoted") >= 19, ends  # type: ignore[arg-type]


def test_bad_releases_cost_a_handful_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [run(monkeypatch, seed, 0.005, 0.2) for seed in range(8)]
    assert {end.result for end in ends} == {"rolled-back"}
    failed = [end.picture.workers[0].failed for end in ends]
    assert statistics.median(failed) <= 15 and max(failed) <= 40, failed


def test_slow_releases_are_rolled_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [run(monkeypatch, seed, 0.005, 0.005, slower=3.0) for seed in range(4)]
    assert [(end.result, end.gate) for end in ends] == [("rolled-back", "api/wall")] * 4


def test_without_proof_nothing_is_ever_promoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failing as often as theta_max, on both: no regression, and no certificate either."""
    ends = [run(monkeypatch, seed, 0.034, 0.034).result for seed in range(3)]
    assert "promoted" not in ends, ends  # type: ignore[arg-type]
