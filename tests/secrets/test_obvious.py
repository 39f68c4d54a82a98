"""`op://vault/item`: the field that is meant when none is named, through every backend."""

from __future__ import annotations

import json
from typing import Any

import onepassword.core
import pytest

from tests.secrets.conftest import Op
from tests.secrets.standin_connect import TOKEN, Server, identity
from trailboss.errors import SecretError
from trailboss.secrets import resolve
from trailboss.secrets.obvious import FieldName, obvious
from trailboss.secrets.reference import Reference

URL = "postgres://app:pw@10.0.0.5:5432/agency"
NOTES = {"label": "notesPlain", "id": "notesPlain", "purpose": "NOTES", "value": "see the wiki"}
VAULTS: dict[str, list[dict[str, Any]]] = {
    "Production": [
        {"title": "GCP_DB_CONNECTION", "fields": [
            {"label": "username", "value": "app"}, {"label": "Connection-String", "value": URL}, NOTES]},
        {"title": "by-look", "fields": [
            {"label": "user", "value": "app"}, {"label": "primary", "value": URL, "section": "main"}]},
        {"title": "one", "fields": [{"label": "credential", "value": "only"},
            {"label": "empty", "value": ""}, NOTES]},
        {"title": "parts", "fields": [
            {"label": "server", "value": "10.0.0.5"}, {"label": "password", "value": "canary-pw"}]},
        {"title": "nothing", "fields": [NOTES]},
    ]
}  # fmt: skip
WAYS = ("op", "connect", "service-account")


class Native:
    """The SDK's native library, holding `VAULTS`."""

    async def init_client(self, config: str) -> str:
        return "7"

    def release_client(self, client: str) -> None:
        pass

    async def invoke(self, request: str) -> str:
        asked = json.loads(request)["invocation"]["parameters"]
        return json.dumps(getattr(self, asked["name"])(**asked["parameters"]))

    def VaultsList(self, **_: Any) -> list[dict[str, Any]]:
        moment = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
        shape = {"description": "", "vaultType": "userCreated", "activeItemCount": 1, "contentVersion": 1}
        return [
            {"id": name.lower(), "title": name, **moment, **shape, "attributeVersion": 1} for name in VAULTS
        ]

    def ItemsList(self, **_: Any) -> list[dict[str, Any]]:
        return [self._item(item) for item in VAULTS["Production"]]

    def ItemsGet(self, item_id: str, **_: Any) -> dict[str, Any]:
        return next(self._item(item) for item in VAULTS["Production"] if item["title"] == item_id)

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        kinds = {"fieldType": "Concealed"}
        fields = [
            {"id": one.get("id", one["label"]), "title": one["label"], "value": one["value"], **kinds}
            | ({"sectionId": one["section"]} if "section" in one else {})
            for one in item["fields"]
        ]
        moment = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
        more = {"sections": [], "notes": "", "tags": [], "websites": [], "version": 1, "files": []}
        title = {"id": item["title"], "title": item["title"], "category": "Database", "vaultId": "production"}
        return {**title, "fields": fields, **more, **moment, "state": "active"}

    def SecretsResolveAll(self, secret_references: list[str]) -> dict[str, Any]:
        found = {}
        for text in secret_references:
            _, item, *_, field = text.removeprefix("op://").split("/")
            values = {one["label"]: one["value"] for i in VAULTS["Production"] if i["title"] == item
                      for one in i["fields"]}  # fmt: skip
            content = {"secret": values[field], "itemId": item, "vaultId": "v"}
            found[text] = {"content": content, "error": None}
        return {"individualResponses": found}


@pytest.fixture
def environs(op: Op, connect: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    op.set(vaults=VAULTS)
    connect.vaults = VAULTS
    monkeypatch.setattr(onepassword.core.UniffiCore, "__init__", lambda core: setattr(core, "core", Native()))
    return {
        "op": op.environ,
        "connect": {"OP_CONNECT_HOST": connect.url, "OP_CONNECT_TOKEN": TOKEN},
        "service-account": {"OP_SERVICE_ACCOUNT_TOKEN": "ops_x"},
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("item", "value"), [("GCP_DB_CONNECTION", URL), ("by-look", URL), ("one", "only")])
def test_the_obvious_field(way: str, item: str, value: str, environs: dict[str, dict[str, str]]) -> None:
    assert resolve(f"op://Production/{item}", environs[way]).reveal() == value


@pytest.mark.parametrize("way", WAYS)
def test_where_none_is_obvious_the_fields_are_listed(way: str, environs: dict[str, dict[str, str]]) -> None:
    with pytest.raises(SecretError, match="names no field") as caught:
        resolve("op://Production/parts", environs[way], name="DB")
    assert caught.value.code == "TB7036"
    assert caught.value.hint == "Name it: op://Production/parts/server, op://Production/parts/password."
    assert "canary-pw" not in repr(vars(caught.value))
    with pytest.raises(SecretError) as caught:
        resolve("op://Production/nothing", environs[way])
    assert caught.value.hint == "No field of the item holds anything."


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("text", "code"), [("op://Prod/x", "TB7030"), ("op://Production/x", "TB7031")])
def test_the_part_that_is_wrong(way: str, text: str, code: str, environs: dict[str, dict[str, str]]) -> None:
    with pytest.raises(SecretError) as caught:
        resolve(text, environs[way])
    assert caught.value.code == code


def test_one_look_and_one_question(op: Op) -> None:
    op.set(vaults=VAULTS)
    resolve(
        "{{ op://Production/one }} {{ op://Production/one }} {{ op://Production/parts/server }}", op.environ
    )
    get = ["item", "get", "one", "--vault=Production", "--format=json"]
    assert [call["argv"] for call in op.calls] == [get, ["inject"]]


def test_a_name_before_a_look_before_the_only_one() -> None:
    named = FieldName("a", "Database URL", filled=True)
    other = FieldName("b", "url", filled=True, connects=True)
    reference = Reference("v", "i", None, "")
    assert obvious(reference, [other, named]) == Reference("v", "i", None, "a")
    assert obvious(reference, [FieldName(identity("x"), "p", "s", connects=True), FieldName("q", "q")]) == (
        Reference("v", "i", "s", identity("x"))
    )
