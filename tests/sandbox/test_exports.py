"""Declared `exports`: what becomes of Durable Object classes, over the API alone."""

from __future__ import annotations

from typing import Any

from tests.conftest import Sandbox
from tests.sandbox.upload import form, send, split

HEAD = 'import { DurableObject } from "cloudflare:workers";\n'
MAIN = "export default { async fetch(request, env) {\n  if (!env.DO) return new Response('none');\n"
MAIN += "  return env.DO.getByName('a').fetch(request); } };\n"


def source(*classes: str) -> str:
    body = (
        "{ async fetch() { const n = (await this.ctx.storage.get('n') ?? 0) + 1;"
        " await this.ctx.storage.put('n', n); return new Response(String(n)); } }\n"
    )
    return HEAD + "".join(f"export class {name} extends DurableObject {body}" for name in classes) + MAIN


def live(**more: Any) -> dict[str, Any]:
    return {"type": "durable-object", "storage": "sqlite", **more}


def grave(state: str, **more: Any) -> dict[str, Any]:
    return {"type": "durable-object", "state": state, **more}


def bound(name: str) -> list[dict[str, Any]]:
    return [{"name": "DO", "type": "durable_object_namespace", "class_name": name}]


def put(
    account: Sandbox, name: str, code: str, exports: dict[str, Any], bindings: list[Any] | None = None
) -> Any:
    """Upload with `exports`; the report, or the details of the refusal by class."""
    metadata = {"exports": exports, "bindings": bindings or [], "compatibility_date": "2026-01-01"}
    answer = send(account, "PUT", name, form(code, metadata))
    envelope = answer.json()
    if answer.status_code == 200:
        path = f"{account.account}/workers/scripts/{name}/subdomain"
        account.call("POST", path, {"enabled": True})
        return {key: value for key, value in envelope["result"]["exports_reconciliation"].items() if value}
    error = envelope["errors"][0]
    assert error["code"] == 100402, error
    return {item["class"]: item["scenario"] for item in error["meta"]["details"]}


def test_a_class_is_made_renamed_and_deleted(account: Sandbox) -> None:
    one, two = source("One"), source("Two")
    assert put(account, "app", one, {"One": live()}, bound("One")) == {"created": ["One"]}
    assert account.worker("app").text == "1"
    assert put(account, "app", one, {"One": live()}, bound("One")) == {}
    assert put(account, "app", one, {"One": live(storage="legacy-kv")}) == {"One": "storage_type_mismatch"}
    renamed = {"Two": live(), "One": grave("renamed", renamed_to="Two")}
    assert put(account, "app", two, renamed, bound("Two")) == {"renamed": [{"from": "One", "to": "Two"}]}
    assert account.worker("app").text == "2"
    stale = put(account, "app", two, renamed, bound("Two"))
    assert stale["removable_entries"] == ["One"]
    assert [item["scenario"] for item in stale["info"]] == ["stale_tombstone"]
    gone = {"Two": grave("deleted")}
    assert put(account, "app", two, gone) == {"Two": "tombstone_delete_class_still_in_code"}
    assert put(account, "app", source(), gone) == {"deleted": ["Two"]}
    assert account.call("GET", f"{account.account}/workers/durable_objects/namespaces") == []


def test_declarations_that_cannot_be(account: Sandbox) -> None:
    assert put(account, "app", source(), {"Phantom": live()}) == {
        "Phantom": "config_references_nonexistent_class"
    }
    assert put(account, "app", source("New"), {"New": live(storage="legacy-kv")}) == {"New": "invalid_export"}
    put(account, "app", source("One"), {"One": live()})
    assert put(account, "app", source("Two"), {"Two": live()}) == {"One": "orphaned_provisioned_namespace"}
    assert put(account, "app", source("One", "Two"), {"Two": live()}) == {
        "One": "provisioned_class_missing_from_config"
    }
    assert put(account, "app", source(), {"One": live()}) == {"One": "config_export_not_in_code"}


def test_a_class_moves_to_another_worker(account: Sandbox) -> None:
    widget, waits = source("Widget"), live(state="expecting-transfer", transfer_from="a")
    sent = {"Widget": grave("transferred", transferred_to="b")}
    assert put(account, "b", widget, {"Widget": waits}) == {"Widget": "phase_one_transfer_source_missing"}
    put(account, "a", widget, {"Widget": live()}, bound("Widget"))
    assert account.worker("a").text == "1"
    assert put(account, "a", source(), sent) == {"Widget": "transferred_target_missing"}
    pending = {"transfer_pending": [{"class": "Widget", "from": "a"}]}
    assert put(account, "b", widget, {"Widget": waits}, bound("Widget")) == pending
    assert account.worker("b").text == "2", "until the transfer, bindings reach the source's objects"
    assert put(account, "a", source(), sent)["transferred"] == [
        {"class": "Widget", "to": "b", "phase": "committed"}
    ]
    assert put(account, "b", widget, {"Widget": live()}, bound("Widget")) == {}
    assert account.worker("b").text == "3"
    spaces = account.call("GET", f"{account.account}/workers/durable_objects/namespaces")
    assert [(item["class"], item["script"]) for item in spaces] == [("Widget", "b")]


def test_a_version_is_reconciled_when_it_is_deployed(account: Sandbox) -> None:
    put(account, "app", source("One"), {"One": live()})
    metadata = {"exports": {"One": live(), "Two": live()}, "bindings": bound("Two")}
    both = source("One", "Two")
    refused = send(account, "POST", "app/versions", form(both, metadata)).json()
    assert refused["errors"][0]["code"] == 100406
    answer = send(account, "POST", "app/versions", form(both, {**metadata, "bindings": []})).json()
    assert "exports_reconciliation" not in answer["result"]
    spaces = f"{account.account}/workers/durable_objects/namespaces"
    assert len(account.call("GET", spaces)) == 1
    listed = account.call("GET", f"{account.account}/workers/scripts/app/versions")["items"]
    old = next(item["id"] for item in listed if item["id"] != answer["result"]["id"])
    assert split(account, "app", (old, 50), (answer["result"]["id"], 50), expect=400)["code"] == 100405
    split(account, "app", (answer["result"]["id"], 100))
    assert [item["class"] for item in account.call("GET", spaces)] == ["One", "Two"]
