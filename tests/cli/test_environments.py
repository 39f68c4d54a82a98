"""Environments from the first line of step 1 to their end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss, example
from tests.cli.test_json_output import check
from tests.conftest import Sandbox


@pytest.fixture
def agency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of examples/agency before it had environments."""
    folder = example("agency", tmp_path, monkeypatch)
    (folder / "trailboss.toml").unlink()
    return folder


def test_three_environments_and_their_secrets(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    for name in ("development", "staging", "production"):
        assert trailboss("environments", "create", name).status == 0
        (agency / f".env.{name}").write_text(f"API_KEY=key-of-{name}\nONLY_{name.upper()}='a b'\n")
    for name in ("development", "staging", "production"):
        done = trailboss("secret", "bulk", "--env", name, f".env.{name}", "--json").json
        assert (done["worker"], done["created_worker"]) == (f"agency-{name}", True)
        assert done["added"] == ["API_KEY", f"ONLY_{name.upper()}"]
    for name in ("development", "staging", "production"):
        kept = target.call("GET", f"{target.account}/workers/scripts/agency-{name}/secrets")
        assert [item["name"] for item in kept] == ["API_KEY", f"ONLY_{name.upper()}"]
    again = trailboss("secret", "bulk", "--env", "staging", ".env.staging")
    assert "API_KEY" in again.out
    assert "key-of" not in again.out + again.err


def test_create_again_and_list(trailboss: Trailboss, agency: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trailboss("environments", "create", "staging", "--branch", "develop", "--protected")
    assert made.out == "✓ Environment staging is in trailboss.toml\n"
    again = trailboss("environment", "create", "staging", "--json").json
    check("trailboss environments create", again, set())
    assert (again["created"], again["files"]) == (False, [])
    assert "already there" in trailboss("environments", "create", "staging").out
    monkeypatch.setenv("TRAILBOSS_ENV", "qa")  # the one that is about to be made may be chosen already
    assert trailboss("environments", "create", "qa", "--from", "staging", "--target", "sandbox").status == 0
    listed = trailboss("environments", "list", "--json").json
    check("trailboss environments list", listed[0], set())
    assert [(item["name"], item["active"], item["target"]) for item in listed] == [
        ("staging", False, None),
        ("qa", True, "sandbox"),
    ]
    assert "agency-qa" in trailboss("environments", "list").out


def test_show_and_diff(trailboss: Trailboss, agency: Path) -> None:
    for name in ("staging", "production"):
        trailboss("environments", "create", name)
    shown = trailboss("environments", "show", "staging", "--json").json
    check("trailboss environments show", shown, set())
    check("trailboss environments show: workers", shown["workers"][0], set())
    assert "agency-ai-sessions-staging" in trailboss("environments", "show", "staging").out
    same = trailboss("environments", "diff", "staging", "production", "--json").json
    check("trailboss environments diff", same, set())
    assert same["same"] is True
    with (agency / "trailboss.toml").open("a") as file:
        file.write("protected = true\n")
    other = trailboss("environments", "diff", "staging", "production", "--exit-code")
    assert (other.status, "protected" in other.out) == (3, True)
    assert "agency-ai-sessions" not in other.out
    assert "agency-ai-sessions" in trailboss("environments", "diff", "staging", "production", "--all").out


def test_an_environment_with_workers_is_not_removed(
    trailboss: Trailboss, target: Sandbox, agency: Path
) -> None:
    trailboss("environments", "create", "qa", "--protected")
    assert trailboss("environments", "delete", "qa", "--json").error["code"] == "TB9043"
    trailboss("secret", "put", "A", "--env", "qa", stdin="x")
    refused = trailboss("environments", "delete", "qa", "--force")
    assert (refused.status, "agency-qa" in refused.err) == (6, True)
    assert "--keep-resources" in refused.err
    trailboss("delete", "--env", "qa", "--force")
    done = trailboss("environments", "delete", "qa", "--force", "--json").json
    check("trailboss environments delete", done)
    assert (done["deleted"], done["resources_deleted"]) == (True, False)
    gone = trailboss("environments", "delete", "qa", "--json").json
    assert gone["deleted"] is False
    assert trailboss("deploy", "--env", "qa", "--dry-run", "--json").error["code"] == "TB1102"


def test_without_an_account_to_ask(trailboss: Trailboss, agency: Path) -> None:
    trailboss("environments", "create", "qa")
    assert trailboss("environments", "delete", "qa", "--json").error["code"] == "TB9045"
    assert trailboss("environments", "delete", "qa", "--keep-resources").status == 0


def test_what_is_no_command(trailboss: Trailboss, agency: Path) -> None:
    assert (
        trailboss("environments", "crate", "--json")
        .error["hint"]
        .startswith("Did you mean environments create?")
    )
    assert trailboss("environments", "create", "Bad", "--json").error["code"] == "TB1401"
    assert trailboss("environments", "create", "qa", "--target", "sandbx", "--json").error["code"] == "TB9042"
