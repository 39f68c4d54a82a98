"""A project in a folder, and verbs called against the real sandbox."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.conftest import Sandbox
from trailboss.build.wrangler import find
from trailboss.cloud import Cloud, Target
from trailboss.config import Project
from trailboss.release.deploy import deploy
from trailboss.release.outcomes import DeployOptions, DeployReport
from trailboss.values import Secret

T = TypeVar("T")

CODE = """export default {
  async fetch(request, env) {
    console.log("asked", new URL(request.url).pathname);
    return new Response(`${env.TEXT} ${env.GREETING ?? ""} ${env.TOKEN ?? ""}`);
  },
  async scheduled() {}, async queue() {},
};"""


@dataclass
class Desk:
    """One account, one project folder. `calls` are the API calls of the last verb, as "METHOD template"."""

    account: Sandbox
    folder: Path
    calls: list[str] = field(default_factory=list)

    @property
    def target(self) -> Target:
        found = self.account.connection
        return Target(
            "sandbox:test", found.api_url, Secret(found.token), found.account_id, found.edge_url, True
        )

    def run(self, verb: Callable[[Cloud], Awaitable[T]]) -> T:
        """What `verb` returns for this account."""

        async def main() -> T:
            async with Cloud(self.target) as cloud:
                try:
                    return await verb(cloud)
                finally:
                    self.calls = [
                        f"{method} {path}"
                        for (method, path), count in cloud.stats.requests.items()
                        for _ in range(count)
                    ]

        return asyncio.run(main())

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET ")]

    def write(self, *, text: str = "one", code: str = "", name: str = "hello", **settings: Any) -> None:
        """The project's files: a Worker that answers `text`, with these settings over the least ones.

        The text is a variable, so that another text needs no bundling; `code` changes the code itself.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        config = {"name": name, "main": "index.js", "compatibility_date": "2026-08-04", **settings}
        config["vars"] = {"TEXT": text, **settings.get("vars", {})}
        (self.folder / "wrangler.json").write_text(json.dumps(config))
        (self.folder / "index.js").write_text(CODE + code)

    def project(self) -> Project:
        return Project.load(self.folder, environ={})

    def deploy(self, **options: Any) -> DeployReport:
        project = self.project()
        return self.run(lambda cloud: deploy(project, project.workers, cloud, DeployOptions(**options)))

    def wrangler(self, *arguments: str) -> str:
        """Real wrangler in the same folder and account; its standard output."""
        found = find(self.folder)
        done = subprocess.run(
            [str(found.node), str(found.script), *arguments],
            cwd=self.folder,
            env={
                **self.account.environ(),
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.folder),
                "NO_COLOR": "1",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests, so that code that was bundled once comes from the build cache."""
    return tmp_path_factory.mktemp("projects") / "project"


@pytest.fixture
def desk(account: Sandbox, folder: Path) -> Desk:
    shutil.rmtree(folder, ignore_errors=True)
    return Desk(account, folder)
