"""What exists already, written into the file: the plan adopts it, and then is empty."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.conftest import Sandbox

SETTINGS = """# the shop
name = "shop"

[zones]
main = "shop.example" # ours

[environments.staging]
"""
STAGING = ("--env", "staging")


@pytest.fixture
def shop(tmp_path: Path, target: Sandbox) -> Path:
    """A project that wants nothing yet, and an account in which somebody clicked."""
    (tmp_path / "wrangler.jsonc").write_text(
        '{"name": "shop", "main": "x.js", "compatibility_date": "2026-11-01"}'
    )
    (tmp_path / "x.js").write_text("export default {}")
    (tmp_path / "trailboss.toml").write_text(SETTINGS)
    account = target.connection.account_id
    target.call("POST", "/zones", {"name": "shop.example", "account": {"id": account}, "type": "full"})
    return tmp_path


def staging(shop: Path) -> dict[str, Any]:
    """The tables of the environment."""
    tables = tomllib.loads((shop / "trailboss.toml").read_text())
    return dict(tables["environments"]["staging"].get("resources", {}))


def make_queue(target: Sandbox, name: str, delay: int = 0) -> str:
    body = {"queue_name": name, "settings": {"delivery_delay": delay}}
    return str(target.call("POST", f"{target.account}/queues", body)["queue_id"])


def test_one_by_its_name(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    identifier = make_queue(target, "old-jobs", 9)
    dry = trailboss("adopt", "queue", "old-jobs", *STAGING, "--dry-run", "--json")
    assert dry.status == 0, dry
    check("trailboss adopt", dry.json)
    assert [one["action"] for one in dry.json["changes"]] == ["adopt"]
    assert (shop / "trailboss.toml").read_text() == SETTINGS
    done = trailboss("adopt", "queue", "old-jobs", *STAGING)
    assert done.status == 0, done
    assert "> queue old-jobs" in done.out
    assert staging(shop) == {"queue": {"old-jobs": {"name": "old-jobs", "delivery_delay": 9}}}
    assert "# ours" in (shop / "trailboss.toml").read_text()
    assert trailboss("plan", *STAGING, "--exit-code").status == 3
    assert trailboss("apply", *STAGING).status == 0
    assert trailboss("plan", *STAGING, "--exit-code").status == 0
    again = trailboss("import", "queue", "old-jobs", *STAGING, "--json").json
    assert (again["files"], again["changes"]) == ([], [])
    tags = target.call("GET", f"{target.account}/tags?resource_type=queue&resource_id={identifier}")["tags"]
    assert tags["trailboss.adopted"] == "true"


def test_applied_at_once_and_let_go_later(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    make_queue(target, "jobs-staging")
    done = trailboss("adopt", "queue", "jobs-staging", *STAGING, "--apply", "--json")
    assert (done.status, done.json["applied"]) == (0, True), done
    assert staging(shop) == {"queue": {"jobs": {}}}
    assert trailboss("plan", *STAGING, "--exit-code").status == 0
    (shop / "trailboss.toml").write_text(SETTINGS)
    assert trailboss("apply", *STAGING).status == 0
    assert [one["queue_name"] for one in target.call("GET", f"{target.account}/queues")] == ["jobs-staging"]


def test_all_records_of_a_zone(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    [zone] = target.call("GET", "/zones?name=shop.example")
    for address in ("192.0.2.1", "192.0.2.2"):
        body = {"type": "A", "name": "www.shop.example", "content": address, "ttl": 300}
        target.call("POST", f"/zones/{zone['id']}/dns_records", body)
    done = trailboss("adopt", "dns_record", "--all", *STAGING, "--json")
    assert done.status == 0, done
    tables = staging(shop)["dns_record"]
    assert {(one["content"], one["ttl"], one["zone"]) for one in tables.values()} == {
        ("192.0.2.1", 300, "main"),
        ("192.0.2.2", 300, "main"),
    }
    assert trailboss("apply", *STAGING).status == 0
    assert trailboss("plan", *STAGING, "--exit-code").status == 0
    assert len(target.call("GET", f"/zones/{zone['id']}/dns_records")) == 2


def test_what_the_workers_bind_by_id(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    account = target.account
    space = target.call("POST", f"{account}/storage/kv/namespaces", {"title": "Old cache"})["id"]
    base = target.call("POST", f"{account}/d1/database", {"name": "orders"})["uuid"]
    config = {
        "name": "shop",
        "main": "x.js",
        "compatibility_date": "2026-11-01",
        "kv_namespaces": [{"binding": "CACHE", "id": space}],
        "d1_databases": [{"binding": "DB", "database_name": "orders", "database_id": base}],
    }
    (shop / "wrangler.jsonc").write_text(json.dumps(config))
    (shop / "trailboss.toml").unlink()
    done = trailboss("adopt", "--json")
    assert done.status == 0, done
    assert {(one["kind"], one["key"], one["id"]) for one in done.json["adopted"]} == {
        ("kv_namespace", "cache", space),
        ("d1_database", "orders", base),
    }
    assert trailboss("apply").status == 0
    assert trailboss("plan", "--exit-code").status == 0
    assert len(target.call("GET", f"{account}/storage/kv/namespaces")) == 1


def test_a_reference_says_the_key(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    path = f"{target.account}/load_balancers"
    monitor = target.call("POST", f"{path}/monitors", {"type": "https", "description": "front"})
    origins = [{"name": "a", "address": "192.0.2.1", "enabled": True}]
    target.call("POST", f"{path}/pools", {"name": "main", "origins": origins, "monitor": monitor["id"]})
    assert trailboss("adopt", "load_balancer_monitor", "--all", *STAGING, "--apply").status == 0
    [key] = staging(shop)["load_balancer_monitor"]
    done = trailboss("adopt", "load_balancer_pool", "main", *STAGING, "--apply", "--json")
    assert done.status == 0, done
    assert staging(shop)["load_balancer_pool"]["main"]["monitor"] == key
    assert trailboss("plan", *STAGING, "--exit-code").status == 0


def test_what_cannot_be_adopted_leaves_the_file(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    make_queue(target, "jobs")
    body = {
        "name": "db",
        "origin": {
            "scheme": "postgres",
            "host": "db.example.com",
            "port": 5432,
            "database": "d",
            "user": "u",
            "password": "c4nary",
        },
    }
    target.call("POST", f"{target.account}/hyperdrive/configs", body)
    for words, code in (
        (("queu", "jobs"), "TB9070"),
        (("queue",), "TB9071"),
        (("queue", "--all", "--key", "x"), "TB9072"),
        (("queue", "none"), "TB6117"),
        (("hyperdrive_config", "db"), "TB6118"),
    ):
        refused = trailboss("adopt", *words, *STAGING, "--json")
        assert refused.error["code"] == code
    assert (shop / "trailboss.toml").read_text() == SETTINGS


def test_what_is_another_projects_is_not_taken(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    make_queue(target, "jobs")
    assert trailboss("adopt", "queue", "jobs", *STAGING, "--apply").status == 0
    other = SETTINGS.replace('name = "shop"', 'name = "other"')
    (shop / "trailboss.toml").write_text(other)
    refused = trailboss("adopt", "queue", "jobs", *STAGING, "--json")
    assert (refused.status, refused.error["code"]) == (5, "TB6505")
    assert (shop / "trailboss.toml").read_text() == other
