"""Workflows: a whole life, schedules, what a deploy writes, what the SDK would send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Request, ok
from tests.conftest import Sandbox
from tests.plan.inprocess import Account as InProcess
from tests.plan.inprocess import DirectCloud
from tests.plan.test_contract import OPTIONS, done, resource, wanting
from tests.resources.cases.workflow import BARE, FULL, WORKER
from tests.resources.kinds.lives import ACCOUNT, deployed, listed, live, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.config.discover import PROJECT_NAME
from trailboss.plan.apply import apply
from trailboss.plan.plan import make
from trailboss.plan.shown import shown
from trailboss.plan.wanted import Wanted
from trailboss.release.triggers import deploy_triggers
from trailboss.resources.marks import UNSET
from trailboss.resources.workflow import KIND, Workflow
from trailboss.values import Location

SHOWN: dict[str, Any] = {
    "id": "i",
    "name": "shop-orders",
    "script_name": WORKER,
    "class_name": "Orders",
    "limits": {"steps": 2000, "cpu": 5},
    "jurisdiction": "eu",
}


@pytest.fixture
def shop(account: Sandbox) -> Sandbox:
    """The account with the Worker."""
    deployed(account, WORKER)
    return account


def test_a_life(shop: Sandbox) -> None:
    found = live(shop, KIND, BARE, FULL)
    assert found.schedules == ("*/30 * * * *", "0 3 * * *")
    assert KIND.handle(found) == "shop-orders"


def test_schedules_that_nobody_mentions_stay(shop: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        made = await KIND.create(cloud, FULL)
        silent = replace(FULL, schedules=UNSET, class_name="Orders")
        assert (await KIND.update(cloud, silent, made)).schedules == made.schedules
        none = replace(FULL, schedules=())
        assert [change.field for change in KIND.differs(none, made)] == ["schedules"]
        assert (await KIND.update(cloud, none, made)).schedules == ()

    run(shop, use)


def test_a_plan_after_a_deploy_is_empty(shop: Sandbox) -> None:
    settings: dict[str, Any] = {
        "name": WORKER,
        "workers_dev": True,
        "workflows": [
            {"binding": "A", "name": "orders", "class_name": "Orders", "schedules": "0 3 * * *"},
            {
                "binding": "B",
                "name": "returns",
                "class_name": "Returns",
                "script_name": WORKER,
                "schedules": ["30 4 1 * *", "0 3 * * *"],
                "limits": {"steps": 100},
                "jurisdiction": None,
            },
            {"binding": "C", "name": "away", "class_name": "X", "script_name": "other"},
        ],
    }

    async def use(cloud: Cloud) -> None:
        await deploy_triggers(cloud, WORKER, settings)
        found = {one.name: one for one in await listed(KIND, cloud, BARE)}
        wanted = dict(KIND.from_worker(WORKER, settings))
        assert set(found) == set(wanted) == {"orders", "returns"}
        assert all(KIND.differs(spec, found[name]) == () for name, spec in wanted.items())

    run(shop, use)


def test_what_is_shown_is_compared_and_kept(connect: Callable[..., Cloud]) -> None:
    seen = KIND.from_wire(SHOWN)
    assert KIND.differs(replace(BARE, limits={"steps": 2000}, concurrency={"limit": 1}), seen) == ()
    changes = KIND.differs(replace(BARE, limits={"steps": 1}, jurisdiction="us"), seen)
    assert [(change.field, change.mark.value) for change in changes] == [
        ("limits", "mutable"),
        ("jurisdiction", "replace"),
    ]
    ((_, _, body),) = writes(
        connect,
        lambda cloud: KIND.update(cloud, replace(BARE, class_name="Returns"), seen),
        lambda _: ok(SHOWN),
    )
    assert (body["limits"], body["class_name"]) == ({"steps": 2000, "cpu": 5}, "Returns")


def test_requests(connect: Callable[..., Cloud]) -> None:
    def respond(_: Request) -> Answer:
        return ok(SHOWN)

    async def use(cloud: Cloud) -> None:
        await KIND.delete(cloud, await KIND.create(cloud, FULL))

    assert writes(connect, use, respond) == theirs(
        lambda c: c.workflows.update(
            "shop-orders",
            account_id=ACCOUNT,
            script_name=WORKER,
            class_name="Returns",
            schedules=[{"cron": "*/30 * * * *"}, {"cron": "0 3 * * *"}],
            limits={"steps": 2000},
            concurrency={"limit": 5},
            default_retention={"success_retention": "3 days", "error_retention": "7 days"},
        ),
        lambda c: c.workflows.delete("shop-orders", account_id=ACCOUNT),
    )


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (Workflow("a" * 65, WORKER, "X"), "64"),
        (Workflow("a b", WORKER, "X"), "letters"),
        (replace(BARE, schedules=("daily",)), "1 fields"),
    ],
)
def test_problems(spec: Workflow, text: str) -> None:
    assert text in " ".join(KIND.problems(spec))
    assert list(KIND.problems(FULL)) == []


def test_what_is_not_shown_is_sent_when_the_file_changes(tmp_path: Path) -> None:
    """Cloudflare shows no limits: a plan says that they are sent, and a second one is empty."""
    sent: list[str] = []

    def note(_: int, stage: str, method: str, path: str) -> None:
        if stage == "before" and method == "PUT" and "/workflows/" in path:
            sent.append(path)

    def wants(steps: int) -> Wanted:
        one = resource("workflow", "it", replace(BARE, limits={"steps": steps}))
        return wanting(replace(one, where=Location(Path(PROJECT_NAME))))

    async def life() -> None:
        account = InProcess(tmp_path)
        await account.worker("shop")
        cloud = DirectCloud(account, note)
        await apply(cloud, wants(2000), OPTIONS)
        [change] = shown(await make(cloud, wants(3000))).changes
        assert (change.action, change.why) == ("update", "file")
        assert [(one.field, one.before, one.after) for one in change.fields] == [
            ("limits", "(not shown)", {"steps": 3000})
        ]
        before = len(sent)
        await apply(cloud, wants(3000), OPTIONS)
        assert len(sent) == before + 1
        assert done(await make(cloud, wants(3000))) == []

    asyncio.run(life())
