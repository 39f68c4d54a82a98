"""A deploy of what is live already: what it imports and what it asks decides how long it takes.

Whoever adds to these lists makes every deploy slower: import it where it is needed, inside the function."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import CLEAR, EXAMPLES
from tests.cli.test_startup import PROBE, ours
from tests.conftest import Sandbox

NOT_THESE = {
    *("aiohttp", "anyio", "apprise", "cloudflare", "cryptography", "httpcore", "onepassword", "pydantic"),
    *("platformdirs", "rich", "starlette", "tomlkit", "uvicorn", "websockets"),
}
NOT_OURS = {
    *("trailboss.build.bundle", "trailboss.build.inputs", "trailboss.build.uploader"),
    *("trailboss.config.settings", "trailboss.config.wrangler", "trailboss.config.checks"),
    *("trailboss.plan.provision", "trailboss.resources.registry", "trailboss.secrets.resolver"),
    "trailboss.release.rollout.choosing",
}
MOST = 135
"""Modules of ours. It was 122 when this was written."""


def test_it_imports_little_and_asks_three_times(account: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "hello"
    shutil.copytree(EXAMPLES / "hello", folder, ignore=shutil.ignore_patterns(".wrangler", ".trailboss"))
    kept = {name: value for name, value in os.environ.items() if name not in CLEAR}
    environ = {**kept, **account.environ(), "TRAILBOSS_SANDBOX_HOME": str(account.home)}

    def deploy() -> tuple[dict[str, object], set[str]]:
        code = PROBE.format(words=("deploy", "--json", "--stats"))
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, env=environ, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout), set(json.loads(done.stderr.splitlines()[-1]))

    first, _ = deploy()
    second, modules = deploy()
    assert [report["workers"][0]["outcome"] for report in (first, second)] == ["deployed", "unchanged"]
    assert second["stats"]["requests"] == 3
    assert modules & NOT_THESE == set()
    assert modules & NOT_OURS == set()
    assert len(ours(modules)) <= MOST, sorted(ours(modules))
