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
    assert "delete --env qa --with-resources" in trailboss("delete", "--env", "qa", "--force").err
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


@pytest.fixture
def shop(tmp_path: Path, target: Sandbox) -> Path:
    """A project with two environments that want a namespace, a queue and a database."""
    (tmp_path / "wrangler.jsonc").write_text(
        '{"name": "shop", "main": "x.js", "compatibility_date": "2026-11-01",'
        ' "kv_namespaces": [{"binding": "CACHE"}]}'
    )
    (tmp_path / "x.js").write_text("export default {}")
    (tmp_path / "trailboss.toml").write_text(
        'name = "shop"\n[environments.qa]\n[environments.production]\nprotected = true\n'
        "[resources.queue.jobs]\n[resources.d1_database.orders]\n"
        "[environments.production.resources.queue.mail]\n"
    )
    return tmp_path


def left(target: Sandbox) -> dict[str, list[str]]:
    """What the account has, by its names; the account's own tags among it."""
    account = target.account
    tags = target.call("GET", f"{account}/tags?resource_type=account&resource_id={account.split('/')[-1]}")
    return {
        "queues": [one["queue_name"] for one in target.call("GET", f"{account}/queues")],
        "databases": [one["name"] for one in target.call("GET", f"{account}/d1/database")],
        "namespaces": [one["title"] for one in target.call("GET", f"{account}/storage/kv/namespaces")],
        "workers": [one["id"] for one in target.call("GET", f"{account}/workers/scripts")],
        "tags": [name for name in tags["tags"] if name.startswith("trailboss.")],
    }


NOTHING: dict[str, list[str]] = {
    "queues": [],
    "databases": [],
    "namespaces": [],
    "workers": [],
    "tags": [],
}


def test_delete_with_resources(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    assert trailboss("apply", "--env", "qa").status == 0
    trailboss("secret", "put", "A", "--env", "qa", stdin="x")
    target.call("POST", f"{target.account}/queues", {"queue_name": "theirs"})
    text = (shop / "trailboss.toml").read_text()
    words = ("environments", "delete", "qa", "--with-resources", "--json")
    refused = trailboss(*words)
    assert (refused.status, refused.error["code"]) == (6, "TB6201")
    assert "shop-qa" in left(target)["workers"]
    assert (shop / "trailboss.toml").read_text() == text
    done = trailboss(*words, "--confirm")
    assert done.status == 0, done
    check("trailboss environments delete", done.json)
    assert (done.json["resources_deleted"], done.json["workers"]) == (True, ["shop-qa"])
    assert {one["kind"] for one in done.json["resources"]} == {"queue", "d1_database", "kv_namespace"}
    assert left(target) == {**NOTHING, "queues": ["theirs"]}
    assert "qa" not in (shop / "trailboss.toml").read_text()


def test_delete_with_resources_of_a_protected_one(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    trailboss("apply", "--env", "production")
    words = ("environments", "delete", "production", "--with-resources", "--json")
    for more, code in (
        ((), "TB9043"),
        (("--force",), "TB6201"),
        (("--force", "--yes"), "TB6201"),
        (("--keep-resources",), "TB9068"),
    ):
        assert trailboss(*words, *more).error["code"] == code
    assert len(left(target)["queues"]) == 2
    assert trailboss(*words, "--force", "--confirm").status == 0
    assert left(target) == NOTHING


def test_what_was_adopted_stays(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    target.call("POST", f"{target.account}/queues", {"queue_name": "jobs-qa"})
    trailboss("apply", "--env", "qa")
    assert trailboss("environments", "delete", "qa", "--with-resources", "--confirm").status == 0
    assert left(target) == {**NOTHING, "queues": ["jobs-qa"]}
    assert target.call("GET", f"{target.account}/tags/resources?tag=trailboss.project") == []


def test_reap(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    for name, when in (("old", "2020-01-01T00:00:00Z"), ("new", "3d"), ("lost", "2020-01-01T00:00:00Z")):
        assert trailboss("environments", "create", name, "--expires", when).status == 0
        assert trailboss("apply", "--env", name).status == 0
    assert 'expires = "2020-01-01T00:00:00+00:00"' in (shop / "trailboss.toml").read_text()
    trailboss("secret", "put", "A", "--env", "lost", stdin="x")
    trailboss("environments", "delete", "lost", "--keep-resources")  # as another branch would have it
    dry = trailboss("environments", "reap", "--dry-run", "--json").json
    check("trailboss environments reap", dry, {"target", "account_id", "environment"})
    assert [one["name"] for one in dry["due"]] == ["old", "lost"]
    done = trailboss("environments", "reap", "--json")
    assert done.status == 0, done
    assert [(one["name"], one["workers"]) for one in done.json["reaped"]] == [
        ("old", []),
        ("lost", ["shop-lost"]),
    ]
    found = left(target)
    assert found["queues"] == ["jobs-new"]
    assert found["workers"] == []
    assert [name.split("/")[-1] for name in found["tags"] if "expires" in name] == ["new"]
    text = (shop / "trailboss.toml").read_text()
    assert "[environments.old" not in text
    assert "[environments.new" in text
    assert "No environment has expired" in trailboss("environments", "reap").out
    wrong = trailboss("environments", "create", "x", "--expires", "soon", "--json")
    assert (wrong.status, wrong.error["code"]) == (2, "TB9069")


def test_diff_of_resources_and_of_what_is_live(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    found = trailboss("environments", "diff", "qa", "production", "--json").json["differences"]
    real = {one["key"]: (one["a"], one["b"]) for one in found if not one["expected"]}
    assert real["resources.queue.mail"] == (None, {"name": "mail-production"})
    assert "resources.queue.jobs.name" in {one["key"] for one in found if one["expected"]}
    trailboss("secret", "put", "A", "--env", "qa", stdin="x")
    live = trailboss("environments", "diff", "qa", "production", "--live", "--json").json["differences"]
    assert [(one["a"], one["b"]) for one in live if one["key"] == "secrets"] == [(["A"], [])]
