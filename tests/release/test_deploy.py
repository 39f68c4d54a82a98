"""Deploys into the real sandbox: what is written, what is not, and what the account says afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.release.conftest import Desk
from trailboss.errors import CloudError, ConfigError, RefusedError, ReleaseError, Unavailable, UsageError
from trailboss.release.deploy import deploy
from trailboss.release.outcomes import DeployOptions, Outcome, TriggerState
from trailboss.release.reading import read_catalogue
from trailboss.release.versions import deploy_versions
from trailboss.values import Secret


def test_first_unchanged_changed(desk: Desk) -> None:
    desk.write(vars={"GREETING": "hi"})
    first = desk.deploy(message="begin").workers[0]
    assert (first.outcome, first.first, first.shape, first.version_number) == (
        Outcome.DEPLOYED,
        True,
        "script",
        1,
    )
    assert first.urls and desk.account.worker("hello").text.startswith("one hi")

    again = desk.deploy().workers[0]
    assert (again.outcome, again.version_id) == (Outcome.UNCHANGED, first.version_id)
    assert desk.writes == [] and len(desk.calls) == 3

    desk.write(text="two", code="console.log(1);", vars={"GREETING": "hi"})
    second = desk.deploy(message="Second try", tag="t2").workers[0]
    assert (second.outcome, second.shape, second.version_number) == (Outcome.DEPLOYED, "version", 2)
    assert second.previous_version_id == first.version_id
    assert len(desk.calls) <= 8, desk.calls
    assert desk.account.worker("hello").text.startswith("two hi")
    listed = desk.run(lambda cloud: read_catalogue(cloud, "hello")).versions
    assert [(item.number, item.message, item.tag, item.share) for item in listed] == [
        (2, "Second try", "t2", 100),
        (1, "begin", None, None),
    ]
    assert listed[0].digest == second.digest


@pytest.mark.parametrize(
    "change", [{"vars": {"GREETING": "new"}}, {"limits": {"cpu_ms": 20}}, {"placement": {"mode": "smart"}}]
)
def test_wiring_alone_makes_a_version(desk: Desk, change: dict[str, Any]) -> None:
    desk.write()
    digest = desk.deploy().workers[0].digest
    desk.write(**change)
    report = desk.deploy().workers[0]
    assert (report.outcome, report.digest) == (Outcome.DEPLOYED, digest)
    assert desk.deploy().workers[0].outcome is Outcome.UNCHANGED


def test_force_uploads_what_is_there_already(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    assert desk.deploy(force=True).workers[0].version_number == 2


def test_secrets_ship_with_the_version(desk: Desk) -> None:
    desk.write()
    report = desk.deploy(secrets={"TOKEN": Secret("s3cret")}).workers[0]
    assert report.secrets == ("TOKEN",)
    assert desk.account.worker("hello").text == "one  s3cret"
    desk.write(text="two")
    desk.deploy()
    assert desk.account.worker("hello").text == "two  s3cret"
    assert "s3cret" not in repr(report)


def test_triggers_alone(desk: Desk) -> None:
    desk.write(triggers={"crons": ["*/5 * * * *"]})
    desk.deploy()
    assert desk.deploy().workers[0].outcome is Outcome.UNCHANGED
    desk.write(triggers={"crons": ["0 * * * *"]})
    report = desk.deploy().workers[0]
    assert report.outcome is Outcome.TRIGGERS
    assert desk.writes == ["PUT /accounts/{}/workers/scripts/{}/schedules"]
    assert desk.deploy().workers[0].outcome is Outcome.UNCHANGED


def test_settings_alone(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.write(observability={"enabled": True, "head_sampling_rate": 0.5})
    assert desk.deploy().workers[0].outcome is Outcome.TRIGGERS
    assert desk.writes == ["PATCH /accounts/{}/workers/scripts/{}/script-settings"]
    assert desk.deploy().workers[0].outcome is Outcome.UNCHANGED


def test_a_failing_trigger_is_partial_and_heals(desk: Desk) -> None:
    desk.write(triggers={"crons": ["*/5 * * * *"]})
    rule = {
        "effect": "status",
        "status": 403,
        "code": 10000,
        "method": "PUT",
        "path": "*/schedules",
        "times": 1,
    }
    desk.account.control("PUT", "faults", [rule])
    report = desk.deploy()
    assert not report.ok and report.workers[0].outcome is Outcome.PARTIAL
    failed = [trigger for trigger in report.workers[0].triggers if trigger.state is TriggerState.FAILED]
    assert [trigger.kind for trigger in failed] == ["schedules"] and failed[0].error
    assert desk.account.worker("hello").status_code == 200
    healed = desk.deploy()
    assert healed.ok and healed.workers[0].outcome is Outcome.TRIGGERS
    assert desk.deploy().workers[0].outcome is Outcome.UNCHANGED


def test_dry_run_writes_nothing(desk: Desk) -> None:
    desk.write(triggers={"crons": ["*/5 * * * *"]}, vars={"GREETING": "hi"})
    report = desk.deploy(dry_run=True).workers[0]
    assert report.outcome is Outcome.PLANNED and report.size and report.gzip_size
    assert report.bindings == ("env.TEXT (plain_text)", "env.GREETING (plain_text)")
    assert desk.writes == []
    assert {trigger.state for trigger in report.triggers} == {TriggerState.PLANNED}


def test_dry_run_says_what_is_live_already(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    again = desk.deploy(dry_run=True).workers[0]
    assert (again.outcome, again.why) == (Outcome.UNCHANGED, "v1 is this already")
    assert desk.writes == []
    desk.write(triggers={"crons": ["*/5 * * * *"]})
    around = desk.deploy(dry_run=True).workers[0]
    assert around.outcome is Outcome.PLANNED and "only what is around it" in around.why
    desk.write(vars={"GREETING": "hi"})
    assert "a new version would be uploaded" in desk.deploy(dry_run=True).workers[0].why
    assert desk.writes == []


def test_dry_run_without_an_account(desk: Desk) -> None:
    import asyncio

    desk.write()
    project = desk.project()
    report = asyncio.run(deploy(project, project.workers, None, DeployOptions(dry_run=True)))
    assert report.workers[0].outcome is Outcome.PLANNED
    with pytest.raises(UsageError, match="account"):
        asyncio.run(deploy(project, project.workers, None))


def test_split_traffic_is_not_ended_without_a_yes(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.write(text="two")
    desk.deploy()
    desk.run(lambda cloud: deploy_versions(cloud, "hello", ["v1@90", "v2@10"]))
    desk.write(text="three")
    with pytest.raises(RefusedError) as caught:
        desk.deploy()
    assert caught.value.code == "TB4081" and desk.writes == []
    asked: list[str] = []
    report = desk.deploy(confirm=lambda question: not asked.append(question))
    assert report.ok and "split" in asked[0]


def test_several_workers_go_callee_first(desk: Desk) -> None:
    desk.folder.mkdir()
    (desk.folder / "trailboss.toml").write_text(
        'name = "pair"\n[workers.web]\npath = "web"\n[workers.api]\npath = "api"\n'
    )
    for name, extra in (("web", {"services": [{"binding": "API", "service": "api"}]}), ("api", {})):
        Desk(desk.account, desk.folder / name).write(name=name, **extra)
    report = desk.deploy()
    assert [worker.worker for worker in report.workers] == ["api", "web"]
    assert all(worker.outcome is Outcome.DEPLOYED for worker in report.workers)


def test_a_lost_answer_makes_one_version(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.write(text="two")
    rules = [
        {"effect": "drop-after", "method": "POST", "path": f"*/scripts/hello/{what}", "times": 1}
        for what in ("versions", "deployments")
    ]
    desk.account.control("PUT", "faults", rules)
    report = desk.deploy().workers[0]
    assert report.version_number == 2
    found = desk.run(lambda cloud: read_catalogue(cloud, "hello"))
    assert [item.number for item in found.versions] == [2, 1] and len(found.deployments) == 2


def test_a_version_that_only_lacks_the_traffic_is_not_uploaded_again(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.write(text="two")
    desk.account.control(
        "PUT", "faults", [{"effect": "drop-before", "method": "POST", "path": "*/deployments"}]
    )
    with pytest.raises(Unavailable):
        desk.deploy()
    desk.account.control("DELETE", "faults")
    report = desk.deploy().workers[0]
    assert (report.outcome, report.version_number) == (Outcome.DEPLOYED, 2)
    assert desk.writes == ["POST /accounts/{}/workers/scripts/{}/deployments"]
    assert desk.account.worker("hello").text.startswith("two")
    assert desk.deploy().workers[0].outcome is Outcome.UNCHANGED


def test_what_wrangler_deployed_is_taken_over_and_the_other_way_round(desk: Desk) -> None:
    desk.write()
    desk.wrangler("deploy")
    ours = desk.deploy().workers[0]
    assert (ours.version_number, ours.shape) == (2, "version")
    listed = json.loads(desk.wrangler("deployments", "list", "--json"))
    live = max(listed, key=lambda item: str(item["created_on"]))
    assert live["versions"] == [{"version_id": ours.version_id, "percentage": 100}]
    shown = json.loads(desk.wrangler("versions", "view", str(ours.version_id), "--json"))
    assert shown["number"] == 2


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"name": "Not A Name"}, "TB1801"),
        ({"compatibility_date": None}, "TB1802"),
        ({"compatibility_date": "2999-01-01"}, "TB1802"),
        ({"compatibility_date": "yesterday"}, "TB1802"),
        ({"routes": [{"pattern": "*.example.com/*", "custom_domain": True}]}, "TB1803"),
        ({"triggers": {"crons": ["every day"]}}, "TB1804"),
        ({"migrations": [{"tag": "v1"}, {"tag": "v1"}]}, "TB1805"),
        ({"vars": {"TOKEN": "x"}}, "TB1806"),
    ],
)
def test_refused_before_anything_is_built(desk: Desk, settings: dict[str, Any], code: str) -> None:
    desk.write(**settings)
    with pytest.raises(ConfigError) as caught:
        desk.deploy(secrets={"TOKEN": Secret("x")})
    assert caught.value.code == code or caught.value.code.startswith("TB1")
    assert caught.value.where is not None and caught.value.hint
    assert desk.calls == []


def test_options_are_checked(desk: Desk) -> None:
    desk.write()
    for options, code in (({"tag": "x" * 101}, "TB9410"), ({"alias": "Not!"}, "TB9411")):
        with pytest.raises(UsageError) as caught:
            desk.deploy(**options)
        assert caught.value.code == code


def test_code_that_does_not_start_is_refused_and_nothing_moves(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    (desk.folder / "index.js").write_text("throw new Error('broken at start');")
    with pytest.raises(CloudError) as caught:
        desk.deploy()
    assert caught.value.has_code(10021)
    assert desk.account.worker("hello").text.startswith("one")


def test_a_missing_queue_is_refused_before_the_upload(desk: Desk) -> None:
    desk.write(queues={"consumers": [{"queue": "jobs"}]})
    with pytest.raises(ReleaseError) as caught:
        desk.deploy()
    assert caught.value.code == "TB4073" and desk.writes == []


def test_no_worker(desk: Desk, tmp_path: Path) -> None:
    project = Desk(desk.account, tmp_path / "other")
    project.write()
    loaded = project.project()
    with pytest.raises(UsageError, match="no Worker"):
        desk.run(lambda cloud: deploy(loaded, (), cloud))


def test_what_only_wrangler_knows_is_done_by_wrangler(desk: Desk) -> None:
    desk.write(unsafe={"metadata": {"something": "only wrangler sends"}})
    report = desk.deploy(message="by hand").workers[0]
    assert report.outcome is Outcome.HANDED_OVER and "unsafe" in report.why
    assert report.version_number == 1 and desk.account.worker("hello").text.startswith("one")
    (desk.folder / "index.js").write_text("export default {")
    with pytest.raises(ReleaseError) as caught:
        desk.deploy()
    assert caught.value.code == "TB4090" and desk.account.connection.token not in str(caught.value)


def test_a_binding_without_an_id_gets_its_resource_once(desk: Desk) -> None:
    desk.write(kv_namespaces=[{"binding": "CACHE"}])
    assert desk.deploy().workers[0].provisioned == ("CACHE",)
    assert desk.deploy().workers[0].outcome is Outcome.UNCHANGED
    desk.write(text="two", kv_namespaces=[{"binding": "CACHE"}])
    assert desk.deploy().workers[0].provisioned == ()
    found = desk.account.call("GET", f"{desk.account.account}/storage/kv/namespaces")
    assert [item["title"] for item in found] == ["hello-cache"]
