"""The deployer's process is killed at every step, and another machine goes on with what the account says."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.release.conftest import Desk
from tests.release.rollout.conftest import Stage, policy, traffic
from trailboss.cloud import Cloud
from trailboss.config import Project
from trailboss.errors import ReleaseError
from trailboss.release.model import Deployment
from trailboss.release.reading import read_deployments
from trailboss.release.rollout.afterwards import Rest, write_rest
from trailboss.release.rollout.control import find
from trailboss.release.rollout.report import RolloutReport
from trailboss.release.rollout.resuming import resume

RELEASE = """name = "hello"
[release]
steps = [50, 100]
bake = "400ms"
window = "250ms"
settle = "150ms"
lag = "300ms"
theta_max = 0.2
"""


def begin(desk: Desk, tmp_path: Path, *words: str) -> subprocess.Popen[bytes]:
    """The command line, in a process and a home of its own."""
    home = {"HOME": str(tmp_path), "TRAILBOSS_SANDBOX_HOME": str(desk.account.home), "CI": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "trailboss", *words, "--target", "sandbox:test"],
        cwd=desk.folder,
        env={**os.environ, **home},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def until(desk: Desk, step: int) -> Deployment:
    """Wait until the account says that the rollout is at a step."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        path = f"{desk.account.account}/workers/scripts/hello/deployments"
        wire = await asyncio.to_thread(desk.account.call, "GET", path)
        from trailboss.release.model import read_deployment

        current = read_deployment(wire["deployments"][0])
        if current.mark is not None and current.mark.at >= step:
            return current
        await asyncio.sleep(0.02)
    raise AssertionError(f"step {step} never came")


def test_killed_at_each_step(stage: Stage, tmp_path: Path) -> None:
    desk = stage.desk
    stage.live()
    stage.write("two", triggers={"crons": ["0 5 * * *"]}, logpush=True)
    (desk.folder / "trailboss.toml").write_text(RELEASE)
    owners: set[str] = set()

    async def main() -> int:
        words: tuple[str, ...] = ("deploy",)
        async with traffic(desk) as seen:
            for step in (-1, 0):
                process = begin(desk, tmp_path, *words)
                found = await until(desk, step)
                process.kill()
                process.wait()
                assert found.mark is not None and not found.mark.phase.over
                assert sum(share.percentage for share in found.shares) == 100
                owners.add(found.mark.owner)
                words = ("release", "resume", "--force")
            process = begin(desk, tmp_path, *words)
            status = await asyncio.to_thread(process.wait)
        assert not seen["failed"]
        return int(status)

    assert asyncio.run(main()) == 0 and len(owners) == 2
    found = desk.run(lambda cloud: read_deployments(cloud, "hello"))
    assert found[0].mark is not None and found[0].mark.phase.value == "promoted"
    assert len({item.mark.id for item in found if item.mark}) == 1
    assert desk.account.worker("hello").text == "two"
    assert around(desk) == (["0 5 * * *"], True)
    killed_after_the_last_step(stage)


def around(desk: Desk) -> tuple[list[str], bool]:
    """The Worker's schedules, and one of its settings."""
    worker = f"{desk.account.account}/workers/scripts/hello"
    found = desk.account.call("GET", f"{worker}/schedules")["schedules"]
    return [one["cron"] for one in found], desk.account.call("GET", f"{worker}/script-settings")["logpush"]


def killed_after_the_last_step(stage: Stage) -> None:
    """All traffic is moved, and the deployer was gone before it wrote triggers and settings."""
    desk = stage.desk
    worker = f"{desk.account.account}/workers/scripts/hello"

    async def again(cloud: Cloud, project: Project | None) -> RolloutReport:
        found = await find(cloud, ["hello"])  # whose settings are others than those of `policy`
        return await resume(cloud, found, policy(), addresses={}, project=project)

    desk.account.call("PUT", f"{worker}/schedules", [])
    desk.account.call("PATCH", f"{worker}/script-settings", {"logpush": False})
    with pytest.raises(ReleaseError) as caught:
        desk.run(lambda cloud: again(cloud, None))
    assert caught.value.code == "TB4408" and around(desk) == ([], False)
    project = desk.project()
    done = desk.run(lambda cloud: again(cloud, project))
    assert (done.result, done.exit_status) == ("promoted", 0) and around(desk) == (["0 5 * * *"], True)
    assert done.rest[0].settings and [one.kind for one in done.rest[0].updated] == ["schedules"]
    with pytest.raises(ReleaseError):
        desk.run(lambda cloud: again(cloud, project))
    stage.write("other", triggers={"crons": ["0 6 * * *"]})
    project = desk.project()
    (left,) = desk.run(lambda cloud: rest_of(cloud, project))
    assert "the configuration here is not what v2 was made of: `trailboss deploy`" in left.left
    assert around(desk) == (["0 5 * * *"], True)


async def rest_of(cloud: Cloud, project: Project) -> tuple[Rest, ...]:
    return await write_rest(project, cloud, await find(cloud, ["hello"]))


def test_ended_politely_it_is_held(stage: Stage, tmp_path: Path) -> None:
    desk = stage.desk
    stage.live()
    stage.write("two")
    (desk.folder / "trailboss.toml").write_text(RELEASE.replace("400ms", "10m"))

    async def main() -> int:
        process = begin(desk, tmp_path, "deploy")
        await until(desk, 0)
        process.terminate()
        return int(await asyncio.to_thread(process.wait))

    status = asyncio.run(main())
    (newest, *_) = desk.run(lambda cloud: read_deployments(cloud, "hello"))
    assert newest.mark is not None and newest.mark.phase.value == "held", (status, newest)
    assert "was interrupted" in (newest.message or "")
