"""`trailboss plan` and `apply`: exit statuses, the documents of --json, saved plans, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.conftest import Sandbox

WRANGLER = """{
  // the shop
  "name": "shop",
  "main": "index.js",
  "compatibility_date": "2026-11-01",
  "kv_namespaces": [{ "binding": "CACHE" }]
}
"""
SETTINGS = """# around the shop
name = "shop"

[environments.staging]
[environments.production]

[resources.queue.jobs]
delivery_delay = 5

[resources.d1_database.orders]
"""


@pytest.fixture
def shop(tmp_path: Path, target: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that wants a namespace, a queue and a database, in an empty account."""
    (tmp_path / "wrangler.jsonc").write_text(WRANGLER)
    (tmp_path / "trailboss.toml").write_text(SETTINGS)
    (tmp_path / "index.js").write_text("export default {}")
    return tmp_path


def rewrite(shop: Path, old: str, new: str) -> None:
    """Change trailboss.toml by hand."""
    text = (shop / "trailboss.toml").read_text()
    assert old in text
    (shop / "trailboss.toml").write_text(text.replace(old, new))


def queue(target: Sandbox, name: str) -> dict[str, Any]:
    """The queue called `name`."""
    [found] = [one for one in target.call("GET", f"{target.account}/queues") if one["queue_name"] == name]
    return dict(found)


STAGING = ("--env", "staging")


