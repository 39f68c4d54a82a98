"""`hyperdrive create`, `mtls enable`, `analytics create`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss, example
from tests.cli.test_json_output import check
from tests.conftest import Sandbox

CANARY = "c4nary-password"
URL = f"postgres://app:{CANARY}@db.example.com:5432/orders"


@pytest.fixture
def agency(tmp_path: Path, target: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of examples/agency and an empty account."""
    return example("agency", tmp_path, monkeypatch)


def all_text(folder: Path) -> str:
    """Everything in the project's folder."""
    return "".join(path.read_text() for path in sorted(folder.rglob("*")) if path.is_file())


def test_analytics(trailboss: Trailboss, agency: Path) -> None:
    words = ("analytics", "create", "ai-platform", "--dataset", "ai-usage", "--env", "production", "--json")
    made = trailboss(*words)
    assert made.status == 0, made
    check("trailboss analytics create", made.json)
    assert (made.json["binding"], made.json["files"]) == ("AI_PLATFORM", ["wrangler.jsonc"])
    text = all_text(agency)
    assert trailboss(*words).json["files"] == []
    assert all_text(agency) == text


@pytest.mark.parametrize("given", [URL, "${ORDERS_URL}"])
def test_hyperdrive_never_writes_the_password(
    trailboss: Trailboss, target: Sandbox, agency: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("ORDERS_URL", URL)
    monkeypatch.setenv("ORDERS_PASSWORD", CANARY)
    words = ("hyperdrive", "create", "orders", "--connection-string", given, "--env", "production")
    made = trailboss(*words, "--json")
    assert made.status == 0, made
    check("trailboss d1 create", made.json)
    shown = trailboss("plan", "--env", "production")
    assert CANARY not in all_text(agency) + made.out + made.err + shown.out + shown.err
    [config] = target.call("GET", f"{target.account}/hyperdrive/configs")
    assert (config["name"], config["origin"]["host"]) == ("orders", "db.example.com")
    again = trailboss(*words, "--json").json
    assert (again["action"], again["id"]) == ("none", made.json["id"])


def test_a_connection_string_that_is_none(trailboss: Trailboss, agency: Path) -> None:
    text = all_text(agency)
    words = ("hyperdrive", "create", "orders", "--env", "production", "--json")
    wrong = trailboss(*words, "--connection-string", f"redis://x:{CANARY}@h/1")
    assert (wrong.status, wrong.error["code"]) == (2, "TB9064")
    assert CANARY not in wrong.out + wrong.err
    nobody = trailboss(*words, "--connection-string", "${NOBODY_SET_THIS}")
    assert nobody.status != 0 and nobody.error["code"].startswith("TB7")
    assert all_text(agency) == text


def test_mtls(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    words = ("mTls", "enable", "--certificate", "partner", "--env", "production", "--json")
    text = all_text(agency)
    none = trailboss(*words)
    assert (none.status, none.error["code"]) == (1, "TB6116")
    assert all_text(agency) == text
