"""`trailboss tunnel …`: what a person and what a program is told."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.conftest import Sandbox

HOST = "app.example.com"


def test_a_tunnels_life(trailboss: Trailboss, target: Sandbox) -> None:
    made = trailboss("tunnel", "create", "one", "--json")
    assert (made.status, made.json["created"], made.json["status"]) == (0, True, "inactive")
    check("trailboss tunnel create", made.json)
    assert trailboss("tunnel", "create", "one", "--json").json["created"] is False
    routed = trailboss("tunnel", "route", "one", HOST, "--service", "http://localhost:1", "--json")
    assert routed.json["changed"] is True
    check("trailboss tunnel route", routed.json)
    listed = trailboss("tunnel", "list", "--json").json
    assert [(one["name"], one["id"]) for one in listed] == [("one", made.json["id"])]
    assert set(listed[0]) == set(made.json) - {"created", "target", "account_id", "environment"}
    shown = trailboss("tunnel", "info", "one", "--json")
    check("trailboss tunnel info", shown.json)
    assert shown.json["rules"] == [{"hostname": HOST, "path": None, "service": "http://localhost:1"}]
    deleted = trailboss("tunnel", "delete", "one", "--yes", "--json")
    check("trailboss tunnel delete", deleted.json)
    assert trailboss("tunnel", "info", "one").status == 1


def test_people_see_tables_and_sentences(trailboss: Trailboss, target: Sandbox) -> None:
    assert "No tunnels." in trailboss("tunnel", "list").out
    assert "Tunnel one made" in trailboss("tunnel", "create", "one").out
    assert "is already there" in trailboss("tunnel", "create", "one").out
    assert "No host name leads to it." in trailboss("tunnel", "info", "one").out
    assert f"{HOST}.localhost" in trailboss("tunnel", "route", "dns", "one", HOST).out
    assert "already" in trailboss("tunnel", "route", "one", HOST).out
    trailboss("tunnel", "route", "one", HOST, "--service", "ssh://localhost:22")
    assert "ssh://localhost:22" in trailboss("tunnel", "info", "one").out
    assert "inactive" in trailboss("tunnel", "list").out
    assert "no longer leads to one" in trailboss("tunnel", "route", "one", HOST, "--delete").out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("route", "one"), "TB9005"),
        (("route", "none", HOST), "TB2311"),
        (("info", "none"), "TB2311"),
        (("delete", "none", "--yes"), "TB2311"),
        (("route", "none", "app.nowhere.test"), "TB2312"),
        (("create", "00000000-0000-0000-0000-000000000000"), "TB2311"),
    ],
)
def test_mistakes(trailboss: Trailboss, target: Sandbox, words: tuple[str, ...], code: str) -> None:
    assert trailboss("tunnel", *words, "--json").error["code"] == code


def test_a_message_does_not_change_somebodys_name(trailboss: Trailboss, target: Sandbox) -> None:
    trailboss("tunnel", "create", "one")
    assert "✗ app.nowhere.test is in no zone" in trailboss("tunnel", "route", "one", "app.nowhere.test").err
    assert "✗ There is no tunnel 'two'" in trailboss("tunnel", "info", "two").err