def test_a_plan_then_an_apply_then_nothing(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    planned = trailboss("plan", *STAGING, "--exit-code", "--json")
    assert planned.status == 3
    check("trailboss plan", planned.json)
    check("trailboss plan: changes", planned.json["changes"][0], set())
    check("trailboss plan: fields", planned.json["changes"][-1]["fields"][0], set())
    assert [(one["action"], one["kind"], one["name"]) for one in planned.json["changes"]] == [
        ("create", "kv_namespace", "shop-cache-staging"),
        ("create", "d1_database", "orders-staging"),
        ("create", "queue", "jobs-staging"),
    ]
    assert "3 to create" in trailboss("plan", *STAGING).out
    assert target.call("GET", f"{target.account}/queues") == []
    done = trailboss("apply", *STAGING, "--json")
    assert done.status == 0
    check("trailboss apply", done.json)
    assert {one["action"] for one in done.json["changed"]} == {"create"}
    assert queue(target, "jobs-staging")["settings"]["delivery_delay"] == 5
    again = trailboss("plan", *STAGING, "--exit-code", "--json")
    assert (again.status, again.json["empty"], again.json["unchanged"]) == (0, True, 3)
    assert trailboss("apply", *STAGING, "--json").json["changed"] == []
    assert "The account is as the files say" in trailboss("apply", *STAGING).out


def test_all_environments(trailboss: Trailboss, shop: Path) -> None:
    document = trailboss("plan", "--all-environments", "--json").json
    check("trailboss plan: all environments", document, set())
    assert [one["environment"] for one in document["plans"]] == ["staging", "production"]
    shown = trailboss("plan", "--all-environments", "--exit-code")
    assert shown.status == 3
    assert "jobs-staging" in shown.out
    assert "jobs-production" in shown.out
    one_file = trailboss("plan", "--all-environments", "--out", "plan.json", "--json")
    assert (one_file.status, one_file.error["code"]) == (2, "TB9065")


def test_what_was_changed_by_hand_is_told_apart(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    trailboss("apply", *STAGING)
    there = queue(target, "jobs-staging")
    path = f"{target.account}/queues/{there['queue_id']}"
    target.call("PATCH", path, {"settings": {"delivery_delay": 99}})
    shown = trailboss("plan", *STAGING).out
    assert "changed by hand" in shown
    assert "delivery_delay: 99 -> 5" in shown
    rewrite(shop, "delivery_delay = 5", "delivery_delay = 7")
    [one] = trailboss("plan", *STAGING, "--json").json["changes"]
    assert (one["action"], one["why"]) == ("update", "file")
    assert trailboss("apply", *STAGING).status == 0
    assert queue(target, "jobs-staging")["settings"]["delivery_delay"] == 7


def test_a_saved_plan(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    saved = trailboss("plan", *STAGING, "--out", "plan.json")
    assert "trailboss apply plan.json" in saved.err
    assert json.loads((shop / "plan.json").read_text())["project"] == "shop"
    rewrite(shop, "delivery_delay = 5", "delivery_delay = 6")
    stale = trailboss("apply", "plan.json", "--json")
    assert (stale.status, stale.error["code"]) == (5, "TB6506")
    assert target.call("GET", f"{target.account}/queues") == []
    rewrite(shop, "delivery_delay = 6", "delivery_delay = 5")
    done = trailboss("apply", "plan.json", "--json")  # for staging, as it was made, without being told again
    assert (done.status, done.json["environment"], len(done.json["changed"])) == (0, "staging", 3)
    twice = trailboss("apply", "plan.json", "--json")
    assert (twice.status, twice.error["code"]) == (5, "TB6506")
    (shop / "plan.json").write_text("{}")
    assert trailboss("apply", "plan.json", "--json").error["code"] == "TB1235"


def test_only_one_resource(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    for words in (("--resource", "queue.jobs"), ("--target", "queue.jobs")):
        planned = trailboss("plan", *STAGING, *words, "--json").json
        assert [one["kind"] for one in planned["changes"]] == ["queue"]
    trailboss("apply", *STAGING, "--target", "queue.jobs")
    assert queue(target, "jobs-staging")
    assert target.call("GET", f"{target.account}/d1/database") == []
    none = trailboss("plan", *STAGING, "--resource", "queue.nothing", "--json")
    assert (none.status, none.error["code"]) == (1, "TB6107")
    assert "queue.jobs" in none.error["hint"]


def test_what_loses_data_has_to_be_confirmed(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    for name in ("staging", "production"):
        trailboss("apply", "--env", name)
    rewrite(shop, "[resources.d1_database.orders]\n", "")
    assert "cannot be undone: loses the d1_database and its data" in trailboss("plan", *STAGING).out
    for words in ((*STAGING,), ("--env", "production"), ("--env", "production", "--yes")):
        refused = trailboss("apply", *words, "--json")
        assert (refused.status, refused.error["code"]) == (6, "TB6201")
        assert "--confirm" in refused.error["hint"]
    assert len(target.call("GET", f"{target.account}/d1/database")) == 2
    assert trailboss("apply", *STAGING, "--yes").status == 0
    assert trailboss("apply", "--env", "production", "--confirm").status == 0
    assert target.call("GET", f"{target.account}/d1/database") == []


def test_foreign_things_stand_in_the_way(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    target.call(
        "POST",
        f"{target.account}/queues",
        {"queue_name": "jobs-staging", "settings": {"delivery_delay": 1}},
    )
    shown = trailboss("plan", *STAGING, "--exit-code", "--json")
    assert shown.status == 3
    assert {one["action"] for one in shown.json["changes"] if one["kind"] == "queue"} == {"conflict"}
    refused = trailboss("apply", *STAGING, "--json")
    assert (refused.status, refused.error["code"]) == (5, "TB6505")
    assert target.call("GET", f"{target.account}/d1/database") == []
    assert trailboss("apply", *STAGING, "--adopt").status == 0
    assert queue(target, "jobs-staging")["settings"]["delivery_delay"] == 5


def test_a_project_of_wrangler_alone(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    (shop / "trailboss.toml").unlink()
    first = trailboss("apply", "--json")
    assert [one["name"] for one in first.json["changed"]] == ["shop-cache"]
    assert trailboss("plan", "--exit-code").status == 0
    assert (shop / "wrangler.jsonc").read_text() == WRANGLER


def test_wrong_words(trailboss: Trailboss, shop: Path) -> None:
    rewrite(shop, "[resources.queue.jobs]", "[resources.queu.jobs]")
    wrong = trailboss("plan", *STAGING, "--json")
    assert (wrong.status, wrong.error["code"]) == (2, "TB1231")
    assert "trailboss.toml:7" in wrong.error["where"]
    assert "queue" in wrong.error["hint"]
