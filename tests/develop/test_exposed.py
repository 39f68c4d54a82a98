"""`dev --tunnel`: the local Worker under a public host name, and nothing left of it afterwards."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.develop.accounts import as_account, at_sandbox
from tests.develop.conftest import Start, alive, descendants
from tests.waiting import wait_until
from trailboss.develop.exposed import service_of, settings_of
from trailboss.develop.ports import free_port

HOST = "dev.example.com"
WORDS = ("dev", "--tunnel", "agency-dev", "--hostname", HOST)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Worker that says where it was reached."""
    found = tmp_path / "w"
    found.mkdir()
    config = {"name": "w", "main": "index.js", "compatibility_date": "2026-11-01"}
    (found / "wrangler.json").write_text(json.dumps(config))
    code = 'export default { fetch: (request) => new Response("at " + new URL(request.url).pathname) };'
    (found / "index.js").write_text(code)
    return found


def rules(box: Sandbox) -> list[Any]:
    tunnel = box.call("GET", f"{box.account}/cfd_tunnel?name=agency-dev&is_deleted=false")[0]["id"]
    found = box.call("GET", f"{box.account}/cfd_tunnel/{tunnel}/configurations")["config"]
    return [one for one in found["ingress"] if "hostname" in one]


def test_the_sandboxes_edge_reaches_the_local_worker(account: Sandbox, start: Start, folder: Path) -> None:
    port = free_port()
    running = start(*WORDS, "--port", str(port), cwd=folder, **at_sandbox(account))
    line = running.says("public at")
    url = line.split("public at ")[1]
    assert url == f"http://{HOST}.localhost:{account.connection.edge_port}"
    assert account.edge(HOST, "/here").text == "at /here"
    assert account.edge(f"{HOST}.localhost:{account.connection.edge_port}", "/there").text == "at /there"
    assert [(one["hostname"], one["service"]) for one in rules(account)] == [
        (HOST, f"http://localhost:{port}")
    ]
    assert running.interrupt() == 0
    assert rules(account) == []
    assert account.edge(HOST, "/here").status_code != 200


def test_after_a_kill_the_next_session_converges(account: Sandbox, start: Start, folder: Path) -> None:
    killed = start(*WORDS, "--port", "0", cwd=folder, **at_sandbox(account))
    killed.says("public at")
    left = descendants(killed.process.pid)
    killed.process.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(alive, left)), "the end of all processes")
    killed.end()
    assert len(rules(account)) == 1
    running = start(*WORDS, "--port", "0", "--local-protocol", "https", cwd=folder, **at_sandbox(account))
    running.says("public at")
    (rule,) = rules(account)
    assert rule["service"].startswith("https://localhost:")
    assert rule["originRequest"] == {"noTLSVerify": True}
    assert account.edge(HOST, "/here").text == "at /here"
    assert running.interrupt() == 0
    assert rules(account) == []
    assert len(account.call("GET", f"{account.account}/cfd_tunnel?is_deleted=false")) == 1


def test_with_cloudflared_its_readiness_decides(
    account: Sandbox, start: Start, folder: Path, tmp_path: Path
) -> None:
    environ = {**as_account(account, tmp_path), "STANDIN_READY_AFTER": "0.6"}
    running = start(*WORDS, "--local", "--port", "0", cwd=folder, **environ)
    running.says(f"public at https://{HOST}")
    running.says("Registered tunnel connection")
    assert running.text.index("ready at") < running.text.index("agency-dev is connected")
    assert running.text.index("agency-dev is connected") < running.text.index("public at")
    assert running.interrupt() == 0
    assert "Initiating graceful shutdown" in running.text
    assert rules(account) == []


def test_what_cannot_be_is_told_before_anything_starts(
    account: Sandbox, start: Start, folder: Path, tmp_path: Path
) -> None:
    cases: list[tuple[tuple[str, ...], dict[str, str], str]] = [
        (("--tunnel", "t", "--hostname", "dev.nowhere.test"), at_sandbox(account), "TB2312"),
        (("--tunnel", "t"), at_sandbox(account), "TB9467"),
        (("--hostname", HOST), at_sandbox(account), "TB9467"),
        (WORDS[1:], {**as_account(account, tmp_path), "CLOUDFLARED_PATH": "/no"}, "TB3610"),
    ]
    running = [start("dev", *words, "--port", "0", cwd=folder, **environ) for words, environ, _ in cases]
    for one, (_, _, code) in zip(running, cases, strict=True):
        assert one.end() in (1, 2)
        assert code in one.text
        assert "ready at" not in one.text
    assert account.call("GET", f"{account.account}/cfd_tunnel") == []


def test_the_service_is_the_server_as_this_machine_dials_it() -> None:
    assert service_of("http://0.0.0.0:8787") == "http://localhost:8787"
    assert service_of("https://[::]:8787/") == "https://localhost:8787"
    assert service_of("http://127.0.0.1:1") == "http://127.0.0.1:1"
    assert settings_of("http://localhost:1") == {}
