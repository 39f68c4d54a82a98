"""The commands that create one resource: the smallest edit of the files, then that one in the account."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss, example
from tests.cli.test_json_output import check
from tests.conftest import Sandbox
from trailboss.cli.commands import resources as commands
from trailboss.cli.main import main


@pytest.fixture
def agency(tmp_path: Path, target: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of examples/agency and an empty account."""
    return example("agency", tmp_path, monkeypatch)


@pytest.fixture
def plain(tmp_path: Path, target: Sandbox) -> Path:
    """A project of wrangler's alone, with an environment block of its own."""
    (tmp_path / "wrangler.toml").write_text(TOML)
    (tmp_path / "index.js").write_text("export default {}")
    return tmp_path


TOML = """# the shop
name = "shop"
main = "index.js" # the entry
compatibility_date = "2026-11-01"

[env.staging] # for the testers
vars = { A = "1" }
"""
CREATED = {
    "d1_database": ("d1", "create", "extra", "--location", "weur"),
    "kv_namespace": ("kv", "namespace", "create", "extra"),
    "r2_bucket": ("r2", "bucket", "create", "extra", "--storage-class", "InfrequentAccess"),
    "queue": ("queues", "create", "extra", "--delivery-delay-secs", "7"),
    "vectorize_index": ("vectorize", "create", "extra", "--dimensions", "8"),
}


