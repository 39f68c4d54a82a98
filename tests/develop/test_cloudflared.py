"""The connector: found, judged, run with its token where nobody sees it, kept running, ended. By a stand-in
that behaves as cloudflared documents; the real one cannot run here.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.develop.accounts import STANDIN, as_account, at_sandbox, call
from tests.develop.conftest import Start, alive
from tests.waiting import wait_until
from trailboss.develop.cloudflared import find_cloudflared, read_log
from trailboss.develop.lines import Entry
from trailboss.develop.tunnels import create_tunnel, read_token
from trailboss.errors import BuildError


def test_it_is_found_on_the_path_or_by_name(tmp_path: Path) -> None:
    (tmp_path / "cloudflared").symlink_to(STANDIN)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert find_cloudflared(path).version == "2026.8.2"
    assert find_cloudflared({"CLOUDFLARED_PATH": str(STANDIN)}).path == STANDIN


def test_missing_old_and_strange_ones_are_told_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for environ, code, words in (
        ({"PATH": str(tmp_path)}, "TB3610", "not on the PATH"),
        ({"CLOUDFLARED_PATH": str(tmp_path / "no")}, "TB3610", "is not there"),
        ({"CLOUDFLARED_PATH": "/bin/true"}, "TB3612", "does not say"),
    ):
        with pytest.raises(BuildError, match=words) as caught:
            find_cloudflared(environ)
        assert caught.value.code == code
        assert "nstall it" in caught.value.hint
    monkeypatch.setenv("STANDIN_VERSION", "2021.3.4")
    with pytest.raises(BuildError, match=r"2021\.3\.4 is too old") as caught:
        find_cloudflared({"CLOUDFLARED_PATH": str(STANDIN)})
    assert caught.value.code == "TB3611"


SAID = """2026-08-24T19:06:25Z INF Starting tunnel tunnelID=1
2026-08-24T19:06:25Z INF Unable to lookup protocol percentage.
2026-08-24T19:06:25Z WRN ICMP proxy feature is disabled error="cannot create ICMPv4 proxy"
2026-08-24T19:06:35Z INF +------------------------------------+
2026-08-24T19:06:35Z INF |  COMPONENT         STATUS  DETAILS   |
2026-08-24T19:06:35Z INF |  DNS Resolution    PASS    resolved  |
2026-08-24T19:06:35Z INF |  UDP Connectivity  FAIL    QUIC failed  |
2026-08-24T19:06:35Z INF |  ERROR: Allow outbound QUIC traffic on port 7844 or use HTTP2.  |
2026-08-24T19:06:35Z INF |  SUMMARY: Environment is healthy. cloudflared will use 'http2'.  |
2026-08-24T19:06:35Z INF precheck complete hard_fail=false
2026-08-24T19:06:36Z INF Registered tunnel connection connIndex=0
2026-08-24T19:06:37Z ERR Failed to dial a quic connection error="timeout" connIndex=0
Provided Tunnel token is not valid."""


def test_its_log_without_what_is_well() -> None:
    async def lines() -> AsyncIterator[str]:
        for line in SAID.splitlines():
            yield line

    async def read() -> list[tuple[str, str]]:
        return [(one.level, one.text) async for one in read_log(lines()) if isinstance(one, Entry)]

    assert asyncio.run(read()) == [
        ("warn", "UDP Connectivity  FAIL    QUIC failed"),
        ("warn", "ERROR: Allow outbound QUIC traffic on port 7844 or use HTTP2."),
        ("info", "Registered tunnel connection connIndex=0"),
        ("error", 'Failed to dial a quic connection error="timeout" connIndex=0'),
        ("info", "Provided Tunnel token is not valid."),
    ]


def test_a_tunnel_runs_until_it_is_interrupted(account: Sandbox, start: Start, tmp_path: Path) -> None:
    tunnel = call(account, lambda cloud: create_tunnel(cloud, "one"))
    token = call(account, lambda cloud: read_token(cloud, tunnel)).reveal()
    seen = tmp_path / "seen.json"
    environ = {**as_account(account, tmp_path), "STANDIN_RECORD": str(seen)}
    running = start("tunnel", "run", "one", cwd=tmp_path, **environ)
    running.says("one is connected (cloudflared 2026.8.2)")
    found = json.loads(seen.read_text())
    assert found["token"]["t"] == tunnel.id
    assert found["argv"][:3] == ["tunnel", "--no-autoupdate", "--metrics"]
    assert found["argv"][-1] == "run"
    secret = json.loads(base64.b64decode(token))["s"]
    for pid in (found["pid"], running.process.pid):
        line = Path(f"/proc/{pid}/cmdline").read_text()
        assert token not in line
        assert secret not in line
    running.says("tunnel Registered tunnel connection")
    assert "Starting metrics server" not in running.text
    assert token not in running.text
    before = len(running.lines)
    os.kill(found["pid"], signal.SIGKILL)
    running.says("cloudflared crashed (signal 9)", since=before)
    running.says("Registered tunnel connection", since=before)
    assert running.interrupt() == 0
    last = json.loads(seen.read_text())["pid"]
    assert last != found["pid"]
    wait_until(lambda: not alive(last), "the end of cloudflared")


def test_one_that_does_not_start_is_told_in_its_own_words(
    account: Sandbox, start: Start, tmp_path: Path
) -> None:
    call(account, lambda cloud: create_tunnel(cloud, "one"))
    environ = {**as_account(account, tmp_path), "STANDIN_FAIL": "Unauthorized: Invalid tunnel secret"}
    running = start("tunnel", "run", "one", cwd=tmp_path, **environ)
    assert running.end() == 1
    assert "Unauthorized: Invalid tunnel secret" in running.text
    assert "TB3601" in running.text


def test_at_a_sandbox_its_edge_is_the_connector(account: Sandbox, start: Start, tmp_path: Path) -> None:
    call(account, lambda cloud: create_tunnel(cloud, "one"))
    edge = account.connection.edge_url
    body = {
        "config": {
            "ingress": [{"hostname": "a.example.com", "service": edge}, {"service": "http_status:404"}]
        }
    }
    tunnel = account.call("GET", f"{account.account}/cfd_tunnel")[0]["id"]
    account.call("PUT", f"{account.account}/cfd_tunnel/{tunnel}/configurations", body)
    running = start("tunnel", "run", "one", cwd=tmp_path, **at_sandbox(account))
    running.says("one is up")
    assert "the sandbox's edge is the connector" in running.text
    assert running.interrupt() == 0
