"""1Password cannot run here: an `op` program and a Connect server that behave as documented."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.secrets import standin_connect

VAULTS: dict[str, list[dict[str, Any]]] = {
    "prod": [
        {
            "title": "Stripe",
            "fields": [
                {"label": "secret key", "value": "sk_live_1"},
                {"label": "publishable-key", "value": "pk_live_1"},
                {"label": "code", "value": "otpauth://totp/x", "otp": "123456"},
                {"label": "key", "value": "in-a", "section": "a"},
                {"label": "key", "value": "in-b", "section": "b"},
            ],
            "files": [{"name": "notes.txt", "content": b"a file"}, {"name": "x.bin", "content": b"\xff\xfe"}],
        },
        {"title": "db", "fields": [{"label": "password", "value": "two\nlines {{ op://prod/db/x }} ${Y}\n"}]},
        {"title": "twice", "id": "a" * 26, "fields": [{"label": "password", "value": "first"}]},
        {"title": "twice", "id": "b" * 26, "fields": [{"label": "password", "value": "second"}]},
    ],
    "App Staging": [{"title": "api", "fields": [{"label": "token", "value": "staging-token"}]}],
}


@dataclass
class Op:
    """The stand-in for `op`: `environ` has it on the PATH."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": f"{self.folder}{os.pathsep}{os.defpath}", "HOME": str(self.folder)}

    def set(self, **state: Any) -> None:
        """`says`: refuse everything with this message; `version`; `hangs`; `vaults`."""
        (self.folder / "state.json").write_text(json.dumps({"vaults": _plain(VAULTS), **state}))

    @property
    def calls(self) -> list[dict[str, Any]]:
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _plain(vaults: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [{**item, "files": None} for item in items] for name, items in vaults.items()}


@pytest.fixture
def op(tmp_path: Path) -> Op:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "op"
    source = Path(__file__).with_name("standin_op.py").read_text()
    program.write_text(f"#!{sys.executable} -IS\n{source}")
    program.chmod(0o755)
    found = Op(folder)
    found.set()
    return found


@pytest.fixture
def connect() -> Iterator[standin_connect.Server]:
    with standin_connect.running(VAULTS) as server:
        yield server
