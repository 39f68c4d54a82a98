"""The service account backend: the real `onepassword` package, with a stand-in where it calls its native
library. That library speaks 1Password's own encrypted protocol, which cannot be served here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import onepassword.core
import pytest

from trailboss.errors import SecretError
from trailboss.secrets.backends import Answer, Unresolved
from trailboss.secrets.backends.service_account import _MEANS, ServiceAccount
from trailboss.secrets.reference import Reference
from trailboss.values import Secret

TOKEN = "ops_eyJ-canary-token"
VALUES = {"op://v/i/f": "one", "op://v/i/g": "two"}


class Refusal(Exception):
    """As the native library raises: `msg` is JSON."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.msg = json.dumps({"name": name, "message": message})


class Native:
    """What the native library is to the package: three functions of JSON."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.errors: dict[str, str] = {}
        self.refusal: Refusal | None = None
        self.hangs = False

    async def init_client(self, config: str) -> str:
        self.calls.append(json.loads(config))
        if self.refusal:
            raise self.refusal
        return "7"

    async def invoke(self, request: str) -> str:
        found = json.loads(request)["invocation"]
        self.calls.append(found["parameters"])
        if self.hangs:
            await asyncio.Event().wait()
        texts = found["parameters"]["parameters"]["secret_references"]
        return json.dumps({"individualResponses": {text: self._one(text) for text in texts}})

    def _one(self, text: str) -> dict[str, Any]:
        if text in VALUES:
            return {"content": {"secret": VALUES[text], "itemId": "i", "vaultId": "v"}, "error": None}
        return {"content": None, "error": {"type": self.errors.get(text, "other")}}

    def release_client(self, client: str) -> None:
        pass


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> Native:
    found = Native()

    def init(core: Any) -> None:
        core.core = found

    monkeypatch.setattr(onepassword.core.UniffiCore, "__init__", init)
    return found


def ask(*texts: str, timeout: float = 5) -> dict[str, Answer]:
    backend = ServiceAccount(Secret(TOKEN), timeout)
    found = asyncio.run(backend.resolve([Reference.parse(text) for text in texts]))
    return {str(reference): answer for reference, answer in found.items()}


def test_one_call_for_all(native: Native) -> None:
    native.errors = {"op://v/i/h": "fieldNotFound"}
    found = ask("op://v/i/f", "op://v/i/g", "op://v/i/h")
    assert found == {
        "op://v/i/f": Secret("one"),
        "op://v/i/g": Secret("two"),
        "op://v/i/h": Unresolved("field", "unknown"),
    }
    config, request = native.calls
    assert config["serviceAccountToken"] == TOKEN and config["integrationName"] == "Trailboss"
    assert request["name"] == "SecretsResolveAll"


def test_every_error_of_the_sdk_is_known(native: Native) -> None:
    kinds = {kind.value for kind in onepassword.types.ResolveReferenceErrorTypes}
    assert set(_MEANS) <= kinds
    native.errors = {"op://v/i/x": "sSHKeyMetadataNotFound"}
    (answer,) = ask("op://v/i/x").values()
    assert isinstance(answer, Unresolved) and "sSHKeyMetadataNotFound" in answer.detail


@pytest.mark.parametrize(
    ("name", "message", "code"),
    [
        ("Other", "invalid service account token, please make sure you provide a valid one", "TB7044"),
        ("Other", f"unauthorized: {TOKEN} has expired", "TB7044"),
        ("RateLimitExceeded", "rate limit exceeded", "TB7046"),
        ("Other", "error sending request for url: dns error", "TB7047"),
        ("Other", "what", "TB7049"),
    ],
)
def test_refusals(native: Native, name: str, message: str, code: str) -> None:
    native.refusal = Refusal(name, message)
    with pytest.raises(SecretError) as caught:
        ask("op://v/i/f")
    assert caught.value.code == code
    assert TOKEN not in str(caught.value)


def test_no_answer(native: Native) -> None:
    native.hangs = True
    with pytest.raises(SecretError) as caught:
        ask("op://v/i/f", timeout=0.2)
    assert caught.value.code == "TB7048"


def test_the_real_library_refuses_what_is_no_token() -> None:
    with pytest.raises(SecretError) as caught:
        ask("op://v/i/f")
    assert caught.value.code == "TB7044"


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from trailboss.secrets.backends import service_account

    absent: Callable[[str], None] = lambda name: None  # noqa: E731
    monkeypatch.setattr(service_account, "find_spec", absent)
    with pytest.raises(SecretError, match="onepassword-sdk") as caught:
        ask("op://v/i/f")
    assert caught.value.code == "TB7040"
    assert "pip install" in caught.value.hint