def texts(folder: Path) -> dict[str, bytes]:
    """Every file of the project's own, as it is."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def names(target: Sandbox, kind: str) -> list[str]:
    """What the account has of a kind."""
    places = {
        "d1_database": ("d1/database", "name"),
        "kv_namespace": ("storage/kv/namespaces", "title"),
        "queue": ("queues", "queue_name"),
        "vectorize_index": ("vectorize/v2/indexes", "name"),
        "r2_bucket": ("r2/buckets", "name"),
    }
    path, field = places[kind]
    found = target.call("GET", f"{target.account}/{path}")
    return [one[field] for one in (found["buckets"] if kind == "r2_bucket" else found)]


@pytest.mark.parametrize("kind", CREATED)
def test_made_once_and_then_there(trailboss: Trailboss, target: Sandbox, agency: Path, kind: str) -> None:
    before = texts(agency)
    made = trailboss(*CREATED[kind], "--env", "staging", "--json")
    assert made.status == 0, made
    check("trailboss d1 create", made.json)
    told = {key: made.json[key] for key in ("kind", "key", "name", "action", "binding")}
    assert told == {
        "kind": kind,
        "key": "extra",
        "name": "extra-staging",
        "action": "create",
        "binding": "EXTRA",
    }
    assert names(target, kind) == ["extra-staging"]
    after = texts(agency)
    for name in before:  # at most one line was touched, where a list or an object goes on
        lines = [before[name].decode().splitlines(), after[name].decode().splitlines()]
        assert sum(line.startswith("- ") for line in difflib.ndiff(*lines)) <= 1
    again = trailboss(*CREATED[kind], "--env", "staging", "--json").json
    assert (again["action"], again["files"], again["id"]) == ("none", [], made.json["id"])
    assert texts(agency) == after
    assert names(target, kind) == ["extra-staging"]


def test_a_binding_that_is_there_is_used(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    before = texts(agency)
    made = trailboss("kv:namespace", "create", "agency-cache", "--env", "development", "--json").json
    assert (made["binding"], made["files"], made["name"]) == ("CACHE", [], "agency-cache-development")
    assert texts(agency) == before
    [tagged] = target.call("GET", f"{target.account}/tags/resources?tag=trailboss.project%3Dagency")
    assert tagged["name"] == "agency-cache-development"


def test_a_namespace_under_another_binding(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    words = ("kv", "namespace", "create", "seen-pages", "--binding", "SEEN", "--env", "staging", "--json")
    made = trailboss(*words).json
    assert (made["name"], made["binding"], made["key"]) == ("seen-pages-staging", "SEEN", "seen")
    again = trailboss(*words).json
    assert (again["action"], again["files"], again["binding"]) == ("none", [], "SEEN")
    assert names(target, "kv_namespace") == ["seen-pages-staging"]


def test_what_cloudflare_refuses_leaves_the_files(
    trailboss: Trailboss, target: Sandbox, agency: Path
) -> None:
    fault = {"effect": "status", "status": 400, "method": "POST", "path": "*/queues", "times": 1}
    target.control("PUT", "faults", [fault])
    before = texts(agency)
    refused = trailboss(*CREATED["queue"], "--env", "staging", "--json")
    assert refused.status == 1, refused
    assert texts(agency) == before


def test_wrangler_alone_without_an_environment(trailboss: Trailboss, target: Sandbox, plain: Path) -> None:
    made = trailboss("queues", "create", "mail", "--env", "", "--json").json
    assert (made["name"], made["files"]) == ("mail", ["wrangler.toml"])
    assert not (plain / "trailboss.toml").exists()
    text = (plain / "wrangler.toml").read_text()
    assert "# the shop" in text
    assert "# the entry" in text
    assert trailboss("plan", "--env", "", "--exit-code").status == 0


def test_an_env_block_of_wrangler_gets_the_binding(
    trailboss: Trailboss, target: Sandbox, plain: Path
) -> None:
    made = trailboss("d1", "create", "orders", "--env", "staging", "--json").json
    assert (made["name"], made["binding"]) == ("orders-staging", "ORDERS")
    text = (plain / "wrangler.toml").read_text()
    assert text.startswith(TOML.split("\n\n", maxsplit=1)[0])
    assert "# for the testers" in text
    assert "env.staging.d1_databases" in text
    assert trailboss("plan", "--env", "staging", "--exit-code").status == 0
    assert trailboss("plan", "--env", "", "--json").json["empty"] is True


def test_what_a_binding_cannot_say_makes_the_file(trailboss: Trailboss, target: Sandbox, plain: Path) -> None:
    made = trailboss("d1", "create", "orders", "--location", "weur", "--env", "staging", "--json").json
    assert made["files"] == ["trailboss.toml", "wrangler.toml"]
    text = (plain / "trailboss.toml").read_text()
    assert "inherit_bindings = false" in text
    assert "as until now" in text
    assert trailboss("plan", "--env", "staging", "--exit-code").status == 0


def test_a_foreign_thing_of_that_name_leaves_the_files(
    trailboss: Trailboss, target: Sandbox, agency: Path
) -> None:
    body = {"queue_name": "extra-staging", "settings": {"delivery_delay": 1}}
    target.call("POST", f"{target.account}/queues", body)
    before = texts(agency)
    refused = trailboss(*CREATED["queue"], "--env", "staging", "--json")
    assert (refused.status, refused.error["code"]) == (5, "TB6505")
    assert texts(agency) == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("kv", "namespace", "create", "x" * 600), "TB1230"),
        (("r2", "bucket", "create", "Not_A_Bucket"), "TB1230"),
        (("vectorize", "create", "extra"), "TB6108"),
        (("kv", "namespace", "create", "extra", "--binding", "CACHE"), "TB1311"),
        (("queues", "create", "extra", "--delivery-delay-secs", "999999999"), "TB1230"),
    ],
)
def test_what_is_refused_leaves_the_files(
    trailboss: Trailboss, agency: Path, words: tuple[str, ...], code: str
) -> None:
    before = texts(agency)
    refused = trailboss(*words, "--env", "staging", "--json")
    assert (refused.status != 0, refused.error["code"]) == (True, code)
    assert texts(agency) == before


def test_stopped_between_the_file_and_the_account(
    trailboss: Trailboss, target: Sandbox, agency: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("trailboss.cli.editing.carry_out", stop)
        assert trailboss(*CREATED["queue"], "--env", "staging").status == 130
    assert names(target, "queue") == []
    [one] = [
        change
        for change in trailboss("plan", "--env", "staging", "--json").json["changes"]
        if change["name"] == "extra-staging"
    ]
    assert one["action"] == "create"
    assert trailboss(*CREATED["queue"], "--env", "staging", "--json").json["files"] == []
    assert names(target, "queue") == ["extra-staging"]


@pytest.mark.parametrize(
    "words",
    [
        ("d1", "create", "x", "--use-remote"),
        ("kv", "namespace", "create", "x", "--preview"),
        ("r2", "bucket", "create", "x", "--update-config"),
        ("vectorize", "create", "x", "--deprecated-v1"),
    ],
)
def test_an_option_of_wranglers_takes_the_line_there(
    agency: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    told: list[str] = []

    def over(line: object, notice: str = "") -> int:
        told.append(notice)
        return 0

    monkeypatch.setattr("trailboss.cli.passthrough.hand_over", over)
    assert main([*words, "--env", "staging"]) == 0
    assert f"{words[-1]} is not an option of ours" in told[0]


def test_outside_a_project_wrangler_creates_it(
    trailboss: Trailboss, target: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def over(line: object, notice: str = "") -> int:
        told.append(notice)
        return 0

    monkeypatch.setattr("trailboss.cli.passthrough.hand_over", over)
    assert trailboss("d1", "create", "loose").status == 0
    assert told == ["there is no project here to write it into"]


def test_options_of_wranglers_that_are_ours_too() -> None:
    spelled = {
        "d1": {"--location", "--jurisdiction", "--binding"},
        "kv_namespace": {"--binding"},
        "r2_bucket": {"--location", "--storage-class", "-s", "--jurisdiction", "-J"},
        "queues": {"--delivery-delay-secs", "--message-retention-period-secs"},
        "vectorize": {"--dimensions", "--metric", "--preset", "--description"},
    }
    for name, wanted in spelled.items():
        known = {spelling for param in getattr(commands, name).params for spelling in param.opts}
        assert wanted <= known, name
