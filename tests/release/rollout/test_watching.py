"""The guard under real traffic: it takes back what the release broke, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.release.rollout.conftest import FAST, Stage, policy, traffic
from trailboss.cloud import Cloud
from trailboss.release.burn import BurnWindow
from trailboss.release.guarded import Guarded, Watch
from trailboss.release.reading import read_deployments
from trailboss.release.secret import put
from trailboss.release.watching import watch
from trailboss.values import Secret

WINDOWS = (BurnWindow(3, 1, 14.4),)


def guard(stage: Stage, seconds: float = 20, **changes: Any) -> list[Guarded]:
    told: list[Guarded] = []
    asked = Watch(policy(timing=FAST), windows=WINDOWS, **{"trial": 8.0, **changes})

    async def main() -> None:
        async with traffic(stage.desk), Cloud(stage.desk.target) as cloud:
            await watch(cloud, "hello", asked, told.append, seconds=seconds)

    asyncio.run(main())
    return told


def test_a_bad_release_is_taken_back(stage: Stage) -> None:
    stage.live()
    stage.write("two", vars={"FAILING": "0.5"})
    stage.desk.deploy()
    told = guard(stage)
    assert [one.alarm for one in told] == ["burning", "tried", "rolled-back"], told
    assert told[0].speed and told[0].speed > 100 and stage.desk.account.worker("hello").text == "one"
    (newest, *_) = stage.desk.run(lambda cloud: read_deployments(cloud, "hello"))
    assert newest.mark is not None and newest.mark.strategy == "trial"


def test_what_breaks_both_is_not_the_release(stage: Stage) -> None:
    stage.live("one", vars={"FAILING": "0.5"})
    stage.write("two", vars={"FAILING": "0.5"})
    version = stage.desk.deploy().workers[0].version_id
    told = guard(stage, seconds=4, trial=1.5)
    assert [one.alarm for one in told[:3]] == ["burning", "tried", "not-the-release"], told
    (newest, *_) = stage.desk.run(lambda cloud: read_deployments(cloud, "hello"))
    assert newest.whole == version and "fails no less" in (newest.message or "")


def test_only_telling_and_nothing_to_go_back_to(stage: Stage) -> None:
    stage.live("one", vars={"FAILING": "1"})
    stage.desk.run(lambda cloud: put(cloud, "hello", "TOKEN", Secret("x")))
    assert {one.alarm for one in guard(stage, seconds=1.5, rollback=False)} == {"burning"}
