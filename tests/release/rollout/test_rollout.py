"""Rollouts against the real runtime under real traffic: promoted, rolled back, held, refused."""

from __future__ import annotations

from tests.release.rollout.conftest import Stage, policy
from trailboss.release.outcomes import Outcome
from trailboss.release.reading import read_deployments


def test_a_good_version_is_promoted(stage: Stage) -> None:
    stage.live()
    stage.write("two")
    report, seen = stage.released(policy(20, 50, 100), message="Better")
    done = report.rollout
    assert done is not None and (done.result, report.workers[0].outcome) == ("promoted", Outcome.DEPLOYED), (
        done
    )
    assert report.exit_status == 0 and done.moves == (
        "0 %, being probed",
        "20 % (step 1 of 3)",
        "50 % (step 2 of 3)",
    )
    assert seen["one"] and seen["two"] and not seen["failed"]
    found = stage.desk.run(lambda cloud: read_deployments(cloud, "hello"))
    assert found[0].mark is not None and found[0].mark.phase.value == "promoted"
    assert found[0].message == "Better · 100 %, all gates passed"
    assert len(found[0].shares) == 1 and found[0].whole == report.workers[0].version_id
    assert stage.desk.account.worker("hello").text == "two"


def test_a_broken_version_is_rolled_back(stage: Stage) -> None:
    stage.live()
    stage.write("two", vars={"FAILING": "1"})
    report, seen = stage.released(policy(10, 50, 100))
    done = report.rollout
    assert done is not None and (done.result, done.gate) == ("rolled-back", "hello/errors"), done
    assert report.exit_status == 4 and done.healthy is True
    assert stage.desk.account.worker("hello").text == "one"
    (worker,) = done.picture.workers if done.picture else ()
    assert 0 < worker.failed <= seen["failed"] and worker.users >= 1
    found = stage.desk.run(lambda cloud: read_deployments(cloud, "hello"))
    assert {share.percentage for item in found[1:-1] for share in item.shares} <= {0, 10, 90, 100}
    assert "rolled back: hello/errors: E =" in (found[0].message or "")
