"""The steps this version holds, run as written; what must be true afterwards is read through the API."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.commands import Shell, step
from tests.conftest import Sandbox

EXAMPLE = Path(__file__).parents[2] / "examples" / "agency"
ENVIRONMENTS = ("development", "staging", "production")


@pytest.fixture
def shell(account: Sandbox, tmp_path: Path) -> Shell:
    """A copy of the example in an empty account, with the secrets' files."""
    folder = tmp_path / "agency"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".wrangler", ".trailboss", "node_modules"))
    for name in ENVIRONMENTS:
        (folder / f".env.{name}").write_text(f"API_KEY=key-of-{name}\nWEBHOOK=https://example.com/{name}\n")
    home = str(account.home)
    return Shell(folder, {"TRAILBOSS_SANDBOX_HOME": home, "TRAILBOSS_TARGET": "sandbox:test", "CI": "true"})


def live(account: Sandbox, script: str) -> list[dict[str, Any]]:
    """Which versions take which share now."""
    answer = account.call("GET", f"{account.account}/workers/scripts/{script}/deployments")
    return list(answer["deployments"][0]["versions"])


def test_step_1_environments_and_their_secrets(account: Sandbox, shell: Shell) -> None:
    commands = step(1)
    said = "".join(shell.run(command) for command in commands)
    for name in ENVIRONMENTS if commands else ():
        found = account.call("GET", f"{account.account}/workers/scripts/agency-{name}/secrets")
        assert {item["name"] for item in found} == {"API_KEY", "WEBHOOK"}
        assert f"key-of-{name}" not in said
        assert name in (shell.folder / "trailboss.toml").read_text()


def test_step_2_staging_then_production_run_the_same_bytes(account: Sandbox, shell: Shell) -> None:
    commands = step(2)
    if commands:  # as after step 1: the secrets wait on a draft, whose code has no queue handler
        shell.run("trailboss secret bulk --env staging .env.staging")
        planned = shell.run("trailboss deploy --env staging --dry-run")
        assert "d1_database agency-ai-sessions-staging (to create)" in planned
        assert account.call("GET", f"{account.account}/d1/database") == []
        assert "for the next deploy" in shell.run("trailboss apply --env staging")
    for command in commands:
        before = _scripts(account)
        shell.run(command)
        if "--dry-run" in command:
            assert _scripts(account) == before
    if commands:
        marks = {name: _digest(account, f"agency-{name}") for name in ("staging", "production")}
        assert marks["staging"] == marks["production"] != ""
        assert account.worker("agency-production", "/").status_code == 200


def test_step_3_versions_by_number(account: Sandbox, shell: Shell) -> None:
    commands = step(3)
    if commands:
        shell.run("trailboss deploy --env staging")
        shell.run("trailboss deploy --env production")
        _fill(account, "agency-production", up_to=123)
    for command in commands:
        shell.run(command)
        if "v123" in command:
            assert _numbers(account, "agency-production") == {123: 100}
    if commands:
        assert _numbers(account, "agency-production") == {122: 100}


def test_step_4_resources_and_their_bindings(account: Sandbox, shell: Shell) -> None:
    commands = step(4)
    if commands:  # as after step 1
        shell.run("trailboss secret bulk --env development .env.development")
    first = [shell.run(command) for command in commands]
    files = [(shell.folder / name).read_text() for name in ("trailboss.toml", "wrangler.jsonc")]
    again = [shell.run(command) for command in commands]
    if commands:
        assert all("is made" in said for said in first)
        assert all("is there already" in said for said in again)
        assert files == [(shell.folder / name).read_text() for name in ("trailboss.toml", "wrangler.jsonc")]
        assert "No changes" in shell.run("trailboss plan --env development")
        query = "tag=trailboss.project%3Dagency&tag=trailboss.env%3Ddevelopment"
        tagged = account.call("GET", f"{account.account}/tags/resources?{query}")
        assert sorted(row["name"] for row in tagged) == [
            "agency-ai-jobs-development",
            "agency-ai-sessions-development",
            "agency-cache-development",
            "agency-generated-content-development",
            "agency-knowledge-base-development",
        ]


