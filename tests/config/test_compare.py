"""What an environment comes to, and in what two of them differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailboss.config import Project
from trailboss.config.compare import HIDDEN, Difference, differences, view

CONFIG = """\
{
  "name": "shop",
  "main": "x.js",
  "compatibility_date": "2026-11-01",
  "kv_namespaces": [{ "binding": "CACHE" }],
  "d1_databases": [{ "binding": "DB", "database_name": "db" }],
  "ratelimits": [{ "name": "LIMIT", "namespace_id": "1", "simple": { "limit": 10, "period": 60 } }],
  "secrets": { "required": ["TOP_SECRET"] },
  "vars": { "MODE": "plain", "API_TOKEN": "in-the-file", "HOST": "a.example.com" },
  "env": {
    "staging": { "vars": { "MODE": "test" }, "triggers": { "crons": ["* * * * *"] } },
    "production": {
      "routes": ["shop.example.com/*"],
      "r2_buckets": [{ "binding": "FILES", "bucket_name": "files" }],
      "vars": { "MODE": "live", "API_TOKEN": "another" }
    }
  }
}
"""
SETTINGS = """\
[target]
account_id = "one"

[environments.staging]
[environments.production]
protected = true
target.account_id = "two"
target.api_token = "${TOKEN}"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project in which staging and production differ in several ways."""
    (tmp_path / "x.js").write_text("export default {}")
    (tmp_path / "wrangler.jsonc").write_text(CONFIG)
    (tmp_path / "trailboss.toml").write_text(SETTINGS)
    return tmp_path


def load(folder: Path, name: str) -> Project:
    return Project.load(folder, environment=name, environ={})


def test_what_differs(shop: Path) -> None:
    found = differences(load(shop, "staging"), load(shop, "production"))
    key = "shop"
    wanted = [
        Difference(None, "protected", None, True, False),
        Difference(None, "target.account_id", "one", "two", False),
        Difference(None, "target.api_token", None, "${TOKEN}", False),
        Difference(key, "vars.MODE", "test", "live", False),
        Difference(key, "vars.API_TOKEN", HIDDEN, HIDDEN, False),
        Difference(key, "routes.shop.example.com/*", None, True, False),
        Difference(key, "d1_databases.DB.database_name", "db-staging", "db-production", True),
    ]
    assert [item for item in wanted if item not in found] == []
    bindings = {item.key for item in found if item.worker and not item.expected}
    assert "r2_buckets.FILES" in bindings
    assert not any("secrets" in name or "HOST" in name or "CACHE" in name for name in bindings)
    assert [item.key for item in found if item.key.startswith("ratelimits") and not item.expected] == []
    assert "in-the-file" not in repr(found)


def test_an_environment_is_like_itself(shop: Path) -> None:
    assert differences(load(shop, "staging"), load(shop, "staging")) == ()
    top = differences(load(shop, ""), load(shop, "staging"))
    assert [item.key for item in top if item.worker and not item.expected] == ["vars.MODE", "triggers"]


def test_one_environment(shop: Path) -> None:
    seen = view(load(shop, "production"))
    assert (seen.name, seen.protected) == ("production", True)
    assert seen.settings["target"] == {"account_id": "two", "api_token": "${TOKEN}"}
    (worker,) = seen.workers
    assert (worker.worker, worker.routes) == ("shop-production", ("shop.example.com/*",))
    assert worker.vars == {"MODE": "live", "API_TOKEN": HIDDEN, "HOST": "a.example.com"}
    named = {binding.name: binding.resource for binding in worker.bindings}
    assert named["DB"] == {"database_name": "db-production"}
    assert named["CACHE"] == {}
    assert view(load(shop, "staging")).workers[0].crons == ("* * * * *",)
