"""From a folder to a sandbox account and back, through the command line: what the tour shows."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from tests.conftest import Sandbox


def edit(folder: Path, old: str, new: str) -> None:
    source = folder / "src" / "index.ts"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new))


def greeting(target: Sandbox) -> str:
    return target.worker("hello").text.splitlines()[0]


def test_deploy_split_and_roll_back(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    first = trailboss("deploy", "--json", "--message", "the first")
    assert first.status == 0, first
    report = first.json
    assert (report["ok"], report["target"], report["environment"]) == (True, "sandbox:test", None)
    worker = report["workers"][0]
    assert (worker["worker"], worker["outcome"], worker["version_number"]) == ("hello", "deployed", 1)
    assert greeting(target) == "Hello from version one"

    again = trailboss("deploy", "--json").json["workers"][0]
    assert again["outcome"] == "unchanged"

    edit(hello, "version one", "version two")
    uploaded = trailboss("versions", "upload", "--json", "--tag", "second").json
    assert (uploaded["outcome"], uploaded["version_number"]) == ("uploaded", 2)
    assert greeting(target) == "Hello from version one"

    split = trailboss("versions", "deploy", "second@20", "v1@80", "--json").json
    assert split["changed"] is True
    shares = {item["number"]: item["percentage"] for item in split["deployment"]["versions"]}
    assert shares == {1: 80, 2: 20}
    seen = Counter(greeting(target) for _ in range(100))
    assert set(seen) == {"Hello from version one", "Hello from version two"}

    back = trailboss("rollback", "--message", "the old one was better", "--json").json
    assert (back["changed"], back["version"]["number"]) == (True, 1)
    assert {greeting(target) for _ in range(20)} == {"Hello from version one"}

    listed = trailboss("deployments", "list", "--json").json
    assert [item["current"] for item in listed] == [False, False, True]
    assert listed[-1]["annotations"]["workers/message"] == "the old one was better"


def test_what_a_person_sees(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    done = trailboss("deploy", "--tag", "one")
    assert done.out.startswith("✓ hello v1 is live")
    assert f"→ http://hello.{target.connection.subdomain}.workers.localhost" in done.out
    assert "hello · environment (top level) · target sandbox:test" in done.err
    assert trailboss("deploy").out.startswith("✓ hello v1 is live already; nothing to do")
    table = trailboss("versions", "list").out.splitlines()
    assert table[0].split() == ["version", "id", "traffic", "made", "git", "digest", "by", "about"]
    assert table[1].split()[0] == "v1"
    assert "100 %" in table[1]
    assert "[one]" in table[1]
    assert all(line == line.rstrip() for line in table)
    assert "v1   ████████████████████   100 %" in trailboss("deployments", "status").out
    viewed = trailboss("versions", "view", "latest").out
    assert "VISITS" in viewed
    assert "kv_namespace" in viewed


def test_versions_list_reads_like_wranglers(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    trailboss("deploy", "--message", "first", "--tag", "a")
    edit(hello, "version one", "version two")
    trailboss("versions", "upload", "--message", "second")
    listed = trailboss("versions", "list", "--json").json
    assert [item["number"] for item in listed] == [1, 2]
    assert listed[0]["annotations"] == {"workers/message": "first", "workers/tag": "a"}
    assert listed[0]["metadata"]["created_on"]
    viewed = trailboss("versions", "view", "v2", "--json").json
    assert viewed["id"] == listed[1]["id"]
    assert "VISITS" in {binding["name"] for binding in viewed["resources"]["bindings"]}


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


def test_the_file_ci_actions_read(
    trailboss: Trailboss, target: Sandbox, hello: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRANGLER_OUTPUT_FILE_PATH", str(tmp_path / "ledger" / "out.json"))
    trailboss("deploy")
    entry = json.loads((tmp_path / "ledger" / "out.json").read_text())
    assert (entry["type"], entry["worker_name"], entry["version"]) == ("deploy", "hello", 1)
    assert entry["targets"][0].startswith("http://hello.")


def test_secrets_never_appear(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    trailboss("deploy")
    canary = "canary-7f3a91"
    put = trailboss("secret", "put", "API_KEY", stdin=f"{canary}\n")
    (hello / ".env.secrets").write_text(f"DB_URL={canary}\nAPI_KEY='{canary}'\n")
    bulk = trailboss("secret", "bulk", ".env.secrets")
    piped = trailboss("secret", "bulk", "--json", stdin=json.dumps({"THIRD": canary, "API_KEY": None}))
    assert [done.status for done in (put, bulk, piped)] == [0, 0, 0]
    assert (piped.json["added"], piped.json["removed"]) == (["THIRD"], ["API_KEY"])
    listed = trailboss("secret", "list")
    assert listed.json == [{"name": name, "type": "secret_text"} for name in ("DB_URL", "THIRD")]
    gone = trailboss("secret", "delete", "THIRD", "--yes", "--json")
    assert gone.json["removed"] == ["THIRD"]
    assert canary not in "".join(
        text for done in (put, bulk, piped, listed, gone) for text in (done.out, done.err)
    )


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
    assert trailboss("delete", "--json").json["deleted"] is True
    assert trailboss("delete", "--json").json["deleted"] is False


def test_tail_ends_by_itself_and_filters(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    trailboss("deploy")
    calls = threading.Timer(1.5, lambda: [target.worker("hello", path) for path in ("/", "/missing", "/")])
    calls.start()
    done = trailboss("tail", "--for", "5s", "--format", "json", "--filter", "status:404")
    calls.join()
    assert done.status == 0, done
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["event"]["request"]["url"].rpartition("/")[2] for event in events] == ["missing"]
    assert "Connected to hello" in done.err
    assert "3 events, 1 shown" in done.err


def test_whoami(trailboss: Trailboss, target: Sandbox) -> None:
    found = trailboss("whoami", "--json").json
    assert found["loggedIn"] is True
    assert [account["id"] for account in found["accounts"]] == [target.connection.account_id]
    assert target.connection.account_id in trailboss("whoami").out
    assert trailboss("whoami", "--account", "nobody", "--json").error["code"] == "TB9012"


def test_stats_count_the_requests(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    assert "API requests" in trailboss("whoami", "--stats").err
    assert trailboss("whoami", "--stats", "--json").json["stats"]["requests"] >= 4
