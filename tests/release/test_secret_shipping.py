"""Secrets that ship with a version by themselves, and those that are required and nowhere."""

from __future__ import annotations

import pytest

from tests.release.conftest import Desk
from trailboss.errors import SecretError
from trailboss.release.outcomes import DeployOptions
from trailboss.release.secret import put
from trailboss.release.secret_shipping import Shipment
from trailboss.release.upload import upload_version
from trailboss.values import Secret

REQUIRED = {"secrets": {"required": ["TOKEN", "GREETING"]}}
BOTH = {"TOKEN": Secret("t"), "GREETING": Secret("g"), "STRANGE": Secret("s")}


def names(desk: Desk, script: str = "hello") -> list[str]:
    found = desk.account.call("GET", f"{desk.account.account}/workers/scripts/{script}/secrets")
    return [item["name"] for item in found]


def test_what_is_required_and_nowhere_is_named_at_once_before_the_build(desk: Desk) -> None:
    desk.write(code="\nthis is no code (", **REQUIRED)
    for offered in ({}, {"TOKEN": Secret("t")}):
        with pytest.raises(SecretError) as caught:
            desk.deploy(secrets=Shipment(offered, required=["PROJECT_WIDE"]))
        assert caught.value.code == "TB7014" and desk.writes == []
        absent = [name for name in ("TOKEN", "GREETING", "PROJECT_WIDE") if name not in offered]
        assert f"hello: {', '.join(absent)}" in caught.value.message
    with pytest.raises(SecretError, match="TOKEN, GREETING"):
        desk.deploy(dry_run=True)


def test_what_the_account_has_is_enough(desk: Desk) -> None:
    desk.run(lambda cloud: put(cloud, "hello", "TOKEN", Secret("t")))
    desk.write(vars={"GREETING": "hi"}, secrets={"required": ["TOKEN"]})
    assert desk.deploy().workers[0].outcome == "deployed"
    assert desk.account.worker("hello").text == "one hi t"


def test_a_worker_gets_of_the_file_what_it_requires_and_only_once(desk: Desk) -> None:
    desk.write(**REQUIRED)
    report = desk.deploy(secrets=Shipment(offered=BOTH)).workers[0]
    assert report.secrets == ("GREETING", "TOKEN") and names(desk) == ["GREETING", "TOKEN"]
    assert desk.account.worker("hello").text == "one g t"
    again = desk.deploy(secrets=Shipment(offered=BOTH)).workers[0]
    assert again.outcome == "unchanged" and again.version_number is not None
    changed = desk.deploy(secrets=Shipment(offered={**BOTH, "TOKEN": Secret("new")})).workers[0]
    assert changed.outcome == "deployed" and desk.account.worker("hello").text == "one g new"


def test_without_a_list_the_only_worker_gets_all_and_one_of_several_nothing(desk: Desk) -> None:
    desk.write(vars={"GREETING": "a variable"})
    desk.deploy(secrets=Shipment(offered=BOTH, alone=False))
    assert names(desk) == []
    worker = desk.project().workers[0]
    options = DeployOptions(secrets=Shipment(offered=BOTH))
    desk.run(lambda cloud: upload_version(worker, cloud, options))
    assert names(desk) == ["STRANGE", "TOKEN"]


def test_what_is_given_goes_before_what_is_offered(desk: Desk) -> None:
    desk.write()
    desk.deploy(secrets=Shipment({"TOKEN": Secret("given")}, offered=BOTH))
    assert desk.account.worker("hello").text == "one g given"
