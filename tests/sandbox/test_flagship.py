"""Flagship: what a flag may be, its log, and who gets which variation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.sandbox.client import run
from trailboss.sandbox.products.flag_evaluation import bucket, evaluate, holds, murmur3, text

ACCOUNT = "0123456789abcdef0123456789abcdef"
FLAG: dict[str, Any] = {
    "key": "dark",
    "enabled": True,
    "default_variation": "off",
    "variations": {"on": True, "off": False},
    "rules": [],
}


def rule(
    priority: int = 1, share: float | None = None, *conditions: Any, serve: str = "on"
) -> dict[str, Any]:
    made: dict[str, Any] = {"priority": priority, "conditions": list(conditions), "serve_variation": serve}
    return made if share is None else {**made, "rollout": {"percentage": share}}


def when(attribute: str, operator: str, value: Any) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


def test_the_hash_is_the_published_one() -> None:
    assert murmur3(b"hello", 0) == 613153351
    assert murmur3(f"{ACCOUNT}:checkout".encode(), 0) % 100 == 85
    assert murmur3(b"user-1", 85) == 888538338 and murmur3(b"user-2", 85) == 3149451608
    assert bucket(f"{ACCOUNT}:checkout", "user-1") == pytest.approx(38.206878944107444)
    assert bucket(f"{ACCOUNT}:checkout", "user-2") == pytest.approx(8.73328884250178)
    assert bucket(f"{ACCOUNT}:new-ui", "user-1") == pytest.approx(75.2804829736422)


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (when("plan", "equals", "pro"), True),
        (when("plan", "equals", "PRO"), False),
        (when("absent", "not_equals", "pro"), False),
        (when("nothing", "not_equals", "pro"), True),
        (when("nothing", "in", ["pro"]), False),
        (when("nothing", "not_in", ["pro"]), True),
        (when("age", "greater_than", "9"), True),
        (when("age", "less_than_or_equals", 41), False),
        (when("blank", "less_than", 1), False),
        (when("born", "less_than", "2000-01-01T00:00:00Z"), True),
        (when("user.id", "starts_with", "u-"), True),
        (when("user", "equals", "x"), False),
        (when("roles", "has", "admin"), True),
        (when("roles", "not_has", "admin"), False),
        (when("plan", "has", "pro"), False),
        (when("whole", "equals", "1"), True),
        (when("yes", "in", ["true"]), True),
        (
            {"logical_operator": "OR", "clauses": [when("plan", "equals", "x"), when("age", "equals", 42)]},
            True,
        ),
        (
            {"logical_operator": "AND", "clauses": [when("plan", "equals", "x"), when("age", "equals", 42)]},
            False,
        ),
    ],
)
def test_conditions(condition: dict[str, Any], wanted: bool) -> None:
    context = {
        "plan": "pro",
        "age": 42,
        "nothing": None,
        "blank": " ",
        "born": "1999-12-31T23:00:00Z",
        "user": {"id": "u-1"},
        "roles": ["admin", None],
        "whole": 1.0,
        "yes": True,
    }
    assert holds(condition, context) is wanted


def test_rules_in_order_and_shares() -> None:
    shares = {**FLAG, "key": "checkout", "rules": [rule(2, 100, serve="off"), rule(1, 30)]}
    assert evaluate(shares, {"targetingKey": "user-2"}, ACCOUNT) == (True, "on", "SPLIT")
    assert evaluate(shares, {"targetingKey": "user-1"}, ACCOUNT) == (False, "off", "TARGETING_MATCH")
    assert evaluate(shares, {"targetingKey": ["x"]}, ACCOUNT).reason == "DEFAULT"
    assert evaluate({**shares, "rules": [rule(1, 0)]}, {}, ACCOUNT).reason == "DEFAULT"
    assert evaluate(FLAG, {}, ACCOUNT).reason == "STATIC"
    assert evaluate({**shares, "enabled": False}, {}, ACCOUNT).reason == "DISABLED"
    assert (text(True), text(1.5), text(None)) == ("true", "1.5", "null")


@pytest.fixture
def flags(account: Sandbox) -> str:
    apps = f"{account.account}/flagship/apps"
    return f"{apps}/{account.call('POST', apps, {'name': 'shop'})['id']}/flags"


@pytest.mark.parametrize(
    "change",
    [
        {"key": "no spaces"},
        {"default_variation": "neither"},
        {"variations": {"on": True, "off": "no"}},
        {"variations": {}},
        {"rules": [rule(serve="neither")]},
        {"rules": [rule(1), rule(1)]},
        {"rules": [rule(0)]},
        {"rules": [rule(1), rule(2, 10)]},
        {"rules": [rule(1, 100.5)]},
        {"rules": [rule(1, 33.333)]},
        {"rules": [rule(1, None, when("a", "in", "no list"))]},
        {"rules": [rule(1, None, {"logical_operator": "AND", "clauses": []})]},
        {"metadata": {str(number): 1 for number in range(40)}},
    ],
)
def test_flags_that_are_refused(account: Sandbox, flags: str, change: dict[str, Any]) -> None:
    assert account.call("POST", flags, {**FLAG, **change}, expect=400)["code"] == 10400


def test_a_put_replaces_all_and_the_log_has_it(account: Sandbox, flags: str) -> None:
    account.call("POST", flags, {**FLAG, "description": "d", "metadata": {"team": "a"}})
    assert account.call("POST", flags, FLAG, expect=409)["code"] == 10409
    changed = account.call("PUT", f"{flags}/dark", {**FLAG, "enabled": False})
    assert "metadata" not in changed and "description" not in changed
    assert account.call("PUT", f"{flags}/dark", {**FLAG, "key": "light"}, expect=400)["code"] == 10400
    account.call("DELETE", f"{flags}/dark")
    log = account.call("GET", f"{flags}/dark/changelog")
    assert [one["event"] for one in log] == ["delete", "update", "create"]
    assert log[1]["diff"]["enabled"] == {"from": True, "to": False}


def test_cursors_are_flat(account: Sandbox, flags: str) -> None:
    for number in range(3):
        account.call("POST", flags, {**FLAG, "key": f"f{number}"})
    url, seen, cursor = account.connection.api_url + flags, [], ""
    while cursor is not None:
        page = account.http.get(url, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [one["key"] for one in page["result"]]
        cursor = page["result_info"]["cursor"]
    assert seen == ["f0", "f1", "f2"]


def test_real_wrangler_rolls_a_flag_out(account: Sandbox, flags: str, tmp_path: Path) -> None:
    app = flags.split("/")[-2]
    account.call("POST", flags, FLAG)
    command = ("flagship", "flags", "rollout", app, "dark", "--to", "on", "--percentage", "25")
    run(account, tmp_path, *command)
    shown = account.call("GET", f"{flags}/dark")
    assert [one["rollout"]["percentage"] for one in shown["rules"]] == [25]
    told = run(account, tmp_path, "flagship", "flags", "evaluate", app, "dark", "--json")
    assert '"dark"' in told
