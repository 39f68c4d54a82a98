"""What doctor finds, and that it never stops at the first problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from tests.conftest import Sandbox


def states(document: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in document["checks"]}


def test_all_is_well(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    done = trailboss("doctor", "--json")
    assert done.status == 0
    assert done.json["ok"] is True
    found = states(done.json)
    assert set(found) == {
        "Python",
        "Node",
        "wrangler",
        "Cache",
        "Project",
        "Sandbox",
        "Target",
        "Token",
        "Rights",
        "Clock",
    }
    assert set(found.values()) == {"ok"}
    assert "Everything is here" in trailboss("doctor").out


def test_problems_are_all_reported(
    trailboss: Trailboss, hello: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hello / "wrangler.jsonc").write_text('{"name": "hello", "kv_namespace": []}')
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(tmp_path / "file"))
    done = trailboss("doctor", "--json")
    assert done.status == 1
    found = states(done.json)
    assert found["Cache"] == "fail"
    assert found["Target"] == "fail"
    assert all(check["hint"] for check in done.json["checks"] if check["state"] == "fail")
    shown = trailboss("doctor").out
    assert "✗ Cache" in shown
    assert "Try: Set TRAILBOSS_CACHE_DIR" in shown


def test_a_token_that_is_refused(
    trailboss: Trailboss, target: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRAILBOSS_TARGET")
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", target.connection.api_url)
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "wrong" * 8)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", target.connection.account_id)
    done = trailboss("doctor", "--json")
    assert done.status == 1
    assert states(done.json)["API"] == "fail"
