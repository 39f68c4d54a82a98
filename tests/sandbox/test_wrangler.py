"""Real, pinned wrangler against the sandbox: what it says, what the API then knows, what the edge answers."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.sandbox.client import command, run

Wrangler = Callable[..., str]

CODE = """
export default {
  async fetch(request, env) {
    console.log("seen", env.WHO);
    return new Response(`hello from ${env.WHO} ${env.KEY}`);
  },
  async scheduled() {},
};
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "index.js").write_text(CODE)
    config = {
        "name": "greeter",
        "main": "index.js",
        "compatibility_date": "2026-01-01",
        "vars": {"WHO": "one"},
        "workers_dev": True,
        "preview_urls": True,
        "triggers": {"crons": ["*/5 * * * *"]},
    }
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    return tmp_path


@pytest.fixture
def wrangler(account: Sandbox, project: Path) -> Wrangler:
    return lambda *words, stdin="", ok=True: run(account, project, *words, stdin=stdin, ok=ok)


def change(project: Path, **changes: object) -> None:
    path = project / "wrangler.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_deploy_twice_then_roll_back(account: Sandbox, project: Path, wrangler: Wrangler) -> None:
    said = wrangler("whoami")
    assert account.connection.account_id in said
    assert "test@sandbox.localhost" in said
    said = wrangler("deploy")
    assert f"greeter.{account.connection.subdomain}.workers.localhost" in said
    assert account.worker("greeter").text == "hello from one undefined"
    change(project, vars={"WHO": "two"})
    wrangler("deploy", "--message", "second")
    assert account.worker("greeter").text == "hello from two undefined"
    posts = [entry["path"] for entry in account.control("GET", "journal") if entry["method"] == "POST"]
    assert f"/client/v4{account.account}/workers/scripts/greeter/versions" in posts
    scripts = f"{account.account}/workers/scripts/greeter"
    assert [item["cron"] for item in account.call("GET", f"{scripts}/schedules")["schedules"]] == [
        "*/5 * * * *"
    ]
    listed = wrangler("deployments", "list")
    assert "second" in listed
    assert "Automatic deployment on upload." in listed
    wrangler("rollback", "--message", "back", "--yes")
    assert account.worker("greeter").text == "hello from one undefined"
    assert len(account.call("GET", f"{scripts}/deployments")["deployments"]) == 3
    change(project, triggers={"crons": ["0 0 * * *"]})
    wrangler("triggers", "deploy")
    found = account.call("GET", f"{scripts}/schedules")["schedules"]
    assert [item["cron"] for item in found] == ["0 0 * * *"]


def test_versions_and_a_split(account: Sandbox, project: Path, wrangler: Wrangler) -> None:
    wrangler("deploy")
    change(project, vars={"WHO": "two"})
    said = wrangler("versions", "upload", "--tag", "v2", "--message", "next", "--preview-alias", "fresh")
    new = re.findall(r"Worker Version ID: ([0-9a-f-]{36})", said)[0]
    assert new[:8] in said and "fresh-greeter" in said
    host = f"{account.connection.subdomain}.workers.localhost"
    assert account.edge(f"{new[:8]}-greeter.{host}").text == "hello from two undefined"
    assert account.edge(f"fresh-greeter.{host}").text == "hello from two undefined"
    assert account.worker("greeter").text == "hello from one undefined"
    assert "v2" in wrangler("versions", "view", new)
    old = account.call("GET", f"{account.account}/workers/scripts/greeter/versions")["items"][1]["id"]
    wrangler("versions", "deploy", f"{old}@100%", f"{new}@0%", "--yes")
    assert {account.worker("greeter").text for _ in range(10)} == {"hello from one undefined"}
    override = {"Cloudflare-Workers-Version-Overrides": f'greeter="{new}"'}
    assert account.worker("greeter", headers=override).text == "hello from two undefined"


def test_secrets(account: Sandbox, project: Path, wrangler: Wrangler) -> None:
    wrangler("secret", "put", "KEY", stdin="drafted")
    wrangler("deploy")
    assert account.worker("greeter").text == "hello from one drafted"
    (project / "all.json").write_text(json.dumps({"KEY": "bulk", "OTHER": "more"}))
    wrangler("secret", "bulk", "all.json")
    assert account.worker("greeter").text == "hello from one bulk"
    wrangler("secret", "delete", "OTHER")
    left = account.call("GET", f"{account.account}/workers/scripts/greeter/secrets")
    assert [item["name"] for item in left] == ["KEY"]
    wrangler("versions", "secret", "put", "KEY", stdin="later")
    assert account.worker("greeter").text == "hello from one bulk"
    assert "isn't currently deployed" in wrangler("secret", "put", "KEY", stdin="x", ok=False)


def test_static_assets(account: Sandbox, project: Path, wrangler: Wrangler) -> None:
    (project / "public").mkdir()
    (project / "public" / "page.html").write_text("<h1>page</h1>")
    change(project, assets={"directory": "public", "binding": "ASSETS"})
    wrangler("deploy")
    page = account.worker("greeter", "/page")
    assert (page.text, page.headers["content-type"][:9]) == ("<h1>page</h1>", "text/html")
    assert account.worker("greeter", "/other").text == "hello from one undefined"
    assert "No updated asset files to upload" in wrangler("versions", "upload")


def test_tail_and_delete(account: Sandbox, project: Path, wrangler: Wrangler) -> None:
    wrangler("deploy")
    start, environ = command(account)
    with subprocess.Popen(
        [*start, "tail", "greeter", "--format", "json"],
        cwd=project,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as tail:
        tails = f"{account.account}/workers/scripts/greeter/tails"
        assert account.control("GET", "journal?wait=30&match=/greeter/tails")
        account.worker("greeter", "/seen-by-tail")
        assert tail.stdout is not None
        text = ""
        for line in tail.stdout:
            text += line
            if line == "}\n":
                break
        event = json.loads(text[text.index("{") :])
        assert event["event"]["request"]["url"].endswith("/seen-by-tail")
        assert event["logs"][0]["message"] == ["seen", "one"]
        tail.send_signal(signal.SIGINT)
    assert account.call("GET", tails) == []
    wrangler("delete", "--force")
    assert account.call("GET", f"{account.account}/workers/scripts") == []
    assert account.worker("greeter").status_code == 404


def test_a_syntax_error_is_explained(account: Sandbox, project: Path, wrangler: Wrangler) -> None:
    (project / "index.js").write_text("export default { fetch() {} };\nthrow new Error('at start');")
    said = wrangler("deploy", ok=False)
    assert "at start" in said and "10021" in said


def test_durable_objects_are_migrated(account: Sandbox, project: Path, wrangler: Wrangler) -> None:
    (project / "index.js").write_text(
        "import { DurableObject } from 'cloudflare:workers';\n"
        "export class Counter extends DurableObject { async add() {\n"
        "  const n = (await this.ctx.storage.get('n') ?? 0) + 1;\n"
        "  await this.ctx.storage.put('n', n); return n; } }\n"
        "export default { async fetch(r, env) { return new Response(String("
        "await env.COUNTER.get(env.COUNTER.idFromName('a')).add())); } };\n"
    )
    change(
        project,
        durable_objects={"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
        migrations=[{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
    )
    wrangler("deploy")
    assert [account.worker("greeter").text for _ in range(3)] == ["1", "2", "3"]
    wrangler("deploy")
    assert account.worker("greeter").text == "4"
    spaces = account.call("GET", f"{account.account}/workers/durable_objects/namespaces")
    assert [(item["class"], item["script"], item["use_sqlite"]) for item in spaces] == [
        ("Counter", "greeter", True)
    ]
