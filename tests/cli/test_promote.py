"""The same bytes in the next environment, and nothing else in a protected one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.cli.test_release import edit
from tests.conftest import Sandbox

PROTECTED = """
[environments.staging]
[environments.production]
protected = true
"""


@pytest.fixture
def project(target: Sandbox, hello: Path) -> Path:
    with (hello / "trailboss.toml").open("a") as file:
        file.write(PROTECTED)
    return hello


def live(target: Sandbox, script: str) -> dict[str, Any]:
    found = target.call("GET", f"{target.account}/workers/scripts/{script}/versions")["items"][0]
    return dict(found["metadata"].get("annotations") or found["annotations"])


def test_a_protected_environment_wants_proof(trailboss: Trailboss, target: Sandbox, project: Path) -> None:
    refused = trailboss("deploy", "--env", "production", "--json")
    assert (refused.status, refused.error["code"]) == (6, "TB4420")
    assert target.call("GET", f"{target.account}/workers/scripts") == []
    planned = trailboss("deploy", "--env", "production", "--dry-run", "--json")
    assert planned.status == 0 and "would be refused" in planned.json["workers"][0]["warnings"][0]
    canary = trailboss("deploy", "--env", "production", "--strategy", "canary", "--json")
    assert (canary.status, canary.error["code"]) == (6, "TB4420")

    assert trailboss("deploy", "--env", "staging").status == 0
    assert trailboss("deploy", "--env", "production").status == 0
    assert trailboss("deploy", "--env", "production", "--json").json["workers"][0]["outcome"] == "unchanged"
    edit(project, "version one", "version two")
    assert trailboss("deploy", "--env", "production", "--json").status == 6
    forced = trailboss("deploy", "--env", "production", "--force", "--message", "hot", "--json")
    assert forced.status == 0 and "forced" in forced.json["workers"][0]["warnings"][0]
    assert "hot (forced: not proved by staging)" in live(target, "hello-production")["workers/message"]


def test_promote(
    trailboss: Trailboss, target: Sandbox, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nothing = trailboss("promote", "staging", "production", "--json")
    assert (nothing.status, nothing.error["code"]) == (6, "TB4422")
    staged = trailboss("deploy", "--env", "staging", "--json").json["workers"][0]
    edit(project, "version one", "not yet proved")
    done = trailboss("promote", "staging", "production", "--json")
    assert done.status == 0, done
    worker = done.json["workers"][0]
    assert (worker["worker"], worker["digest"]) == ("hello-production", staged["digest"])
    assert "version one" in target.worker("hello-production").text
    assert live(target, "hello-production")["workers/message"].startswith("Promoted from staging")
    again = trailboss("promote", "staging", "production", "--json").json["workers"][0]
    assert again["outcome"] == "unchanged"

    (listed,) = trailboss("versions", "list", "--env", "production", "--json").json
    assert listed["proved"] == ["staging"]
    assert "proved in" in trailboss("versions", "list", "--env", "production").out
    told = trailboss("history", "--env", "production", "--json").json
    check("trailboss history", told)
    (release,) = told["releases"]
    assert (release["kind"], release["result"], release["proved"]) == ("deploy", "live", ["staging"])
    shown = trailboss("history", "--env", "production").out
    assert "Promoted from staging" in shown and release["digest"][7:15] in shown

    assert trailboss("deploy", "--env", "staging").status == 0
    edit(project, "not yet proved", "something else")
    cache = tmp_path / "cache"
    monkeypatch.setattr("trailboss.build.cache.cache_root", lambda: cache)
    refused = trailboss("promote", "staging", "production", "--json")
    assert (refused.status, refused.error["code"]) == (6, "TB4421"), refused
    shutil.rmtree(cache, ignore_errors=True)


def test_promote_to_itself(trailboss: Trailboss, project: Path) -> None:
    assert trailboss("promote", "staging", "staging", "--json").error["code"] == "TB9438"
    wrong = trailboss("promote", "staging", "production", "--env", "staging", "--json")
    assert wrong.error["code"] == "TB9438"
    assert trailboss("promote", "nowhere", "production", "--json").error["code"] == "TB1102"
