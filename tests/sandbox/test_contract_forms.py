"""The JSON in upload forms is held against the SDK's own types, and what may differ is data with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.sandbox.upload import deploy, form, send, who
from trailboss.sandbox.contract import form_problem, sdk_type
from trailboss.sandbox.contract_deviations import BODIES, DEVIATIONS, OPEN_FIELDS, RAW, excused
from trailboss.sandbox.contract_wire import record_names

UPLOAD = "workers.ScriptUpdateParams"
VERSION = "workers.scripts.VersionCreateParams"
HERE = frozenset({"account_id", "script_name"})


def problem(metadata: Any, type_name: str = UPLOAD) -> str:
    parts = {"metadata": json.dumps({"main_module": "index.js", **metadata}).encode(), "index.js": b"x"}
    return form_problem(type_name, parts, HERE)


def binding(**fields: Any) -> dict[str, Any]:
    return {"bindings": [{"name": "X", **fields}]}


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({}, ""),
        ({"code_update_strategy": {"mode": "newer than the SDK"}}, ""),
        (binding(type="plain_text", text="x", more=1), ""),
        (binding(type="plain_text", text=1), "metadata.bindings.0.plain_text.text: "),
        (binding(type="kv_namespace", id="x"), "metadata.bindings.0.kv_namespace.namespace_id: "),
        (binding(type="nonsense"), ""),
        (binding(), ""),
        (binding(type="d1", id="x"), ""),
        (binding(type="stream"), ""),
        (binding(type="analytics_engine"), ""),
        ({"exports": {"Flow": {"type": "workflow"}}}, ""),
        ({"exports": {"Room": {"type": "durable-object", "storage": "sqlite"}}}, ""),
        ({"exports": {"Room": {"type": "durable-object"}}}, "metadata.exports.Room.durable-object."),
        ({"compatibility_flags": "nodejs_compat"}, "metadata.compatibility_flags: "),
        ({"placement": {"mode": "smart"}}, ""),
        ({"placement": {"mode": "clever"}}, "metadata.placement."),
        ({"migrations": {"new_tag": 1, "steps": []}}, "metadata.migrations."),
    ],
)
def test_metadata_of_an_upload(metadata: dict[str, Any], found: str) -> None:
    told = problem(metadata)
    assert told.startswith(found) and bool(told) is bool(found)


def test_a_version_of_assets_only_has_no_module() -> None:
    parts = {"metadata": b'{"assets": {"jwt": "x"}}'}
    assert form_problem(VERSION, parts, HERE) == ""


def test_what_is_no_json_is_left_to_the_handler() -> None:
    assert form_problem(UPLOAD, {"metadata": b"{"}, HERE) == ""
    assert form_problem(UPLOAD, {}, HERE) == "metadata: Part required"


def test_the_parts_that_are_json() -> None:
    assert record_names(sdk_type(UPLOAD)) == {"metadata"}
    assert record_names(sdk_type("kv.namespaces.ValueUpdateParams")) == frozenset()


def test_every_deviation_has_a_reason_and_a_type_there_is() -> None:
    assert all(item.reason and item.places for item in DEVIATIONS)
    for name in (*BODIES, *RAW, *OPEN_FIELDS):
        sdk_type(name)
    assert excused("metadata.main_module", "string_type") and excused("metadata.bindings.0.newer", "x")
    assert excused("settings.bindings.0.kv_namespace.namespace_id", "missing")
    assert excused("settings.bindings.0.kv_namespace.namespace_id", "string_type") == ""
    edit = "workers.beta.WorkerEditParams"
    assert excused("logpush", "missing", edit) and not excused("logpush", "bool_type", edit)
    assert not excused("logpush", "missing", UPLOAD)
    assert excused("metadata.bindings.0.stream.name", "missing") == excused("", "missing") == ""


def test_over_http(account: Sandbox) -> None:
    """What the handler would let pass is refused; what it refuses itself it says in Cloudflare's words."""
    wrong = who("x") | {"compatibility_flags": [], "usage_model": "free"}
    answer = send(account, "PUT", "app", form(metadata=wrong))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 10599)
    assert "metadata.usage_model" in answer.text
    answer = send(account, "PUT", "app", form(metadata=binding(type="nonsense")))
    assert answer.json()["errors"][0]["code"] == 10021
    deploy(account, "app", who("x"))
    path = f"{account.account}/workers/scripts/app/settings"
    for settings in ({"json": {"usage_model": "free"}}, {"files": {"settings": '{"usage_model": "free"}'}}):
        answer = account.http.patch(account.connection.api_url + path, **settings)  # type: ignore[arg-type]
        assert "settings.usage_model" in answer.text
