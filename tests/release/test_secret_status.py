"""What is known of secrets that cannot be read back: kept with versions, compared, never guessed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.release.conftest import Desk
from trailboss.errors import CloudError, ReleaseError
from trailboss.release.outcomes import DeployOptions
from trailboss.release.rollback import rollback
from trailboss.release.secret import bulk, put
from trailboss.release.secret_marks import TAG, Keeping, Kept, newest, remember
from trailboss.release.secret_shipping import Shipment
from trailboss.release.secret_status import SecretStatus, status
from trailboss.release.upload import upload_version
from trailboss.release.versions import deploy_versions
from trailboss.values import Secret

A, B = {"TOKEN": Secret("a")}, {"TOKEN": Secret("b")}


def ask(desk: Desk, values: dict[str, Secret], **more: Any) -> SecretStatus:
    return desk.run(lambda cloud: status(cloud, "hello", values, **more))


def states(found: SecretStatus) -> list[dict[str, str]]:
    return [{one.name: str(one.state) for one in version.secrets} for version in found.versions]


def write(desk: Desk, values: dict[str, Secret | None], keeping: Keeping | None = None) -> Kept:
    """As the command does: write, then remember."""

    async def go(cloud: Any) -> Kept:
        before = await newest(cloud, "hello")
        await bulk(cloud, "hello", values)
        return await remember(cloud, "hello", values, before=before, keeping=keeping or Keeping())

    return desk.run(go)


def test_what_a_command_wrote_is_known_and_stays_known(desk: Desk) -> None:
    assert write(desk, {**A, "OLD": Secret("o")}) == Kept()  # a draft, before the first deploy
    found = ask(desk, {**A, "NEW": Secret("n")}, required=["ELSE", "OLD"])
    assert states(found) == [{"TOKEN": "matches", "OLD": "unknown", "NEW": "missing", "ELSE": "missing"}]
    assert found.in_sync is False
    desk.write()
    desk.deploy()
    found = ask(desk, A)
    assert states(found) == [{"TOKEN": "matches", "OLD": "unlisted"}] and found.in_sync
    assert states(ask(desk, B)) == [{"TOKEN": "differs", "OLD": "unlisted"}]
    assert write(desk, {**B, "OLD": None}) == Kept(other=("TOKEN",))
    assert write(desk, {**B, "NEW": Secret("n")}) == Kept(same=("TOKEN",))
    write(desk, {"NEW": None})
    assert states(ask(desk, B)) == [{"TOKEN": "matches"}]
    desk.run(lambda cloud: rollback(cloud, "hello", "v3", force=True))
    assert states(ask(desk, A)) == [{"TOKEN": "matches", "OLD": "unlisted"}]


def test_each_side_of_a_split_has_its_own(desk: Desk) -> None:
    desk.write()
    desk.deploy(secrets=Shipment(A))
    desk.write(text="two")
    worker = desk.project().workers[0]
    desk.run(lambda cloud: upload_version(worker, cloud, DeployOptions(secrets=Shipment(B))))
    desk.run(lambda cloud: deploy_versions(cloud, "hello", ["v1@90", "v2@10"], force=True))
    found = ask(desk, B)
    assert [(v.number, v.share) for v in found.versions] == [(1, 90), (2, 10)]
    assert states(found) == [{"TOKEN": "differs"}, {"TOKEN": "matches"}] and found.in_sync is False


def test_what_somebody_else_wrote_is_unknown(desk: Desk) -> None:
    desk.write()
    desk.deploy(secrets=Shipment(A))
    desk.run(lambda cloud: put(cloud, "hello", "TOKEN", Secret("a")))
    [version] = ask(desk, A).versions
    assert (version.secrets[0].state, ask(desk, A).in_sync) == ("unknown", None)
    assert "no fingerprints (secret change by" in version.secrets[0].why


def test_without_fingerprints_or_with_another_key_it_is_unknown(desk: Desk) -> None:
    desk.write()
    key = Secret("key")
    desk.deploy(secrets=Shipment(A, keeping=Keeping(key=key)))
    assert states(ask(desk, A, key=key)) == [{"TOKEN": "matches"}]
    [version] = ask(desk, A).versions
    assert (
        version.secrets[0].state == "unknown"
        and "another [secrets] fingerprint_key" in version.secrets[0].why
    )
    assert write(desk, dict(B), Keeping(on=False)) == Kept()
    assert states(ask(desk, B)) == [{"TOKEN": "unknown"}]


def test_a_token_that_may_not_tag_loses_no_release(desk: Desk) -> None:
    fault = {"effect": "status", "path": "*/tags", "status": 403, "code": 10000}
    desk.write()
    desk.account.control("PUT", "faults", [fault])
    report = desk.deploy(secrets=Shipment(A)).workers[0]
    assert report.outcome == "deployed" and "fingerprints could not be kept" in " ".join(report.warnings)
    assert "fingerprints could not be kept" in str(write(desk, dict(B)).warning)
    [version] = ask(desk, B).versions
    assert version.secrets[0].state == "unknown" and "tags cannot be read" in version.secrets[0].why


def test_tags_of_others_stay_and_no_value_is_in_ours(desk: Desk) -> None:
    many = {f"A_RATHER_LONG_NAME_FOR_NUMBER_{number}": Secret(f"canary-{number}") for number in range(70)}
    write(desk, dict(many))
    assert states(ask(desk, many)) == [dict.fromkeys(many, "matches")]
    found = desk.account.call("GET", f"{desk.account.account}/tags/resources?type=worker_version")
    [tagged] = found
    assert sorted(tagged["tags"]) == [TAG, f"{TAG}.2", f"{TAG}.3"]
    assert "canary" not in str(found)


def test_no_such_worker_and_nothing_deployed(desk: Desk) -> None:
    with pytest.raises((ReleaseError, CloudError)) as caught:
        ask(desk, A)
    assert getattr(caught.value, "code", "") == "TB4010"
