from __future__ import annotations

import json

import pytest

from tests.release.conftest import Desk
from trailboss.errors import RefusedError, ReleaseError, SecretError
from trailboss.release.outcomes import DeployOptions
from trailboss.release.secret import bulk, delete, list_secrets, put
from trailboss.release.upload import upload_version
from trailboss.values import Secret


def names(desk: Desk) -> list[str]:
    return [item.name for item in desk.run(lambda cloud: list_secrets(cloud, "hello")).secrets]


def test_bulk_says_what_happened_to_each_name(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    first = desk.run(lambda cloud: bulk(cloud, "hello", {"TOKEN": Secret("a"), "OTHER": Secret("b")}))
    assert first.added == ("TOKEN", "OTHER") and not first.created_worker
    assert len(desk.writes) == 1
    second = desk.run(
        lambda cloud: bulk(
            cloud, "hello", {"TOKEN": Secret("c"), "NEW": Secret("d"), "OTHER": None, "NEVER": None}
        )
    )
    assert (second.added, second.set, second.removed, second.absent) == (
        ("NEW",),
        ("TOKEN",),
        ("OTHER",),
        ("NEVER",),
    )
    assert names(desk) == ["NEW", "TOKEN"]
    assert desk.account.worker("hello").text.endswith(" c")
    nothing = desk.run(lambda cloud: bulk(cloud, "hello", {"NEVER": None}))
    assert nothing.absent == ("NEVER",) and desk.writes == []
    assert json.loads(desk.wrangler("secret", "list")) == [
        {"name": "NEW", "type": "secret_text"},
        {"name": "TOKEN", "type": "secret_text"},
    ]


def test_put_and_delete(desk: Desk) -> None:
    done = desk.run(lambda cloud: put(cloud, "hello", "TOKEN", Secret("a")))
    assert done.created_worker and done.added == ("TOKEN",)
    assert desk.run(lambda cloud: put(cloud, "hello", "TOKEN", Secret("b"))).set == ("TOKEN",)
    assert desk.run(lambda cloud: delete(cloud, "hello", "TOKEN")).removed == ("TOKEN",)
    assert desk.run(lambda cloud: delete(cloud, "hello", "TOKEN")).absent == ("TOKEN",)
    assert names(desk) == []


def test_a_version_waiting_for_traffic(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    desk.write(text="two")
    worker = desk.project().workers[0]
    report = desk.run(lambda cloud: upload_version(worker, cloud, DeployOptions(alias="review")))
    assert (report.outcome, report.version_number) == ("uploaded", 2)
    with pytest.raises(RefusedError) as caught:
        desk.run(lambda cloud: put(cloud, "hello", "TOKEN", Secret("a")))
    assert caught.value.code == "TB4050"
    done = desk.run(lambda cloud: put(cloud, "hello", "TOKEN", Secret("a"), confirm=lambda _: True))
    assert done.undeployed
    assert desk.account.worker("hello").text == "one  "


def test_no_such_worker(desk: Desk) -> None:
    for verb in (list_secrets, lambda cloud, name: delete(cloud, name, "X")):
        with pytest.raises(ReleaseError) as caught:
            desk.run(lambda cloud, verb=verb: verb(cloud, "nobody"))  # type: ignore[misc]
        assert caught.value.code == "TB4010"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "TB7013"),
        ({f"K{number}": Secret("x") for number in range(101)}, "TB7012"),
        ({"BIG": Secret("x" * 5121)}, "TB7011"),
        ({"": Secret("x")}, "TB7010"),
        ({"A\nB": Secret("x")}, "TB7010"),
    ],
)
def test_refusals_send_nothing(desk: Desk, values: dict[str, Secret | None], code: str) -> None:
    with pytest.raises(SecretError) as caught:
        desk.run(lambda cloud: bulk(cloud, "hello", values))
    assert caught.value.code == code and desk.calls == []
