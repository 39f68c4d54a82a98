"""From a folder to a sandbox account and back, through the command line: what the tour shows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import httpx

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.conftest import Sandbox


def edit(folder: Path, old: str, new: str) -> None:
    source = folder / "src" / "index.ts"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new))


def greetings(target: Sandbox, count: int = 1) -> Counter[str]:
    """What the Worker says, over one connection."""
    host = f"hello.{target.connection.subdomain}.workers.localhost"
    with httpx.Client(headers={"host": host}, timeout=30) as client:
        return Counter(client.get(target.connection.edge_url).text.splitlines()[0] for _ in range(count))


def test_deploy_split_and_roll_back(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    first = trailboss("deploy", "--json", "--message", "the first")
    assert first.status == 0, first
    report = first.json
    assert (report["ok"], report["target"], report["environment"]) == (True, "sandbox:test", None)
    worker = report["workers"][0]
    assert (worker["worker"], worker["outcome"], worker["version_number"]) == ("hello", "deployed", 1)
    assert set(greetings(target)) == {"Hello from version one"}

    again = trailboss("deploy", "--json").json["workers"][0]
    assert again["outcome"] == "unchanged"

    edit(hello, "version one", "version two")
    uploaded = trailboss("versions", "upload", "--json", "--tag", "second").json
    assert (uploaded["outcome"], uploaded["version_number"]) == ("uploaded", 2)
    assert set(greetings(target)) == {"Hello from version one"}

    split = trailboss("versions", "deploy", "second@20", "v1@80", "--json").json
    assert split["changed"] is True
    shares = {item["number"]: item["percentage"] for item in split["deployment"]["versions"]}
    assert shares == {1: 80, 2: 20}
    assert set(greetings(target, 100)) == {"Hello from version one", "Hello from version two"}

    back = trailboss("rollback", "--message", "the old one was better", "--json").json
    assert (back["changed"], back["version"]["number"]) == (True, 1)
    assert set(greetings(target, 20)) == {"Hello from version one"}

    listed = trailboss("deployments", "list", "--json").json
    assert [item["current"] for item in listed] == [False, False, True]
    assert listed[-1]["annotations"]["workers/message"] == "the old one was better"


def test_a_dry_run_changes_nothing(
    trailboss: Trailboss, target: Sandbox, hello: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    done = trailboss("deploy", "--dry-run", "--outdir", str(tmp_path / "out"), "--json")
    assert done.status == 0, done
    assert done.json["workers"][0]["outcome"] == "planned"
    assert "version one" in (tmp_path / "out" / "index.js").read_text()
    assert (tmp_path / "out" / "mine.txt").exists()
    assert target.call("GET", f"{target.account}/workers/scripts") == []


def test_a_dry_run_needs_no_account(trailboss: Trailboss, hello: Path) -> None:
    done = trailboss("deploy", "--dry-run")
    assert done.status == 0, done
    assert "only what is on this machine is checked" in done.err
    assert "hello would be deployed" in done.out


def test_flags_in_wranglers_spelling(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    done = trailboss(
        "deploy", "--name", "renamed", "--var", "A:1", "B:x:y", "--compatibilityDate=2026-10-01", "--json"
    )
    assert done.json["workers"][0]["worker"] == "renamed"
    version = target.call("GET", f"{target.account}/workers/scripts/renamed/versions")["items"][0]["id"]
    found = target.call("GET", f"{target.account}/workers/scripts/renamed/versions/{version}")["resources"]
    texts = {item["name"]: item.get("text") for item in found["bindings"]}
    assert (texts["A"], texts["B"]) == ("1", "x:y")
    assert found["script_runtime"]["compatibility_date"] == "2026-10-01"


def test_delete(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    trailboss("deploy")
    assert 'Would delete "hello"' in trailboss("delete", "--dry-run").out
    caller = hello.parent / "caller"
    caller.mkdir()
    (caller / "index.js").write_text("export default { fetch: (request, env) => env.HELLO.fetch(request) }")
    settings = {
        "name": "caller",
        "main": "index.js",
        "compatibility_date": "2026-11-01",
        "services": [{"binding": "HELLO", "service": "hello"}],
    }
    (caller / "wrangler.json").write_text(json.dumps(settings))
    assert trailboss("deploy", "--cwd", str(caller)).status == 0
    used = trailboss("delete", "--json")
    assert (used.status, used.error["code"]) == (6, "TB4060")
    assert trailboss("delete", "caller", "--json").json["deleted"] is True  # nobody would miss it
    done = trailboss("delete", "--json").json
    check("trailboss delete", done)
    assert done["deleted"] is True
    assert trailboss("delete", "--json").json["deleted"] is False


def test_whoami(trailboss: Trailboss, target: Sandbox) -> None:
    found = trailboss("whoami", "--json").json
    assert found["loggedIn"] is True
    assert [account["id"] for account in found["accounts"]] == [target.connection.account_id]
    assert target.connection.account_id in trailboss("whoami").out
    assert trailboss("whoami", "--account", "nobody", "--json").error["code"] == "TB9012"
    assert "API requests" in trailboss("whoami", "--stats").err
    assert trailboss("whoami", "--stats", "--json").json["stats"]["requests"] >= 4
