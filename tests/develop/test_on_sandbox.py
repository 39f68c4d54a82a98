"""`dev --sandbox`: deployed at the start and after every edit; logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.develop.accounts import at_sandbox
from tests.develop.conftest import Start
from tests.waiting import wait_until

API = """
export default {
  async fetch(request, env) {
    console.log("asked for", new URL(request.url).pathname);
    return new Response(`GREETING ${env.KEY} ${await (await env.BACK.fetch(request)).text()}`);
  },
};
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two Workers; the first calls the second, which only it has a variable for."""
    (tmp_path / "trailboss.toml").write_text(
        'name = "pair"\n[workers]\napi = { path = "api" }\nback = { path = "back" }\n'
        "[environments.development]\n"
    )
    services = [{"binding": "BACK", "service": "back"}]
    for name, code, more in (
        ("api", API, {"services": services}),
        ("back", "export default { fetch: (_, env) => new Response('back ' + env.KEY) };", {}),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.js").write_text(code)
        config = {"name": name, "main": "index.js", "compatibility_date": "2026-11-01", **more}
        (tmp_path / name / "wrangler.json").write_text(json.dumps(config))
    (tmp_path / "api" / ".dev.vars").write_text("KEY=first\n")
    return tmp_path


def test_edits_are_deployed_and_logs_told(account: Sandbox, start: Start, folder: Path) -> None:
    words = ("dev", "--sandbox", "--env", "development")
    running = start(*words, cwd=folder, **at_sandbox(account))
    line = running.says("ready at")
    assert "api-development" in line
    assert account.worker("api-development").text == "GREETING first back undefined"
    before = len(running.lines)
    source = folder / "api" / "index.js"
    source.write_text(source.read_text().replace("GREETING", "edited"))
    running.says("reloaded in", since=before)
    wait_until(lambda: account.worker("api-development").text.startswith("edited"), "the edit")
    before = len(running.lines)
    source.write_text("this is no JavaScript")
    running.says("what was live before stays", since=before)
    assert account.worker("api-development", "/log").text.startswith("edited")
    running.says("asked for /log")
    before = len(running.lines)
    source.write_text(API)
    (folder / "api" / ".dev.vars").write_text("KEY=second\n")
    wait_until(lambda: account.worker("api-development").text == "GREETING second back undefined", "the key")
    assert running.interrupt() == 0


def test_wranglers_options_are_refused(account: Sandbox, start: Start, folder: Path) -> None:
    refused = start("dev", "--sandbox", "--live-reload", cwd=folder, **at_sandbox(account))
    assert (refused.end(), "TB9482" in refused.text) == (2, True)
