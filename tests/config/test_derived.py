"""The environment of a preview, which no file has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trailboss.build import Options
from trailboss.build.subject import Subject
from trailboss.config import Project
from trailboss.config.derived import EXPIRES, FROM
from trailboss.errors import ConfigError

WRANGLER = """\
name = "shop"
main = "index.js"
compatibility_date = "2026-01-01"
routes = ["shop.example.com/*"]
kv_namespaces = [{ binding = "CACHE", id = "1" }]

[env.staging]
routes = ["staging.example.com/*"]
vars = { STAGE = "staging" }
define = { STAGE = "1" }
d1_databases = [{ binding = "DB", database_name = "orders-staging", database_id = "2" }]

[env.qa]
vars = { STAGE = "qa" }
"""
SETTINGS = """\
name = "shop"
[secrets]
file = ".env.{environment}"
[release]
strategy = "canary"
[resources.dns_record.www]
content = "x"
[environments.staging]
branches = ["main"]
protected = true
[environments.staging.resources.queue.jobs]
name = "jobs-staging"
[environments.staging.gates.errors]
[environments.pr-1]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "wrangler.toml").write_text(WRANGLER)
    (tmp_path / "trailboss.toml").write_text(SETTINGS)
    (tmp_path / "index.js").write_text("")
    return tmp_path


def load(folder: Path, name: str, **environ: str) -> Project:
    return Project.load(folder, environment=name, environ=environ)


def test_it_is_a_copy_with_things_of_its_own(shop: Path) -> None:
    project = load(shop, "pr-12")
    raw = project.workers[0].raw
    assert raw["name"] == "shop-pr-12"
    assert (raw["routes"], raw["workers_dev"]) == ([], True)
    assert (raw["vars"], raw["define"]) == ({"STAGE": "staging"}, {"STAGE": "1"})
    assert raw["d1_databases"] == [{"binding": "DB", "database_name": "orders-pr-12"}]
    assert raw["kv_namespaces"] == [{"binding": "CACHE"}]
    assert "pr-12" not in project.environments
    assert not project.protected


def test_settings_of_its_source_that_would_be_shared_or_slow_are_not_taken(shop: Path) -> None:
    tables = load(shop, "preview-a").tables
    assert tables["resources"] == {"queue": {"jobs": {"name": "jobs-preview-a"}}}
    assert tables["secrets"]["file"] == ".env.staging"
    assert not {"release", "gates"} & tables.keys()
    assert tables["environments"]["preview-a"]["ephemeral"] == {}


def test_wrangler_bundles_what_it_is_a_copy_of(shop: Path) -> None:
    subject = Subject.of(load(shop, "pr-12").workers[0], Options())
    assert (subject.name, subject.wrangler_environment) == ("shop-pr-12", "staging")
    assert subject.environments == ("staging", "qa")


def test_who_it_is_a_copy_of(shop: Path) -> None:
    assert load(shop, "mr-1", **{FROM: "qa"}).workers[0].raw["vars"] == {"STAGE": "qa"}
    assert load(shop, "mr-1", **{FROM: ""}).workers[0].raw.get("vars") is None
    with (shop / "trailboss.toml").open("a") as file:
        file.write('[ephemeral]\nfrom = "qa"\nexpires = "2d"\n')
    project = load(shop, "mr-1", **{EXPIRES: "1h"})
    assert project.workers[0].raw["vars"] == {"STAGE": "qa"}
    assert project.tables["ephemeral"]["expires"] == "1h"
    assert load(shop, "mr-1").tables["ephemeral"]["expires"] == "2d"


def test_other_names_and_those_of_the_files_are_what_they_were(shop: Path) -> None:
    assert load(shop, "pr-1").tables["release"] == {"strategy": "canary"}
    for name in ("pr", "stagin", "my-pr-1"):
        with pytest.raises(ConfigError) as caught:
            load(shop, name)
        assert caught.value.code == "TB1102"
    with pytest.raises(ConfigError):
        load(shop, "pr-2", **{FROM: "nowhere"})


def test_several_workers_call_each_other_and_not_those_of_the_source(tmp_path: Path) -> None:
    api = 'name = "api"\n[env.staging]\nname = "stage-api"\n'
    web = (
        'name = "web"\n[[services]]\nbinding = "API"\nservice = "api"\n'
        '[env.staging]\n[[env.staging.services]]\nbinding = "OWN"\nservice = "stage-api"\n'
        '[env.staging.queues]\nproducers = [{ binding = "JOBS", queue = "jobs-staging" }]\n'
    )
    for key, text in (("api", api), ("web", web)):
        (tmp_path / key).mkdir()
        (tmp_path / key / "wrangler.toml").write_text(text)
    settings = '[workers]\napi = { path = "api" }\nweb = { path = "web" }\n[environments.staging]\n'
    (tmp_path / "trailboss.toml").write_text(settings)
    project = load(tmp_path, "pr-3")
    assert [worker.name for worker in project.workers] == ["api-pr-3", "web-pr-3"]
    raw = project.worker("web").raw
    assert {one["binding"]: one["service"] for one in raw["services"]} == {
        "OWN": "api-pr-3",
        "API": "api-pr-3",
    }
    assert raw["queues"]["producers"] == [{"binding": "JOBS", "queue": "jobs-pr-3"}]


def test_what_a_build_tool_flattened_gets_the_name_and_the_things_of_the_preview(tmp_path: Path) -> None:
    """Else a preview would be deployed over the Worker it is a copy of, and deleted with it."""
    flat: dict[str, object] = {"name": "app-staging", "topLevelName": "app", "targetEnvironment": "staging"}
    flat |= {"definedEnvironments": ["staging"], "main": "x.js", "routes": ["a.example/*"]}
    flat["d1_databases"] = [{"binding": "DB", "database_name": "app-db-staging", "database_id": "1" * 8}]
    flat["services"] = [{"binding": "SELF", "service": "app-staging"}]
    for path, text in {
        "trailboss.toml": "",
        "wrangler.json": '{"name": "app", "env": {"staging": {}}}',
        ".wrangler/deploy/config.json": '{"configPath": "../../dist/wrangler.json"}',
        "dist/wrangler.json": json.dumps(flat),
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    worker = load(tmp_path, "pr-1").worker()
    assert (worker.name, worker.raw["routes"], worker.raw["workers_dev"]) == ("app-pr-1", [], True)
    assert worker.raw["d1_databases"] == [{"binding": "DB", "database_name": "app-db-pr-1"}]
    assert worker.raw["services"] == [{"binding": "SELF", "service": "app-pr-1"}]
    with pytest.raises(ConfigError, match='built for the environment "staging", not the top level') as caught:
        load(tmp_path, "pr-1", TRAILBOSS_PREVIEW_FROM="")
    assert caught.value.code == "TB1103"
    (tmp_path / "dist/wrangler.json").write_text('{"name": "app", "topLevelName": "app"}')
    assert load(tmp_path, "pr-1", TRAILBOSS_PREVIEW_FROM="").worker().name == "app-pr-1"
