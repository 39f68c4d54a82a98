"""`trailboss sandbox …` against a sandbox of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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

    assert trailboss("sandbox", "stop", "--json").json == {"name": "default", "was_running": True}
    assert trailboss("sandbox", "stop", "--json").json["was_running"] is False


def bare(**more: str) -> dict[str, str]:
    """An environment in which nothing points anywhere."""
    return {"PATH": os.environ["PATH"], **more}


def variables_of(script: str, environ: dict[str, str]) -> dict[str, str]:
    """What a POSIX shell has after `script`."""
    done = subprocess.run(["sh", "-c", f"{script}\nenv"], capture_output=True, text=True, env=environ)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


SDK = """
import boto3, cloudflare
client = cloudflare.Cloudflare()
client.r2.buckets.create(account_id=__import__("os").environ["CLOUDFLARE_ACCOUNT_ID"], name="by-sdk")
s3 = boto3.client("s3")
s3.put_object(Bucket="by-sdk", Key="k", Body=b"by boto3")
print([bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])
print(s3.get_object(Bucket="by-sdk", Key="k")["Body"].read())
"""


def test_the_environment_is_all_that_other_tools_need(trailboss: Trailboss, target: Sandbox) -> None:
    script = trailboss("sandbox", "env", "--s3", "--name", "test").out
    told = variables_of(script, bare(AWS_EC2_METADATA_DISABLED="true"))
    assert told["TRAILBOSS_TARGET"] == "sandbox:test"
    done = subprocess.run([sys.executable, "-c", SDK], env=told, capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["['by-sdk']", "b'by boto3'"], done.stderr


def test_the_variables_in_every_spelling(
    trailboss: Trailboss, target: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = ("sandbox", "env", "--name", "test")
    said = trailboss(*only, "--json").json
    assert said["CLOUDFLARE_BASE_URL"] == said["CLOUDFLARE_API_BASE_URL"]
    assert trailboss(*only, "--shell", "json").json == said
    assert "AWS_REGION" not in said
    url = said["CLOUDFLARE_BASE_URL"]
    assert f"CLOUDFLARE_BASE_URL={url}\n" in trailboss(*only, "--format", "dotenv").out
    assert f"set -gx CLOUDFLARE_BASE_URL '{url}'\n" in trailboss(*only, "--shell", "fish").out
    assert f"$env:CLOUDFLARE_BASE_URL = '{url}'\n" in trailboss(*only, "--shell", "powershell").out
    monkeypatch.setenv("CLOUDFLARE_API_KEY", "would-win")
    script = trailboss(*only, "--s3").out
    told = variables_of(script, bare(CLOUDFLARE_API_KEY="would-win"))
    assert "CLOUDFLARE_API_KEY" not in told
    away = trailboss(*only, "--s3", "--unset").out
    left = variables_of(away, told)
    assert not [name for name in left if name.startswith(("CLOUDFLARE", "AWS_", "TRAILBOSS"))]
    assert "set -e CLOUDFLARE_API_TOKEN\n" in trailboss(*only, "--unset", "--shell", "fish").out
    assert trailboss(*only, "--unset", "--json").error["code"] == "TB9046"


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
