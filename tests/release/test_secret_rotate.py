"""New values for what is live, with the traffic as it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.release.conftest import Desk
from trailboss.errors import CloudError, ReleaseError, SecretError
from trailboss.release.outcomes import DeployOptions
from trailboss.release.reading import read_deployments
from trailboss.release.secret_rotate import Rotation, _Work, rotate
from trailboss.release.secret_shipping import Shipment
from trailboss.release.secret_status import status
from trailboss.release.upload import upload_version
from trailboss.release.versions import deploy_versions, list_versions
from trailboss.values import Secret

NEW = {"TOKEN": Secret("new")}


def turn(desk: Desk, values: dict[str, Secret] | None = None) -> Rotation:
    return desk.run(lambda cloud: rotate(cloud, "hello", values or NEW))


def split(desk: Desk, *specs: str) -> None:
    """Two versions with secrets of their own, of different code."""
    desk.write(code="\n// one")
    desk.deploy(
        secrets=Shipment({"TOKEN": Secret("old"), "GREETING": Secret("hi")}), message="first", tag="a"
    )
    desk.write(text="two", code="\n// two")
    worker = desk.project().workers[0]
    options = DeployOptions(message="second", secrets=Shipment({"GREETING": Secret("hello")}))
    desk.run(lambda cloud: upload_version(worker, cloud, options))
    desk.run(lambda cloud: deploy_versions(cloud, "hello", specs, force=True, message="canary v1 and v2"))


def shares(desk: Desk) -> list[tuple[str, float]]:
    current = desk.run(lambda cloud: read_deployments(cloud, "hello"))[0]
    return [(share.version_id, share.percentage) for share in current.shares]


def answer(desk: Desk, version_id: str) -> str:
    header = f'hello="{version_id}"'
    return desk.account.worker("hello", headers={"Cloudflare-Workers-Version-Overrides": header}).text


def test_one_version_with_all_traffic_is_one_write(desk: Desk) -> None:
    desk.write()
    desk.deploy(secrets=Shipment({"TOKEN": Secret("old")}))
    done = turn(desk)
    assert [(one.number, one.share) for one in done.versions] == [(2, 100)] and not done.warnings
    assert desk.account.worker("hello").text == "one  new"
    assert [call for call in desk.writes if "tags" not in call] == [
        "PATCH /accounts/{}/workers/scripts/{}/secrets-bulk"
    ]
    assert desk.run(lambda cloud: status(cloud, "hello", NEW)).in_sync


@pytest.mark.parametrize("specs", [("v1@90", "v2@10"), ("v2@0", "v1@100")])
def test_a_split_stays_as_it_is(desk: Desk, specs: tuple[str, ...]) -> None:
    split(desk, *specs)
    before = shares(desk)
    done = turn(desk)
    after = shares(desk)
    assert [percent for _, percent in after] == [percent for _, percent in before]
    assert not {one for one, _ in after} & {one for one, _ in before}
    texts = {one.before: answer(desk, one.after) for one in done.versions}
    order = [texts[version] for version, _ in before]
    assert order == (
        ["one hi new", "two hello new"] if specs[0] == "v1@90" else ["two hello new", "one hi new"]
    )
    found = desk.run(lambda cloud: status(cloud, "hello", NEW | {"GREETING": Secret("hi")}))
    states = {v.version_id: {s.name: str(s.state) for s in v.secrets} for v in found.versions}
    assert {state["TOKEN"] for state in states.values()} == {"matches"}
    assert sorted(state["GREETING"] for state in states.values()) == ["differs", "matches"]


def test_only_the_old_version_has_traffic(desk: Desk) -> None:
    split(desk, "v1")
    turn(desk)
    assert desk.account.worker("hello").text == "one hi new"


def test_successors_say_where_their_code_is_from(desk: Desk) -> None:
    split(desk, "v1@90", "v2@10")
    first = {v.number: v for v in desk.run(lambda cloud: list_versions(cloud, "hello")).versions}
    done = turn(desk)
    later = {v.id: v for v in desk.run(lambda cloud: list_versions(cloud, "hello")).versions}
    for one, number in zip(done.versions, (1, 2), strict=True):
        old, new = first[number], later[one.after]
        assert (new.digest, new.wiring, new.message) == (old.digest, old.wiring, old.message)
    assert later[done.versions[0].after].tag == "a"
    current = desk.run(lambda cloud: read_deployments(cloud, "hello"))[0]
    assert current.message == "canary v1 and v2"


def test_the_state_of_a_rollout_goes_over_with_the_new_ids(desk: Desk) -> None:
    split(desk, "v1@90", "v2@10")
    (stable, _), (canary, _) = shares(desk)
    path = f"{desk.account.account}/workers/scripts/hello/deployments"
    body: dict[str, Any] = {
        "strategy": "percentage",
        "versions": [{"version_id": stable, "percentage": 90}, {"version_id": canary, "percentage": 10}],
        "annotations": {"workers/message": f"Walk [rollout 1 stable={stable} canary={canary}]"},
    }
    desk.account.call("POST", f"{path}?force=true", body)
    done = turn(desk)
    found = desk.account.call("GET", path)["deployments"][0]["annotations"]["workers/message"]
    assert found == f"Walk [rollout 1 stable={done.versions[0].after} canary={done.versions[1].after}]"


def test_a_name_that_is_not_there_is_no_rotation(desk: Desk) -> None:
    desk.write()
    desk.deploy(secrets=Shipment({"TOKEN": Secret("old")}))
    with pytest.raises(SecretError) as caught:
        turn(desk, {"TOKN": Secret("x")})
    assert caught.value.code == "TB7015" and desk.writes == []
    with pytest.raises((ReleaseError, CloudError)):
        desk.run(lambda cloud: rotate(cloud, "nobody", NEW))


def test_assets_of_an_older_version_cannot_be_handed_on(desk: Desk) -> None:
    desk.write(assets={"directory": "public"})
    (desk.folder / "public").mkdir(exist_ok=True)
    (desk.folder / "public" / "page.html").write_text("page")
    desk.deploy(secrets=Shipment({"TOKEN": Secret("old")}))
    turn(desk)
    assert desk.account.worker("hello", "/page.html", follow_redirects=True).text == "page"
    desk.write(text="two", assets={"directory": "public"})
    worker = desk.project().workers[0]
    desk.run(lambda cloud: upload_version(worker, cloud, DeployOptions()))
    desk.run(lambda cloud: deploy_versions(cloud, "hello", ["v2@90", "v3@10"], force=True))
    before = shares(desk)
    with pytest.raises(ReleaseError) as caught:
        turn(desk, {"TOKEN": Secret("newer")})
    assert caught.value.code == "TB4051" and shares(desk) == before


def test_a_successor_without_a_binding_gets_no_traffic(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    split(desk, "v1@90", "v2@10")
    before = shares(desk)
    whole = _Work._bindings

    def wrong(work: _Work, version_id: str, bindings: Any) -> list[dict[str, Any]]:
        """An inheritance that has no heir, which Cloudflare leaves out without a word."""
        return [
            *whole(work, version_id, bindings),
            {"type": "inherit", "name": "GONE", "version_id": version_id},
        ]

    monkeypatch.setattr(_Work, "_bindings", wrong)
    with pytest.raises(ReleaseError, match="GONE") as caught:
        turn(desk)
    assert caught.value.code == "TB4054" and shares(desk) == before


def test_killed_before_the_last_write_nothing_live_has_changed(desk: Desk) -> None:
    split(desk, "v1@90", "v2@10")
    before = shares(desk)
    desk.account.control(
        "PUT",
        "faults",
        [{"effect": "status", "method": "POST", "path": "*/deployments", "status": 400, "times": 1}],
    )
    with pytest.raises(CloudError):
        turn(desk)
    assert shares(desk) == before
    turn(desk)
    assert {answer(desk, version)[-3:] for version, _ in shares(desk)} == {"new"}