def test_step_8_the_security_of_a_zone(account: Sandbox, shell: Shell) -> None:
    commands = step(8)
    if not commands:
        return
    zone = _zone(account)
    path = f"/zones/{zone}/rulesets/phases/http_request_firewall_custom/entrypoint"
    theirs = {
        "action": "log",
        "expression": 'http.host eq "a.empathyfirstmedia.com"',
        "description": "theirs",
    }
    account.call("PUT", path, {"rules": [theirs]})
    for _ in range(2):
        for command in commands:
            shell.run(command)
        assert account.call("GET", f"/zones/{zone}/settings/security_level")["value"] == "high"
        limits = account.call("GET", f"/zones/{zone}/rulesets/phases/http_ratelimit/entrypoint")["rules"]
        assert [rule["ratelimit"]["requests_per_period"] for rule in limits] == [100]
        rules = account.call("GET", path)["rules"]
        assert [rule["description"] for rule in rules] == ["theirs", "There is nothing of that kind here"]


def test_step_9_a_domain_and_its_certificate(account: Sandbox, shell: Shell) -> None:
    commands = step(9)
    if not commands:
        return
    zone = _zone(account)
    shell.run("trailboss deploy --env production")
    for _ in range(2):
        for command in commands:
            shell.run(command)
    host = "ai.empathyfirstmedia.com"
    assert account.edge(host).status_code == 200
    packs = account.call("GET", f"/zones/{zone}/ssl/certificate_packs")
    assert [(pack["status"], host in pack["hosts"]) for pack in packs if pack["type"] == "advanced"] == [
        ("active", True)
    ]
    assert "No changes" in shell.run("trailboss plan --env production")


@pytest.mark.parametrize("order", [1, -1])
def test_step_10_load_balancing_in_either_order(account: Sandbox, shell: Shell, order: int) -> None:
    commands = step(10)[::order]
    if not commands:
        return
    zone = _zone(account)
    for command in commands:
        shell.run(command)
    [pool] = account.call("GET", f"{account.account}/load_balancers/pools")
    [balancer] = account.call("GET", f"/zones/{zone}/load_balancers")
    assert balancer["default_pools"] == [pool["id"]]
    assert [origin["address"] for origin in pool["origins"]] == [
        "worker-1.empathyfirstmedia.com",
        "worker-2.empathyfirstmedia.com",
    ]
    monitor = account.call("GET", f"{account.account}/load_balancers/monitors/{pool['monitor']}")
    assert monitor["type"] == "https"


def _zone(account: Sandbox) -> str:
    """The zone of the fixture."""
    body = {"name": "empathyfirstmedia.com", "account": {"id": account.connection.account_id}, "type": "full"}
    return str(account.call("POST", "/zones", body)["id"])


def _scripts(account: Sandbox) -> list[str]:
    return [item["id"] for item in account.call("GET", f"{account.account}/workers/scripts")]


def _digest(account: Sandbox, script: str) -> str:
    [whole] = live(account, script)
    version = account.call(
        "GET", f"{account.account}/workers/scripts/{script}/versions/{whole['version_id']}"
    )
    message = (version.get("annotations") or version["metadata"].get("annotations"))["workers/message"]
    return str(message.split("[sha256:")[1][:64])


def _numbers(account: Sandbox, script: str) -> dict[int, float]:
    path = f"{account.account}/workers/scripts/{script}/versions"
    return {
        account.call("GET", f"{path}/{item['version_id']}")["number"]: item["percentage"]
        for item in live(account, script)
    }


def _fill(account: Sandbox, script: str, *, up_to: int) -> None:
    """Upload versions until there is one with that number."""
    url = f"{account.connection.api_url}{account.account}/workers/scripts/{script}/versions"
    metadata = '{"main_module":"w.js","compatibility_date":"2026-11-01"}'
    code = 'export default { fetch() { return new Response("filler") } }'

    def upload(_: int) -> httpx.Response:
        parts = {
            "metadata": (None, metadata),
            "w.js": ("w.js", code, "application/javascript+module"),
        }
        return account.http.post(url, files=parts).raise_for_status()

    with ThreadPoolExecutor(4) as pool:
        highest = max(answer.json()["result"]["number"] for answer in pool.map(upload, range(up_to - 1)))
    assert highest >= up_to
