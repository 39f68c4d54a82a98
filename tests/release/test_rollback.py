"""Going back, and splitting: one write each, read back, refused where the platform could not do it."""

from __future__ import annotations

import json

import pytest

from tests.release.conftest import Desk
from trailboss.errors import CloudError, RefusedError, ReleaseError, UsageError
from trailboss.release.deployments import list_deployments, status
from trailboss.release.rollback import migration_tag, rollback
from trailboss.release.secret import put
from trailboss.release.versions import deploy_versions, list_versions, view_version
from trailboss.values import Secret

POST = "POST /accounts/{}/workers/scripts/{}/deployments"


def two_versions(desk: Desk) -> None:
    desk.write()
    desk.deploy(message="begin")
    desk.write(text="two")
    desk.deploy(tag="second")


def test_back_and_forth(desk: Desk) -> None:
    two_versions(desk)
    done = desk.run(lambda cloud: rollback(cloud, "hello", message="it broke"))
    assert done.changed and done.target.number == 1
    assert [(item.id, item.percentage) for item in done.deployment.versions] == [(done.target.id, 100)]
    assert done.deployment.message == "it broke" and done.deployment.current
    assert desk.writes == [POST] and len(desk.calls) == 6
    assert desk.account.worker("hello").text.startswith("one")

    again = desk.run(lambda cloud: rollback(cloud, "hello", "v1"))
    assert not again.changed and desk.writes == []
    assert desk.run(lambda cloud: rollback(cloud, "hello", "second")).target.number == 2

    now = desk.run(lambda cloud: status(cloud, "hello"))
    assert now is not None and [item.version and item.version.tag for item in now.versions] == ["second"]
    history = desk.run(lambda cloud: list_deployments(cloud, "hello")).deployments
    assert [item.current for item in history] == [True, False, False, False]


def test_a_rollback_of_what_wrangler_deployed(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.write(text="two")
    desk.wrangler("deploy")
    done = desk.run(lambda cloud: rollback(cloud, "hello"))
    assert done.target.number == 1 and desk.account.worker("hello").text.startswith("one")
    listed = json.loads(desk.wrangler("deployments", "status", "--json"))
    assert listed["versions"] == [{"version_id": done.target.id, "percentage": 100}]
    assert listed["annotations"]["workers/message"] == "Rollback"


def test_changed_secrets_need_a_yes(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.run(lambda cloud: put(cloud, "hello", "TOKEN", Secret("new")))
    with pytest.raises(RefusedError) as caught:
        desk.run(lambda cloud: rollback(cloud, "hello", "v1"))
    assert caught.value.code == "TB4020" and "TOKEN" in caught.value.message
    asked: list[str] = []
    desk.run(lambda cloud: rollback(cloud, "hello", "v1", confirm=lambda text: not asked.append(text)))
    assert "TOKEN" in asked[0]


def test_splits(desk: Desk) -> None:
    two_versions(desk)
    done = desk.run(lambda cloud: deploy_versions(cloud, "hello", ["v1@90", "v2@10"]))
    assert done.changed and [item.percentage for item in done.deployment.versions] == [90, 10]
    assert not desk.run(lambda cloud: deploy_versions(cloud, "hello", ["v2@10", "v1@90"])).changed
    assert desk.writes == []
    shares = {
        item.number: item.share for item in desk.run(lambda cloud: list_versions(cloud, "hello")).versions
    }
    assert shares == {1: 90, 2: 10}
    desk.run(lambda cloud: deploy_versions(cloud, "hello", ["v1", "second@0"]))
    assert desk.account.worker("hello").text.startswith("one")
    for specs, code in (
        (["v1@50"], "TB9404"),
        (["v1@50", "v9@50"], "TB4001"),
        (["v2@50", "second@50"], "TB4040"),
    ):
        with pytest.raises((UsageError, ReleaseError)) as caught:
            desk.run(lambda cloud, specs=specs: deploy_versions(cloud, "hello", specs))  # type: ignore[misc]
        assert caught.value.code == code and desk.writes == []


def test_a_lost_answer_is_looked_up_not_repeated(desk: Desk) -> None:
    two_versions(desk)
    desk.account.control(
        "PUT", "faults", [{"effect": "drop-after", "method": "POST", "path": "*/deployments"}]
    )
    done = desk.run(lambda cloud: rollback(cloud, "hello"))
    assert done.changed and desk.writes.count(POST) == 1
    assert len(desk.run(lambda cloud: list_deployments(cloud, "hello")).deployments) == 3


def test_a_stale_answer_is_asked_again(desk: Desk) -> None:
    two_versions(desk)
    rule = {"effect": "stale", "method": "GET", "path": "*/deployments", "seconds": 60, "skip": 1, "times": 2}
    desk.account.control("PUT", "faults", [rule])
    done = desk.run(lambda cloud: rollback(cloud, "hello", "v1"))
    assert done.deployment.versions[0].id == done.target.id


def test_across_a_migration(desk: Desk) -> None:
    counter = (
        'import { DurableObject } from "cloudflare:workers"; export class Counter extends DurableObject {}\n'
    )
    desk.write()
    desk.deploy()
    desk.write(migrations=[{"tag": "m1", "new_sqlite_classes": ["Counter"]}])
    file = desk.folder / "index.js"
    file.write_text(counter + file.read_text())
    assert desk.deploy().workers[0].shape == "script"
    with pytest.raises(ReleaseError) as caught:
        desk.run(lambda cloud: rollback(cloud, "hello", "v1"))
    assert caught.value.code == "TB4031" and "m1" in caught.value.message and desk.writes == []


def test_nothing_to_go_back_to(desk: Desk) -> None:
    with pytest.raises(ReleaseError) as caught:
        desk.run(lambda cloud: rollback(cloud, "nobody"))
    assert caught.value.code == "TB4010"
    desk.write()
    desk.deploy()
    with pytest.raises(ReleaseError) as caught:
        desk.run(lambda cloud: rollback(cloud, "hello"))
    assert caught.value.code == "TB4003"


def test_a_version_in_full(desk: Desk) -> None:
    desk.write(vars={"GREETING": "hi\nthere"})
    desk.deploy(secrets={"TOKEN": Secret("hidden-value")}, message="begin", tag="t")
    found = desk.run(lambda cloud: view_version(cloud, "hello", "t"))
    assert (found.version.number, found.version.message, found.secrets) == (1, "begin", ("TOKEN",))
    assert ("GREETING", "plain_text", "hi\\nthere") in [
        (item.name, item.type, item.detail) for item in found.bindings
    ]
    assert set(found.handlers) >= {"fetch", "scheduled", "queue"}
    assert found.compatibility_date == "2026-08-04" and "hidden-value" not in repr(found)


def test_migration_tags_on_the_wire() -> None:
    assert migration_tag({"resources": {"script_runtime": {"migration_tag": "v2"}}}) == "v2"
    assert migration_tag({}) is None
    assert issubclass(CloudError, Exception)
