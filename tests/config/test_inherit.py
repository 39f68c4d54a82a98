"""Bindings of the top level in an environment: resources of its own, and never a shared id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailboss.config import Project, Worker
from trailboss.config.document import read_document
from trailboss.config.inherit import INHERITED, Heir, inherit_bindings

EVERYTHING = Path(__file__).parent / "corpus" / "everything.jsonc"


def load(root: Path, config: dict[str, Any], environment: str | None, project: str = "") -> Worker:
    (root / "wrangler.json").write_text(json.dumps({"name": "agency", **config}))
    (root / "trailboss.toml").write_text(project)
    return Project.load(root, environment=environment, environ={}).worker()


def gained(top: dict[str, Any], env: dict[str, Any] | None = None, **siblings: str) -> dict[str, Any]:
    return inherit_bindings(top, env or {}, Heir("staging", siblings))[0]


@pytest.mark.parametrize(
    ("key", "entry", "expected"),
    [
        ("kv_namespaces", {"binding": "B", "id": "1", "preview_id": "2"}, {"binding": "B"}),
        (
            "d1_databases",
            {"binding": "B", "database_name": "db", "database_id": "1", "migrations_dir": "m"},
            {"binding": "B", "database_name": "db-staging", "migrations_dir": "m"},
        ),
        (
            "r2_buckets",
            {"binding": "B", "bucket_name": "files", "jurisdiction": "eu", "preview_bucket_name": "p"},
            {"binding": "B", "bucket_name": "files-staging", "jurisdiction": "eu"},
        ),
        ("vectorize", {"binding": "B", "index_name": "docs"}, {"binding": "B", "index_name": "docs-staging"}),
        ("hyperdrive", {"binding": "B", "id": "1"}, {"binding": "B"}),
        ("services", {"binding": "B", "service": "auth"}, {"binding": "B", "service": "auth-staging"}),
        (
            "workflows",
            {"binding": "B", "name": "flow", "class_name": "Flow"},
            {"binding": "B", "name": "flow-staging", "class_name": "Flow"},
        ),
        (
            "analytics_engine_datasets",
            {"binding": "B", "dataset": "ai_usage"},
            {"binding": "B", "dataset": "ai_usage_staging"},
        ),
        (
            "analytics_engine_datasets",
            {"binding": "B", "dataset": "ai-usage"},
            {"binding": "B", "dataset": "ai-usage-staging"},
        ),
        ("analytics_engine_datasets", {"binding": "B"}, {"binding": "B", "dataset": "B_staging"}),
        (
            "dispatch_namespaces",
            {"binding": "B", "namespace": "n", "outbound": {"service": "auth"}},
            {"binding": "B", "namespace": "n-staging", "outbound": {"service": "auth-staging"}},
        ),
        ("pipelines", {"binding": "B", "pipeline": "clicks"}, {"binding": "B", "pipeline": "clicks-staging"}),
        ("pipelines", {"binding": "B", "pipeline": "0" * 32}, {"binding": "B"}),
        ("send_email", {"name": "B"}, {"name": "B"}),
    ],
)
def test_each_kind(key: str, entry: dict[str, Any], expected: dict[str, Any]) -> None:
    assert gained({key: [entry]}, auth="auth-staging") == {key: [expected]}


def test_rate_limits_count_apart_but_always_the_same() -> None:
    entry = {"name": "L", "namespace_id": "1001", "simple": {"limit": 1, "period": 10}}
    first, again = gained({"ratelimits": [entry]}), gained({"ratelimits": [entry]})
    assert first == again
    number = first["ratelimits"][0]["namespace_id"]
    assert number != "1001"
    assert 0 < int(number) < 2**31


def test_queues_and_durable_objects() -> None:
    top = {
        "queues": {
            "producers": [{"binding": "J", "queue": "jobs"}],
            "consumers": [{"queue": "jobs", "dead_letter_queue": "dead", "max_retries": 2}, {"queue": "own"}],
        },
        "durable_objects": {"bindings": [{"name": "A", "class_name": "A"}, {"name": "O", "class_name": "O"}]},
    }
    env = {
        "queues": {"consumers": [{"queue": "own-staging", "max_retries": 9}]},
        "durable_objects": {"bindings": [{"name": "O", "class_name": "Mine"}]},
    }
    assert gained(top, env) == {
        "queues": {
            "producers": [{"binding": "J", "queue": "jobs-staging"}],
            "consumers": [
                {"queue": "own-staging", "max_retries": 9},
                {"queue": "jobs-staging", "dead_letter_queue": "dead-staging", "max_retries": 2},
            ],
        },
        "durable_objects": {
            "bindings": [{"name": "O", "class_name": "Mine"}, {"name": "A", "class_name": "A"}]
        },
    }


def test_what_the_environment_says_stays_and_an_empty_list_refuses() -> None:
    top = {
        "kv_namespaces": [{"binding": "A", "id": "1"}, {"binding": "B", "id": "2"}],
        "vars": {"X": "1", "Y": "1"},
    }
    assert gained(top, {"kv_namespaces": [{"binding": "A", "id": "9"}], "vars": {"X": "2"}}) == {
        "kv_namespaces": [{"binding": "A", "id": "9"}, {"binding": "B"}],
        "vars": {"X": "2", "Y": "1"},
    }
    assert gained(top, {"kv_namespaces": [], "vars": {}}) == {}


def test_a_worker_outside_the_project_is_shared_and_said_so(tmp_path: Path) -> None:
    config = {"services": [{"binding": "X", "service": "elsewhere"}, {"binding": "ME", "service": "agency"}]}
    worker = load(tmp_path, config, "staging", "[environments.staging]")
    assert [s.service for s in worker.config.services] == ["elsewhere", "agency-staging"]
    assert [w for w in worker.resolved.warnings if '"X" leads to "elsewhere"' in w]


def test_places_lead_to_where_it_is_written(tmp_path: Path) -> None:
    config = {
        "kv_namespaces": [{"binding": "A"}, {"binding": "B"}],
        "vars": {"X": "1"},
        "env": {"staging": {"kv_namespaces": [{"binding": "B"}], "vars": {"Y": "2"}}},
    }
    (tmp_path / "wrangler.jsonc").write_text(json.dumps({"name": "a", **config}, indent=0))
    (tmp_path / "trailboss.toml").write_text("")
    worker = Project.load(tmp_path, environment="staging", environ={}).worker()
    assert [k.binding for k in worker.config.kv_namespaces] == ["B", "A"]
    lines = (tmp_path / "wrangler.jsonc").read_text().splitlines()
    assert lines[(worker.locate("kv_namespaces", 1, "binding").line or 0) - 1] == '"binding": "A"'
    assert (worker.locate("kv_namespaces", 0).line or 0) > (worker.locate("kv_namespaces", 1).line or 0)
    assert lines[(worker.locate("vars", "X").line or 0) - 1] == '"X": "1"'
    assert lines[(worker.locate("vars", "Y").line or 0) - 1] == '"Y": "2"'


def test_only_with_a_project_file_that_wishes_it(tmp_path: Path) -> None:
    config = {"kv_namespaces": [{"binding": "A", "id": "1"}], "env": {"staging": {}}}
    assert load(tmp_path, config, "staging").raw["kv_namespaces"] == [{"binding": "A"}]
    refused = load(tmp_path, config, "staging", "inherit_bindings = false")
    assert refused.config.kv_namespaces == []
    only_here = load(tmp_path, config, "staging", "[environments.staging]\ninherit_bindings = false")
    assert only_here.config.kv_namespaces == []
    (tmp_path / "trailboss.toml").unlink()
    assert Project.load(tmp_path, environment="staging", environ={}).worker().config.kv_namespaces == []


IDS = (
    "id",
    "database_id",
    "certificate_id",
    "app_id",
    "service_id",
    "tunnel_id",
    "bucket_name",
    "index_name",
    "queue",
)


def values(table: Any, found: set[str]) -> set[str]:
    for key, value in table.items() if isinstance(table, dict) else enumerate(table):
        if isinstance(value, dict | list):
            values(value, found)
        elif key in IDS and isinstance(value, str):
            found.add(f"{key}={value}")
    return found


@settings(deadline=None)
@given(
    st.sampled_from(["staging", "empty", "production"]), st.sampled_from(["staging", "empty", "production"])
)
def test_two_environments_never_share_a_resource(one: str, other: str) -> None:
    data = read_document(EVERYTHING).data
    top = {key: value for key, value in data.items() if key in INHERITED}
    first = inherit_bindings(top, data["env"][one], Heir(one, {}))[0]
    second = inherit_bindings(top, data["env"][other], Heir(other, {}))[0]
    assert not values(top, set()) & values(
        {k: v for k, v in first.items() if k not in data["env"][one]}, set()
    )
    if one != other:
        assert not values(first, set()) & values(second, set())
