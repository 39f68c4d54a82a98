"""What cannot be split goes at once, and its gates still do what they can."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from tests.release.rollout.conftest import FAST, Stage, policy
from trailboss.errors import ConflictError, RefusedError, ReleaseError
from trailboss.release.outcomes import DeployReport, Outcome
from trailboss.release.rollout.mark import Mark, Phase
from trailboss.release.rollout.outlook import lines
from trailboss.release.rollout.policy import Gate, Policy, Probe, Step
from trailboss.release.rollout.shape import refuse_running
from trailboss.release.versions import deploy_versions

HOME = Gate("home", "probe", "home")


def at_once(*gates: Gate) -> Policy:
    return Policy("at-once", (Step(100, 0, 30),), gates, (Probe("home", path="/health"),), timing=FAST)


def release(stage: Stage, chosen: Policy, **options: Any) -> DeployReport:
    return asyncio.run(stage.release(chosen, **options))


def test_a_first_deploy(stage: Stage) -> None:
    stage.write("one")
    report = release(stage, policy(10, 100))
    (worker,) = report.workers
    assert (worker.outcome, worker.first, report.rollout, report.exit_status) == (
        Outcome.DEPLOYED,
        True,
        None,
        0,
    )
    assert "no version yet" in worker.warnings[0] and stage.desk.account.worker("hello").text == "one"
    stage.write("two", migrations=[{"tag": "m1", "new_sqlite_classes": ["Counter"]}])
    planned = release(stage, policy(10, 100), dry_run=True).rollout
    assert planned is not None and planned.outlook.steps == () and planned.outlook.exposure is None
    said = lines(planned.outlook)
    assert "migration m1" in said[0] and "everybody meets it" in said[-1]
    stage.write("one")
    again = release(stage, policy(10, 100))
    assert again.workers[0].outcome is Outcome.UNCHANGED and again.rollout is None


def test_a_first_deploy_that_is_ill(stage: Stage) -> None:
    stage.write("one", vars={"HEALTH": "ill"})
    report = release(stage, at_once(HOME))
    assert (report.workers[0].outcome, report.exit_status) == (Outcome.PARTIAL, 1)
    assert "no version before it" in report.workers[0].why


def test_a_gate_says_no_before_anything_is_written(stage: Stage) -> None:
    stage.write("one")
    with pytest.raises(ReleaseError) as caught:
        release(stage, at_once(Gate("c", "command", "exit 1"), HOME))
    assert caught.value.code == "TB4415"
    assert stage.desk.account.call("GET", f"{stage.desk.account.account}/workers/scripts") == []


def test_a_migration_goes_at_once(stage: Stage) -> None:
    stage.live()
    stage.write("two", migrations=[{"tag": "m1", "new_sqlite_classes": ["Counter"]}])
    file = stage.desk.folder / "index.js"
    counter = (
        'import { DurableObject } from "cloudflare:workers"; export class Counter extends DurableObject {}\n'
    )
    file.write_text(counter + file.read_text())
    report = release(stage, policy(10, 100))
    assert report.workers[0].outcome is Outcome.DEPLOYED and "migration m1" in report.workers[0].warnings[0]
    assert "migration m1" in report.workers[0].stages[2].note


def test_at_once_is_probed_before_it_gets_traffic(stage: Stage) -> None:
    stage.live()
    stage.write("two", vars={"HEALTH": "ill"})
    report = release(stage, at_once(HOME))
    assert report.rollout is not None and (report.rollout.result, report.rollout.gate) == (
        "rolled-back",
        "home",
    )
    assert report.rollout.moves == ("0 %, being probed", "0 %") and report.exit_status == 4
    stage.write("three")
    assert release(stage, at_once(HOME)).rollout.result == "promoted"  # type: ignore[union-attr]
    assert stage.desk.account.worker("hello").text == "three"


def test_edge_first_places_the_new_version(stage: Stage) -> None:
    stage.live()
    path = f"{stage.desk.account.account}/workers/scripts/hello/settings"
    assert not (stage.desk.account.call("GET", path).get("placement") or {}).get("mode")
    edge = replace(at_once(HOME), strategy="edge-first")
    report = release(stage, edge)
    assert report.rollout is not None and report.rollout.result == "promoted"
    assert stage.desk.account.call("GET", path)["placement"]["mode"] == "smart"
    assert release(stage, edge).workers[0].outcome is Outcome.UNCHANGED


def test_an_unhealthy_tunnel_stops_it(stage: Stage) -> None:
    stage.live()
    account = stage.desk.account
    account.call("POST", f"{account.account}/cfd_tunnel", {"name": "db", "config_src": "cloudflare"})
    stage.write("two")
    report = release(stage, at_once(Gate("t", "tunnel", "db", fails=1)))
    assert report.rollout is not None and report.rollout.gate == "t" and "inactive" in report.rollout.why
    assert account.worker("hello").text == "one"


def test_what_is_under_way_is_left_alone(stage: Stage) -> None:
    stage.live()
    stage.write("two")
    held = policy(10, 100, gates=(Gate("c", "command", "exit 75"),))
    held = replace(held, steps=(Step(10, 0, 0.1), Step(100, 0, 1)))
    assert release(stage, replace(held, gates=(Gate("errors", "errors"),))).rollout.result == "held"  # type: ignore[union-attr]
    for chosen in (policy(10, 100), None):
        with pytest.raises(ConflictError) as caught:
            asyncio.run(stage.release(chosen))  # type: ignore[arg-type]
        assert caught.value.code == "TB4404"


def test_a_foreign_split(stage: Stage) -> None:
    stage.live()
    stage.write("two")
    stage.desk.deploy()
    stage.desk.run(lambda cloud: deploy_versions(cloud, "hello", ["v1@50", "v2@50"]))
    stage.write("three")
    with pytest.raises(RefusedError) as caught:
        release(stage, policy(10, 100))
    assert caught.value.code == "TB4081"


@pytest.mark.parametrize(
    ("phase", "late", "code"),
    [
        (Phase.STEP, False, "TB4403"),
        (Phase.CLAIMED, False, "TB4403"),
        (Phase.STEP, True, "TB4405"),
        (Phase.CLAIMED, True, None),
        (Phase.HELD, True, "TB4404"),
        (Phase.PAUSED, False, "TB4404"),
        (Phase.PROMOTED, False, None),
        (Phase.ROLLED_BACK, False, None),
    ],
)
def test_who_may_begin(phase: Phase, late: bool, code: str | None) -> None:
    mark = Mark("a" * 8, phase, 0, (10.0, 100.0), "s", "c", 0, 0, 100, "o", "me@here")
    refuse_running("api", mark, force=True, now=50)
    if code is None:
        refuse_running("api", mark, now=200.0 if late else 50.0)
        return
    with pytest.raises(ConflictError) as caught:
        refuse_running("api", mark, now=200.0 if late else 50.0)
    assert caught.value.code == code


def test_without_a_rollout_nothing_of_it_is_loaded() -> None:
    code = """import sys, trailboss.release.deploy, trailboss.cli.commands.deploy
rooms = ("release.rollout", "release.gates", "release.evidence")
print([name for name in sys.modules if any(room in name for room in rooms)])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
