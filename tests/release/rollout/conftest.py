"""Rollouts in the real sandbox: short windows, real traffic, a Worker whose failures are a variable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.release.conftest import Desk
from trailboss.cloud import Cloud
from trailboss.release.deploy import deploy
from trailboss.release.outcomes import DeployOptions, DeployReport
from trailboss.release.rollout.policy import Gate, Judgement, Policy, Probe, Step, Timing

FAST = Timing(window=0.25, settle=0.15, lag=0.3, checkpoint=5.0)
CODE = """export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const ill = env.HEALTH ? 500 : 200;
    if (url.pathname === "/health") return new Response(env.HEALTH ?? "fine", { status: ill });
    if (Math.random() < Number(env.FAILING ?? 0)) throw new Error("broken");
    return new Response(env.TEXT);
  },
};"""


def policy(*shares: float, **changes: Any) -> Policy:
    """A canary through `shares`, quick enough for a test."""
    steps = tuple(Step(share, 0.0 if share == 100 else 0.3, 90.0) for share in shares or (50.0, 100.0))
    gates = (
        Gate("errors", "errors"),
        Gate("ceiling", "ceiling", limit=0.6),
        Gate("home", "probe", "home", every=0.5),
    )
    made = Policy(
        "canary",
        steps,
        gates,
        (Probe("home", path="/health"),),
        timing=FAST,
        judgement=Judgement(theta_max=0.2),
    )
    return replace(made, **changes)


@contextlib.asynccontextmanager
async def traffic(desk: Desk, worker: str = "hello", workers: int = 4) -> AsyncIterator[dict[str, int]]:
    """Requests as fast as they are answered, in the background; `seen` counts bodies and failures."""
    found = desk.account.connection
    host = f"{worker}.{found.subdomain}.workers.localhost"
    seen: dict[str, int] = {"requests": 0, "failed": 0}

    async def visitor(client: httpx.AsyncClient, number: int) -> None:
        while True:
            headers = {"host": host, "cf-connecting-ip": f"10.0.0.{number}"}
            answer = await client.get(found.edge_url, headers=headers)
            seen["requests"] += 1
            seen["failed"] += answer.status_code >= 500
            if answer.status_code < 500:
                seen[answer.text] = seen.get(answer.text, 0) + 1
            await asyncio.sleep(0.008)

    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        tasks = [asyncio.create_task(visitor(client, number)) for number in range(workers)]
        try:
            yield seen
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def stage(desk: Desk) -> Stage:
    return Stage(desk)


class Stage:
    """A Worker that is live, and releases of it under traffic."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def write(self, text: str, **more: Any) -> None:
        self.desk.write(text=text, **more)
        (self.desk.folder / "index.js").write_text(CODE)

    def live(self, text: str = "one", **more: Any) -> None:
        """The first version, at once."""
        self.write(text, **more)
        self.desk.deploy()

    async def release(self, chosen: Policy, **options: Any) -> DeployReport:
        project = self.desk.project()
        async with Cloud(self.desk.target) as cloud:
            return await deploy(project, project.workers, cloud, DeployOptions(rollout=chosen, **options))

    def released(self, chosen: Policy, **options: Any) -> tuple[DeployReport, dict[str, int]]:
        """A release under traffic: its report, and what visitors saw."""

        async def main() -> tuple[DeployReport, dict[str, int]]:
            async with traffic(self.desk) as seen:
                return await self.release(chosen, **options), seen

        return asyncio.run(main())
