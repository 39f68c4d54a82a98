"""Whether it can be rolled back, said before anybody tries, from the platform's rules."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.release.catalogues import catalogue, deployment, version
from tests.release.conftest import Desk
from trailboss.release.reverting import Finding, RollbackPlan, plan_rollback, plan_with
from trailboss.release.secret import put
from trailboss.values import Secret

COUNTER = (
    'import { DurableObject } from "cloudflare:workers"; export class Counter extends DurableObject {}\n'
)


def plan(desk: Desk, target: str | None = None) -> RollbackPlan:
    found = desk.run(lambda cloud: plan_rollback(cloud, "hello", target))
    assert desk.writes == []
    return found


def kinds(found: RollbackPlan) -> list[str]:
    return [finding.kind for finding in found.findings]


def test_nothing_in_the_way(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.write(text="two")
    desk.deploy()
    found = plan(desk)
    assert (found.target.number, found.live, found.possible, found.asks, found.left) == (
        1,
        ("v2",),
        True,
        False,
        98,
    )
    assert kinds(found) == ["binding-changes"] and "TEXT" in found.findings[0].text


def test_changed_secrets_ask(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.run(lambda cloud: put(cloud, "hello", "TOKEN", Secret("hidden-value")))
    found = plan(desk, "v1")
    assert found.possible and found.asks and "hidden-value" not in repr(found)
    assert "TOKEN" in found.findings[0].text and "1 change of secrets" in found.findings[0].text


def test_a_resource_that_is_gone_blocks(desk: Desk) -> None:
    account = desk.account
    made = account.call("POST", f"{account.account}/storage/kv/namespaces", {"title": "old"})
    desk.write(kv_namespaces=[{"binding": "CACHE", "id": made["id"]}])
    desk.deploy()
    desk.write()
    desk.deploy()
    assert plan(desk).possible
    account.call("DELETE", f"{account.account}/storage/kv/namespaces/{made['id']}")
    found = plan(desk)
    assert not found.possible and "CACHE" in next(f.text for f in found.findings if f.kind == "binding")


def test_a_migration_blocks_and_a_dry_run_says_so_before(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.write(migrations=[{"tag": "m1", "new_sqlite_classes": ["Counter"]}])
    file = desk.folder / "index.js"
    file.write_text(COUNTER + file.read_text())
    (warning,) = desk.deploy(dry_run=True).workers[0].warnings
    assert "m1" in warning and "rolled back" in warning
    desk.deploy()
    found = plan(desk)
    assert not found.possible and kinds(found) == ["migration"]


def test_the_window_of_a_hundred() -> None:
    def left(newest: int) -> RollbackPlan:
        old, new = version(1), version(newest)
        known = catalogue(old, new, deployments=(deployment(2, (new, 100)), deployment(1, (old, 100))))
        nobody: Any = None
        return asyncio.run(plan_with(nobody, "hello", known, old, [{}, {}]))

    assert (left(100).possible, left(100).left) == (True, 0)
    assert not left(101).possible and left(101).findings == (
        Finding("window", "v1 is not among the last 100 uploads any more"),
    )
