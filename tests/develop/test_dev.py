"""A real `trailboss dev` with real wrangler and workerd: two Workers, secrets, edits, a crash."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.develop.conftest import Running, Start, alive, descendants
from tests.waiting import wait_until
from trailboss.develop.ports import free_port

CANARY = "canary-7f3a"
OP = """#!{python}
import sys, json
words = sys.argv[1:]
if words[:1] == ["--version"]:
    print("2.32.0")
elif words[:1] == ["inject"]:
    text = sys.stdin.read()
    for name in ("key",):
        text = text.replace("{{{{ op://Dev/api/key }}}}", "{canary}")
    print(text, end="")
else:
    print("{canary}", end="")
"""
API = """
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/back") return env.BACK.fetch(request);
    if (pathname === "/kv") { await env.CACHE.put("a", "b"); return new Response(await env.CACHE.get("a")); }
    return Response.json({ greeting: "GREETING", key: env.KEY, plain: env.PLAIN, stage: env.STAGE });
  },
};
"""
BACK = 'export default { fetch: (request, env) => new Response("back " + env.STAGE) };'
PROJECT = """
name = "pair"
[workers]
api = { path = "api" }
back = { path = "back" }
[dev]
primary = "api"
[test]
command = "echo at $TRAILBOSS_URL; test -n \\"$FINE\\""
[environments.development]
[environments.staging]
"""


def project(folder: Path) -> Path:
    """Two Workers, one calling the other, with an environment that only trailboss.toml knows."""
    (folder / "trailboss.toml").write_text(PROJECT)
    for name, code, more in (
        (
            "api",
            API,
            {"services": [{"binding": "BACK", "service": "back"}], "kv_namespaces": [{"binding": "CACHE"}]},
        ),
        ("back", BACK, {}),
    ):
        (folder / name / "src").mkdir(parents=True)
        (folder / name / "src" / "index.js").write_text(code)
        config = {
            "name": name,
            "main": "src/index.js",
            "compatibility_date": "2026-11-01",
            "vars": {"STAGE": "top"},
            **more,
        }
        (folder / name / "wrangler.json").write_text(json.dumps(config))
    (folder / "api" / ".dev.vars").write_text("KEY=plain\nPLAIN='it is'\n")
    return folder


@dataclass
class Session:
    """A running dev server."""

    folder: Path
    running: Running
    url: str
    port: int

    def get(self, path: str = "/") -> httpx.Response:
        return httpx.get(self.url + path, timeout=10)


@pytest.fixture(scope="module")
def session(start_once: Start, tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder, port = project(tmp_path_factory.mktemp("pair")), free_port()
    tools = tmp_path_factory.mktemp("tools")
    (tools / "op").write_text(OP.format(python=sys.executable, canary=CANARY))
    (tools / "op").chmod(0o755)
    (folder / "api" / ".dev.vars").write_text("KEY=op://Dev/api/key\nPLAIN='it is'\n")
    running = start_once(
        "dev", "--env", "development", "--port", str(port), cwd=folder, PATH=f"{tools}:{os.environ['PATH']}"
    )
    running.says("ready at")
    return Session(folder, running, f"http://localhost:{port}", port)


def test_it_answers_with_bindings_and_secrets_of_the_environment(session: Session) -> None:
    answer = session.get().json()
    assert answer == {"greeting": "GREETING", "key": CANARY, "plain": "it is", "stage": "top"}
    assert session.get("/kv").text == "b"
    assert session.get("/back").text == "back top"


def test_the_secret_is_in_no_file_and_no_command_line(session: Session) -> None:
    found = subprocess.run(
        ["grep", "-rlI", "--devices=skip", CANARY, "."], cwd=session.folder, capture_output=True, text=True
    )
    assert found.stdout == ""
    for pid in descendants(session.running.process.pid):
        assert CANARY not in Path(f"/proc/{pid}/cmdline").read_text()
    assert CANARY not in session.running.text


def test_an_edit_is_in_the_next_answer(session: Session) -> None:
    before = len(session.running.lines)
    source = session.folder / "api" / "src" / "index.js"
    source.write_text(source.read_text().replace("GREETING", "edited"))
    session.running.says("reloaded in", since=before)
    assert session.get().json()["greeting"] == "edited"


def test_edits_of_variables_and_of_the_configuration_are_taken_over(session: Session) -> None:
    before = len(session.running.lines)
    with (session.folder / "api" / ".dev.vars").open("a") as file:
        file.write("PLAIN=other\n")
    session.running.says("configuration changed", since=before)
    wait_until(lambda: session.get().json()["plain"] == "other", "the new variable")
    before = len(session.running.lines)
    config = session.folder / "api" / "wrangler.json"
    text = config.read_text()
    config.write_text(text.replace('"top"', '"new"'))
    session.running.says("configuration changed", since=before)
    wait_until(lambda: session.get().json()["stage"] == "new", "the new configuration")
    before = len(session.running.lines)
    config.write_text(text + "}")
    session.running.says("still running what was there before", since=before)
    assert session.get().json()["stage"] == "new"
    config.write_text(text)


def test_a_crash_is_told_and_mended(session: Session) -> None:
    wait_until(lambda: _answers(session), "an answer before the crash")
    before = len(session.running.lines)
    leader = next(pid for pid in descendants(session.running.process.pid) if os.getpgid(pid) == pid)
    os.kill(leader, signal.SIGKILL)
    session.running.says("crashed (signal 9)", since=before)
    wait_until(lambda: _answers(session), "an answer after the crash")


def _answers(session: Session) -> bool:
    try:
        return session.get().status_code == 200
    except httpx.TransportError:
        return False


def test_a_taken_port_stops_everything_before_it_starts(session: Session, start: Start) -> None:
    other = start("dev", "--port", str(session.port), cwd=session.folder)
    assert other.end() == 2
    assert f"Port {session.port} is taken by workerd" in other.text
    assert "TB9460" in other.text


def test_ctrl_c_leaves_no_process_no_port_and_no_pipe(session: Session) -> None:
    left = descendants(session.running.process.pid)
    assert left
    assert session.running.interrupt() == 0
    wait_until(lambda: not any(map(alive, left)), "the end of all processes")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", session.port))
    assert not [path for path in session.folder.rglob("*") if path.is_fifo()]
    assert not list(session.folder.glob("*/.wrangler/trailboss/dev/*/*"))


def test_the_tests_decide_the_status(start: Start, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    folder, port = project(tmp_path / "p"), free_port()
    words = ("dev", "--test", "--env", "staging", "--port", str(port), "--local-protocol", "https")
    running = start(*words, cwd=folder, FINE="")
    assert running.end() == 1, running.text
    assert f"at https://localhost:{port}" in running.text
    assert "staging" in running.lines[0]


def test_the_certificate_is_believed_with_the_authority(start: Start, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    folder, port = project(tmp_path / "p"), free_port()
    running = start(
        *("dev", "--port", str(port), "--local-protocol", "https", "--upstream-protocol", "https"),
        *("--host", "localhost", "--compatibility-date", "2024-01-01"),
        cwd=folder,
    )
    running.says("ready at https://")
    authority = tmp_path / "certificates" / "authority.pem"
    context = ssl.create_default_context(cafile=str(authority))
    assert httpx.get(f"https://localhost:{port}", verify=context).json()["stage"] == "top"
    assert running.interrupt() == 0
