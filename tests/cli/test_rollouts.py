"""Rollouts by the command line: walked, rolled back, held, paused, promoted, aborted, watched."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.cli.test_release import edit
from tests.conftest import Sandbox

QUICK = """
[release]
bake = "200ms"
deadline = "60s"
window = "250ms"
settle = "100ms"
lag = "300ms"
theta_max = 0.2
steps = [20, 50, 100]
[probes.home]
every = "300ms"
"""


@contextlib.contextmanager
def visitors(target: Sandbox) -> Iterator[None]:
    """Requests in the background, from four connections."""
    over = threading.Event()
    host = f"hello.{target.connection.subdomain}.workers.localhost"

    def visit() -> None:
        with httpx.Client(headers={"host": host}, timeout=30, trust_env=False) as client:
            while not over.wait(0.003):
                client.get(target.connection.edge_url)

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def project(trailboss: Trailboss, target: Sandbox, hello: Path) -> Path:
    """examples/hello, live at version 1, with a quick walk configured for the next."""
    done = trailboss("deploy", "--json")
    assert done.status == 0, done
    with (hello / "trailboss.toml").open("a") as file:
        file.write(QUICK)
    return hello


def shares(target: Sandbox) -> list[float]:
    found = target.call("GET", f"{target.account}/workers/scripts/hello/deployments")["deployments"]
    return [item["percentage"] for item in found[0]["versions"]]


def deadline(project: Path, old: str, new: str) -> None:
    file = project / "trailboss.toml"
    file.write_text(file.read_text().replace(f'deadline = "{old}"', f'deadline = "{new}"'))


def broken(project: Path) -> None:
    edit(project, "const path =", 'if (env.VISITS) throw new Error("broken"); const path =')


def test_a_broken_version_exits_with_four(trailboss: Trailboss, target: Sandbox, project: Path) -> None:
    broken(project)
    with visitors(target):
        done = trailboss("deploy", "--json")
    assert done.status == 4, done
    document = done.json
    check("trailboss deploy", document)
    check("trailboss deploy: rollout", document["rollout"], set())
    assert document["workers"][0]["outcome"] == "rolled-back" and document["ok"] is False
    rollout = document["rollout"]
    assert (rollout["result"], rollout["gate"], rollout["healthy"]) == ("rolled-back", "home", True)
    assert shares(target) == [100] and target.worker("hello").status_code == 200


def test_a_good_version_walks_to_the_end(trailboss: Trailboss, target: Sandbox, project: Path) -> None:
    edit(project, "version one", "version two")
    planned = trailboss("deploy", "--dry-run")
    assert planned.status == 0 and "20 % for 200 ms, 50 % for 200 ms, 100 %" in planned.out
    with visitors(target):
        done = trailboss("deploy", "--message", "Two")
    assert done.status == 0, done
    assert "promoted" in done.out and "worst case" in done.err
    picture = trailboss("release", "status", "--json").json
    check("trailboss release status", picture)
    assert (picture["phase"], picture["alive"]) == ("promoted", False)
    assert trailboss("release", "watch").status == 0
    assert trailboss("release", "resume").status == 1
    assert "version two" in target.worker("hello").text
    assert "promoted" in trailboss("release", "status").out
    preview = trailboss("rollback", "--dry-run", "--json")
    check("trailboss rollback --dry-run", preview.json)
    assert (
        preview.json["possible"]
        and "can be rolled back from v2 to v1" in trailboss("rollback", "--dry-run").out
    )
    assert preview.json["around"] == []
    back = trailboss("rollback", "--around", "--json").json
    assert (back["version"]["number"], back["restored"]) == (1, [])
    refused = trailboss("rollback", "--data", "--json")
    assert (refused.status, refused.error["code"]) == (6, "TB4033")


def test_held_then_decided(trailboss: Trailboss, target: Sandbox, project: Path) -> None:
    """Nobody visits: the first step is held, and never promoted by itself."""
    deadline(project, "60s", "600ms")
    edit(project, "version one", "version two")
    done = trailboss("deploy")
    assert done.status == 1 and "held" in done.out and "release resume" in done.err, done
    assert shares(target) == [80, 20]
    assert trailboss("release", "watch", "--json").status == 1

    again = trailboss("deploy", "--json")
    assert (again.status, again.error["code"]) == (5, "TB4404")
    assert trailboss("deploy", "--strategy", "at-once", "--json").error["code"] == "TB4404"

    promoted = trailboss("release", "promote", "--message", "looks fine", "--json")
    assert promoted.status == 0 and promoted.json["share"] == 50 and shares(target) == [50, 50]
    assert trailboss("release", "pause", "--json").json["phase"] == "paused"
    deadline(project, "600ms", "60s")
    with visitors(target):
        resumed = trailboss("release", "resume", "--json")
    assert resumed.status == 0 and resumed.json["result"] == "promoted", resumed
    check("trailboss deploy: rollout", resumed.json)
    messages = [
        item["annotations"].get("workers/message", "")
        for item in trailboss("deployments", "list", "--json").json
    ]
    assert any("promoted by hand by" in text and "looks fine" in text for text in messages)


def test_aborted(trailboss: Trailboss, target: Sandbox, project: Path) -> None:
    edit(project, "version one", "version two")
    deadline(project, "60s", "600ms")
    assert trailboss("deploy", "--steps", "30,100").status == 1
    assert shares(target) == [70, 30]
    done = trailboss("release", "abort", "--message", "no", "--yes")
    assert done.status == 0 and shares(target) == [100] and "aborted" in done.out
    assert "version one" in target.worker("hello").text
    over: dict[str, Any] = trailboss("release", "abort", "--json").error
    assert over["code"] == "TB4408"


def test_no_rollout(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    assert trailboss("release", "status", "--json").error["code"] == "TB4406"
    first = trailboss("deploy", "--strategy", "canary", "--json").json
    assert first["rollout"] is None and "no version yet" in first["workers"][0]["warnings"][0]
    assert trailboss("release", "status", "--json").error["code"] == "TB4406"
    assert trailboss("release", "counter", "--json").error["code"] == "TB4417"
    check("trailboss release counter", trailboss("release", "counter", "--yes", "--json").json)
    assert "not counted" in trailboss("release", "counter", "--remove").out
    quiet = trailboss("watch", "--for", "300ms", "--json")
    assert quiet.status == 0 and quiet.json["alarm"] == "quiet"
    check("trailboss watch", quiet.json, set())
    assert trailboss("watch", "--burn", "1h", "--json").error["code"] == "TB9440"
    assert trailboss("watch", "--objective", "100", "--json").error["code"] == "TB9439"
    assert trailboss("deploy", "--steps", "nine", "--json").error["code"] == "TB9436"
