"""Schedules: a whole life, what a deploy writes, what the SDK would send, expressions that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conftest import Sandbox
from tests.resources.cases.cron_trigger import BARE, FULL, WORKER
from tests.resources.kinds.lives import ACCOUNT, deployed, listed, live, ours, run, theirs
from trailboss.cloud import Cloud
from trailboss.release.triggers import deploy_triggers
from trailboss.resources.cron_trigger import KIND, CronTrigger


@pytest.fixture
def shop(account: Sandbox) -> Sandbox:
    """The account with the Worker."""
    deployed(account, WORKER)
    return account


def test_a_life(shop: Sandbox) -> None:
    found = live(shop, KIND, BARE, FULL)
    assert KIND.differs(replace(FULL, crons=FULL.crons[::-1]), found) == ()
    assert KIND.handle(found) == WORKER
    none = CronTrigger(WORKER)

    async def use(cloud: Cloud) -> None:
        assert [one.script for one in await listed(KIND, cloud, none)] == [WORKER]
        empty = await KIND.update(cloud, none, found)
        assert await listed(KIND, cloud, none) == [empty]
        assert await listed(KIND, cloud, BARE) == []
        assert await listed(KIND, cloud, CronTrigger("nowhere")) == []
        await KIND.delete(cloud, replace(found, script="nowhere"))

    run(shop, use)


@pytest.mark.parametrize("crons", [["0 3 * * *", "30 4 1 * *"], []])
def test_a_plan_after_a_deploy_is_empty(shop: Sandbox, crons: list[str]) -> None:
    settings = {"name": WORKER, "workers_dev": True, "triggers": {"crons": crons}}

    async def use(cloud: Cloud) -> None:
        await KIND.create(cloud, FULL)
        await deploy_triggers(cloud, WORKER, settings)
        ((key, spec),) = KIND.from_worker(WORKER, settings)
        (found,) = await listed(KIND, cloud, spec)
        assert key == WORKER
        assert KIND.differs(spec, found) == ()

    run(shop, use)


def test_a_config_without_schedules_leaves_them() -> None:
    assert list(KIND.from_worker(WORKER, {"triggers": {}})) == []
    assert list(KIND.from_worker(WORKER, {"triggers": None})) == []


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        await KIND.delete(cloud, await KIND.create(cloud, BARE))

    assert ours(connect, use, {"schedules": [{"cron": "0 3 * * *"}]}, {"schedules": []}) == theirs(
        lambda c: c.workers.scripts.schedules.update(
            WORKER, account_id=ACCOUNT, body=[{"cron": "0 3 * * *"}]
        ),
        lambda c: c.workers.scripts.schedules.update(WORKER, account_id=ACCOUNT, body=[]),
    )


@pytest.mark.parametrize(
    ("cron", "text"),
    [
        ("* * * *", "4 fields"),
        ("60 * * * *", "'60' is no minute"),
        ("* * 0 * *", "day of the month"),
        ("* * * FOO *", "month"),
        ("* * * * 0", "day of the week (1 to 7)"),
        ("*/0 * * * *", "minute"),
        ("1-2-3 * * * *", "minute"),
        ("L * * * *", "minute"),
    ],
)
def test_problems(cron: str, text: str) -> None:
    assert text in " ".join(KIND.problems(CronTrigger(WORKER, (cron,))))


@pytest.mark.parametrize(
    "cron",
    [
        "* * * * *",
        "*/30 * * * *",
        "45 17 LW * *",
        "59 23 L * *",
        "0 15 1 * *",
        "0 9 * * MON#2",
        "0 9 * * 6L",
        "1,2-5/2 0 15W jan-mar,12 sun",
        "10 2 ? * MON-FRI",
    ],
)
def test_expressions_of_the_documentation(cron: str) -> None:
    assert list(KIND.problems(CronTrigger(WORKER, (cron,)))) == []
