"""What can be asked of one Worker that is live: one deployment for all of these, in any order."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Live, Trailboss
from tests.cli.test_json_output import check
from tests.cli.test_terminal import TRAILBOSS
from trailboss.cli.commands.tail import _Writer
from trailboss.cli.output import Output
from trailboss.observe.items import Gap, Received
from trailboss.observe.sinks import FileSink

pytestmark = pytest.mark.xdist_group("deployed")


def test_what_a_person_sees(trailboss: Trailboss, deployed: Live) -> None:
    done = deployed.how
    assert done.out.startswith("✓ hello v1 is live")
    assert f"→ http://hello.{deployed.sandbox.connection.subdomain}.workers.localhost" in done.out
    assert "hello · environment (top level) · target sandbox:test" in done.err
    table = trailboss("versions", "list").out.splitlines()
    assert table[0].split() == ["version", "id", "traffic", "made", "git", "digest", "by", "about"]
    assert [row for row in table if "100 %" in row]
    assert [row for row in table if row.startswith("v1 ") and "[a]" in row]
    assert all(line == line.rstrip() for line in table)
    assert re.search(r"v\d   ████████████████████   100 %", trailboss("deployments", "status").out)
    viewed = trailboss("versions", "view", "latest").out
    assert "VISITS" in viewed
    assert "kv_namespace" in viewed


def test_the_file_ci_actions_read(deployed: Live) -> None:
    entry = json.loads(deployed.ledger.read_text())
    assert (entry["type"], entry["worker_name"], entry["version"]) == ("deploy", "hello", 1)
    assert entry["targets"][0].startswith("http://hello.")


def test_versions_list_reads_like_wranglers(trailboss: Trailboss, deployed: Live) -> None:
    uploaded = trailboss("versions", "upload", "--message", "second", "--json").json
    listed = trailboss("versions", "list", "--limit", "100", "--json").json
    assert [item["number"] for item in listed] == list(range(1, uploaded["version_number"] + 1))
    assert listed[0]["annotations"] == {"workers/message": "first", "workers/tag": "a"}
    assert listed[0]["metadata"]["created_on"]
    viewed = trailboss("versions", "view", f"v{uploaded['version_number']}", "--json").json
    assert viewed["id"] == listed[-1]["id"] == uploaded["version_id"]
    assert "VISITS" in {binding["name"] for binding in viewed["resources"]["bindings"]}


def test_every_document_has_the_fields_that_are_promised(trailboss: Trailboss, deployed: Live) -> None:
    put = trailboss("secret", "put", "A", "--yes", "--json", stdin="x").json
    check("trailboss secret put", put)
    done = trailboss("deploy", "--json").json
    check("trailboss deploy", done)
    check("trailboss deploy: workers", done["workers"][0], set())
    uploaded = trailboss("versions", "upload", "--json").json
    check("trailboss deploy: workers", uploaded)
    newest = trailboss("versions", "list", "--json").json
    check("trailboss versions list", newest[0], set())
    check("trailboss versions view", trailboss("versions", "view", "latest", "--json").json)
    dry = trailboss("versions", "deploy", "latest", "--dry-run", "--json").json
    check("trailboss versions deploy --dry-run", dry)
    check("trailboss versions deploy", trailboss("versions", "deploy", "latest", "--json").json)
    check("trailboss deployments list", trailboss("deployments", "list", "--json").json[0], set())
    check("trailboss deployments status", trailboss("deployments", "status", "--json").json)
    check("trailboss rollback", trailboss("rollback", "--force", "--json").json)
    check("trailboss secret list", trailboss("secret", "list", "--json").json[0], set())
    check("trailboss secret put", trailboss("secret", "delete", "A", "--yes", "--json").json)


def test_secrets_never_appear(trailboss: Trailboss, deployed: Live) -> None:
    canary = "canary-7f3a91"
    put = trailboss("secret", "put", "API_KEY", "--yes", stdin=f"{canary}\n")
    (deployed.folder / ".env.secrets").write_text(f"DB_URL={canary}\nAPI_KEY='{canary}'\n")
    bulk = trailboss("secret", "bulk", ".env.secrets", "--yes")
    several = json.dumps({"THIRD": canary, "API_KEY": None})
    piped = trailboss("secret", "bulk", "--json", "--yes", stdin=several)
    assert [done.status for done in (put, bulk, piped)] == [0, 0, 0]
    assert (piped.json["added"], piped.json["removed"]) == (["THIRD"], ["API_KEY"])
    listed = trailboss("secret", "list")
    assert listed.json == [{"name": name, "type": "secret_text"} for name in ("DB_URL", "THIRD")]
    gone = trailboss("secret", "delete", "THIRD", "--yes", "--json")
    assert gone.json["removed"] == ["THIRD"]
    assert canary not in "".join(
        text for done in (put, bulk, piped, listed, gone) for text in (done.out, done.err)
    )


def test_a_tail_filters_and_ctrl_c_ends_it_with_130_and_deletes_it(deployed: Live) -> None:
    words = ["tail", "--for", "60s", "--format", "json", "--filter", "status:404"]
    process = subprocess.Popen(
        [*TRAILBOSS, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stdout is not None
    while not process.stderr.readline().startswith("Connected to hello"):
        assert process.poll() is None
    for path in ("/", "/missing"):
        deployed.sandbox.worker("hello", path)
    assert json.loads(process.stdout.readline())["event"]["request"]["url"].endswith("/missing")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    account = deployed.sandbox
    assert account.call("GET", f"{account.account}/workers/scripts/hello/tails") in ([], None)


def test_a_tail_ends_by_itself(trailboss: Trailboss, deployed: Live, tmp_path: Path) -> None:
    done = trailboss("tail", "--for", "0.2s", "--output", str(tmp_path / "events"), "--rotate-size", "1MB")
    assert (done.status, done.out, (tmp_path / "events").read_text()) == (0, "", "")
    assert "0 events, 0 shown" in done.err


def test_a_file_holds_events_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "events"
    with FileSink(file, rotate_size=10, keep=1) as sink:
        write = _Writer(Output(json=False, verbose=False, color=False), sink, as_json=True, prefixed=False)
        write(Received("hello", None, '{"a": "ä"}'))  # type: ignore[arg-type]
        write(Gap("hello", 0.0, 2.0, "the connection was lost"))
        write(Received("hello", None, '{"b": 2}'))  # type: ignore[arg-type]
    assert (file.read_text(), (tmp_path / "events.1").read_text()) == ('{"b":2}\n', '{"a":"ä"}\n')
    said = capsys.readouterr()
    assert ("gap of 2.0 s" in said.err, said.out) == (True, "")


def test_rotation_needs_a_file_and_a_size(trailboss: Trailboss, deployed: Live) -> None:
    assert trailboss("tail", "--rotate-size", "1MB", "--json").error["code"] == "TB9047"
    assert trailboss("tail", "--output", "x", "--rotate-keep", "2", "--json").error["code"] == "TB9047"
    assert trailboss("tail", "--output", "x", "--rotate-size", "big", "--json").error["code"] == "TB9004"
