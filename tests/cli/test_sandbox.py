"""`trailboss sandbox …` against a sandbox of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from tests.conftest import Sandbox


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trailboss: Trailboss) -> Iterator[Path]:
    """No sandbox yet; whatever the test starts is stopped."""
    monkeypatch.setenv("TRAILBOSS_SANDBOX_HOME", str(tmp_path / "sandboxes"))
    yield tmp_path / "sandboxes"
    trailboss("sandbox", "stop")


def test_start_status_env_stop(trailboss: Trailboss, home: Path) -> None:
    assert trailboss("sandbox", "status").status == 1
    missing = trailboss("sandbox", "env", "--json")
    assert (missing.status, missing.error["code"]) == (1, "TB5901")

    started = trailboss("sandbox", "start", "--port", "0", "--edge-port", "0", "--json").json
    assert (started["running"], started["already_running"]) == (True, False)
    again = trailboss("sandbox", "start", "--json").json
    assert (again["already_running"], again["api_url"]) == (True, started["api_url"])

    status = trailboss("sandbox", "status", "--json")
    assert status.status == 0
    assert {"name", "subdomain", "edge_port", "api_url", "account_id"} <= set(status.json)
    token = json.loads((home / "default" / "connection.json").read_text())["token"]
    assert token not in status.out + trailboss("sandbox", "status").out

    shell = trailboss("sandbox", "env").out
    echo = f"{shell}\necho $CLOUDFLARE_API_BASE_URL $CLOUDFLARE_API_TOKEN"
    told = subprocess.run(["sh", "-c", echo], capture_output=True, text=True, check=True).stdout
    assert told.split() == [started["api_url"], token]
    assert trailboss("sandbox", "env", "--format", "dotenv").out.startswith("CLOUDFLARE_API_BASE_URL=http")
    assert trailboss("sandbox", "env", "--format", "fish").out.startswith(
        "set -gx CLOUDFLARE_API_BASE_URL http"
    )
    assert "AWS_ENDPOINT_URL_S3" in trailboss("sandbox", "env", "--s3", "--json").json

    assert trailboss("sandbox", "stop", "--json").json == {"name": "default", "was_running": True}
    assert trailboss("sandbox", "stop", "--json").json["was_running"] is False


def test_the_control_plane(trailboss: Trailboss, target: Sandbox, tmp_path: Path) -> None:
    only = ("--name", "test")
    assert trailboss("sandbox", "faults", *only).out == "No faults: the API behaves.\n"
    rule = trailboss(
        "sandbox", "faults", *only, "--effect", "status", "--status", "503", "--times", "1", "--json"
    )
    assert (rule.json[0]["effect"], rule.json[0]["status"]) == ("status", 503)
    assert trailboss("sandbox", "faults", *only, "--clear", "--json").json == []

    assert trailboss("sandbox", "clock", *only, "--freeze", "--json").json["frozen"] is True
    assert "(stopped)" in trailboss("sandbox", "clock", *only).out
    assert trailboss("sandbox", "clock", *only, "--advance", "60", "--json").json["frozen"] is True
    assert trailboss("sandbox", "clock", *only, "--reset", "--json").json["offset"] == 0

    trailboss("whoami")
    journal = trailboss("sandbox", "journal", *only, "--match", "/accounts", "--limit", "1", "--json").json
    assert len(journal) == 1
    assert "method" in journal[0]

    assert trailboss("sandbox", "snapshot", "before", *only, "--json").json["name"] == "before"
    assert "before" in trailboss("sandbox", "snapshot", "--list", *only).out
    assert trailboss("sandbox", "restore", "before", *only).status == 0

    (tmp_path / "broken.json").write_text("{")
    assert trailboss("sandbox", "seed", "broken.json", *only, "--json").error["code"] == "TB9014"
    assert trailboss("sandbox", "seed", "-", *only, "--json", stdin='{"ids": 7}').status == 0
    assert trailboss("sandbox", "reset", *only, "--json").json == {"name": "test", "running": True}
