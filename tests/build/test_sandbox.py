"""An artifact goes to the emulated account in both ways, runs there, and is recognised in its history."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.build.projects import load, make
from tests.conftest import Sandbox
from trailboss.build import BuildCache, Uploaded, build, read_message, upload
from trailboss.cloud import Cloud, Target
from trailboss.plan import provision
from trailboss.values import Secret

CONFIG = {
    "name": "site",
    "main": "index.js",
    "compatibility_date": "2026-11-01",
    "assets": {"directory": "public", "binding": "ASSETS"},
    "kv_namespaces": [{"binding": "KV"}],
    "vars": {"GREETING": "hello"},
}
CODE = """export default {
  async fetch(request, env) { return new Response(`%s ${env.GREETING} ${typeof env.KV.get}`); },
};"""


@pytest.mark.timeout(300)
def test_both_ways_into_the_sandbox(account: Sandbox, tmp_path: Path, cache: BuildCache) -> None:
    connection = account.connection
    target = Target("sandbox:test", connection.api_url, Secret(connection.token), connection.account_id)

    def send(text: str) -> tuple[str, Uploaded]:
        files = {"wrangler.json": json.dumps(CONFIG), "index.js": CODE % text, "public/a.txt": "asset\n"}
        worker = load(make(tmp_path / "site", files))
        artifact = build(worker, cache=cache)

        async def run() -> Uploaded:
            async with Cloud(target) as cloud:
                provided = await provision(cloud, worker.name, worker.raw, deployed_bindings=None)
                return await upload(cloud, worker, artifact, message=text, resources=provided.resources)

        return artifact.digest, asyncio.run(run())

    digest, first = send("one")
    assert (first.shape, first.was_new) == ("script", True)
    account.call("POST", f"{account.account}/workers/scripts/site/subdomain", {"enabled": True})
    assert account.worker("site").text == "one hello function"
    assert account.worker("site", "/a.txt").text == "asset\n"

    _, second = send("two")
    assert (second.shape, second.was_new) == ("version", False)
    assert account.worker("site").text == "two hello function"

    versions = account.call("GET", f"{account.account}/workers/scripts/site/versions")["items"]
    origins = {row["id"]: read_message(row["annotations"]["workers/message"]) for row in versions}
    assert origins[first.version_id].text == "one"
    assert origins[first.version_id].digest == digest
    assert origins[second.version_id].digest != digest
