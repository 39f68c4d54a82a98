"""Several Workers are guarded by one process; what was released as one is tried, and goes back, as one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.release.rollout.sim import Scene, Visitors, steps
from trailboss.release import trial, watching
from trailboss.release.burn import Burning, BurnWindow
from trailboss.release.guarded import Alarm, Guarded, Post, Watch
from trailboss.release.rollout.policy import Gate, Policy
from trailboss.release.watching import watch_all

POLICY = Policy("canary", steps(10, 50, 100), (Gate("errors", "errors"),))
ASKED = Watch(POLICY, windows=(BurnWindow(60, 10, 14.4),))


async def released(scene: Scene) -> Post:
    """Both Workers are released as one, and then the second begins to fail."""
    assert (await scene.release(POLICY)).result == "promoted"
    scene.failing["web"] = (0.0, 0.6)
    cloud: Any = scene.account
    return Post(cloud, "web", ASKED, lambda _one: None, scene.clock)


async def nothing(*_: Any) -> str:
    return ""


def test_a_release_goes_back_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, ("api", "web"))
    monkeypatch.setattr(trial, "_why_not", nothing)

    async def main() -> Guarded:
        return await trial.answer(await released(scene), Burning(ASKED.windows[0], 99.0, 100, 60))

    done = asyncio.run(main())
    assert done.alarm is Alarm.ROLLED_BACK and "api v1, web v1" in done.text
    assert [scene.account.live(one) for one in ("api", "web")] == [{"stable": 100}] * 2


def test_all_are_guarded_until_one_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, ("api", "web"))
    asked: list[str] = []

    async def answer(post: Post, _burning: Burning) -> Guarded:
        asked.append(post.worker)
        last = len(asked) == 2
        return Guarded(post.worker, Alarm.ROLLED_BACK if last else Alarm.CANNOT, "", post.clock.now())

    monkeypatch.setattr(watching, "answer", answer)
    told: list[Guarded] = []
    failing = {"api": (0.0, 0.0), "web": (0.5, 0.5)}
    sources: Any = {name: Visitors(scene.account, name, failing=rates) for name, rates in failing.items()}
    cloud: Any = scene.account
    guarding = watch_all(
        cloud, ("api", "web"), ASKED, told.append, seconds=3600, clock=scene.clock, sources=sources
    )
    last = asyncio.run(guarding)
    assert asked == ["web", "web"] and last.alarm is Alarm.ROLLED_BACK and last.worker == "web"
    assert [one.alarm for one in told] == ["cannot", "rolled-back"]
