"""Two real Workers of one project, one calling the other: one release, and back as one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.release.conftest import Desk
from tests.release.rollout.conftest import CODE, policy, traffic
from trailboss.cloud import Cloud
from trailboss.config import Project
from trailboss.errors import ReleaseError
from trailboss.release.deploy import deploy
from trailboss.release.outcomes import DeployOptions, DeployReport
from trailboss.release.reverting import Finding
from trailboss.release.rollout import backwards
from trailboss.release.rollout.backwards import Back, plan_whole, roll_back_whole
from trailboss.release.rollout.control import find
from trailboss.release.rollout.policy import Policy

WEB = """export default { async fetch(request, env) {
  if (new URL(request.url).pathname === "/health") return new Response("fine");
  const answer = await env.API.fetch(request);
  return new Response(`${env.TEXT} ${await answer.text()}`, { status: answer.status });
} };"""


def write(folder: Path, text: str, failing: str = "0") -> Project:
    """`web` calls `api`; both say `text`, and `api` fails as often as told."""
    shared = {"main": "index.js", "compatibility_date": "2026-08-04"}
    workers: dict[str, tuple[str, dict[str, Any]]] = {
        "web": (WEB, {"vars": {"TEXT": text}, "services": [{"binding": "API", "service": "api"}]}),
        "api": (CODE, {"vars": {"TEXT": text, "FAILING": failing}}),
    }
    for name, (code, more) in workers.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "index.js").write_text(code)
        (folder / name / "wrangler.json").write_text(json.dumps({"name": name, **shared, **more}))
    tables = "".join(f'[workers.{name}]\npath = "{name}"\n' for name in workers)
    (folder / "trailboss.toml").write_text(f'name = "both"\n{tables}')
    return Project.load(folder, environ={})


async def release(desk: Desk, project: Project, chosen: Policy | None) -> DeployReport:
    async with Cloud(desk.target) as cloud:
        return await deploy(project, project.workers, cloud, DeployOptions(rollout=chosen))


async def _given(value: Any) -> Any:
    return value


def test_two_workers_are_one_release(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = desk.folder / "both"
    asyncio.run(release(desk, write(folder, "one"), None))

    async def walked(project: Project) -> DeployReport:
        async with traffic(desk, "web"):  # each of its requests is one of the other Worker too
            return await release(desk, project, policy(50, 100))

    good = asyncio.run(walked(write(folder, "three")))
    assert good.rollout is not None and good.rollout.result == "promoted", good.rollout
    assert [one.worker for one in good.workers] == ["api", "web"]
    assert desk.account.worker("web").text == "three three"

    async def back(cloud: Cloud) -> None:
        found = await find(cloud, ["web", "api"])
        assert found.order == ("api", "web") and found.state.members == ("api", "web")
        plans = await plan_whole(cloud, found)
        assert [(one.worker, one.possible, one.around) for one in plans] == [
            ("api", True, ()),
            ("web", True, ()),
        ]
        blocked = [replace(plans[0], findings=(Finding("migration", "m1"),)), plans[1]]
        monkeypatch.setattr(backwards, "plan_whole", lambda *_: _given(tuple(blocked)))
        with pytest.raises(ReleaseError) as caught:
            await roll_back_whole(cloud, found, Back())
        assert caught.value.code == "TB4034" and "nothing was moved" in caught.value.message
        monkeypatch.undo()
        done = await roll_back_whole(cloud, found, Back("on second thought", around=True))
        assert done.restored == {"api": (), "web": ()}

    desk.run(back)
    assert desk.account.worker("web").text == "one one"
