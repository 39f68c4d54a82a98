"""Steps 5 to 7 and the first line of step 12: the development loop, tunnels, ssh; run as written."""

from __future__ import annotations

import getpass
import shlex
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from tests.acceptance.commands import step
from tests.acceptance.test_steps import live
from tests.conftest import Sandbox
from tests.develop.accounts import at_sandbox
from tests.develop.conftest import Running, alive, descendants, starter, surroundings
from tests.develop.test_ssh import Machine
from tests.develop.test_ssh import machine as machine
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("port-8787")  # the one that dev takes by itself

EXAMPLE = Path(__file__).parents[2] / "examples" / "agency"
ZONE = "empathyfirstmedia.com"
PORT = 8787


class Place:
    """A copy of the example, in an account that has the user's zone."""

    def __init__(self, folder: Path, account: Sandbox) -> None:
        self.folder = folder
        self.account = account
        self.environ = at_sandbox(account)
        self.home = folder.parent

    def say(self, text: str) -> None:
        """One more table in trailboss.toml."""
        with (self.folder / "trailboss.toml").open("a") as file:
            file.write(text)

    def run(self, command: str, *more: str) -> subprocess.CompletedProcess[str]:
        """One command of the list to its end."""
        return subprocess.run(
            [sys.executable, "-m", "trailboss", *shlex.split(command)[1:], *more],
            cwd=self.folder,
            env={**surroundings(self.home), **self.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def place(account: Sandbox, tmp_path: Path) -> Place:
    folder = tmp_path / "agency"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".wrangler", ".trailboss", "node_modules"))
    owner = {"name": ZONE, "account": {"id": account.connection.account_id}, "type": "full"}
    account.call("POST", "/zones", owner)
    text = (folder / "trailboss.toml").read_text()
    if "[zones]" not in text:
        (folder / "trailboss.toml").write_text(f'{text}\n[zones]\nproduction-zone = "{ZONE}"\n')
    return Place(folder, account)


@pytest.fixture
def keep(place: Place) -> Iterator[object]:
    """Commands that run until Ctrl-C."""
    with starter(place.home) as start:
        yield lambda command: start(*shlex.split(command)[1:], cwd=place.folder, **place.environ)


def end(running: Running) -> None:
    """Ctrl-C leaves no process."""
    left = descendants(running.process.pid)
    assert running.interrupt() == 0
    wait_until(lambda: not any(map(alive, left)), "the end of all processes")


def test_step_5_local_development(place: Place, keep: object) -> None:
    for command in step(5):
        running = keep(command)  # type: ignore[operator]
        running.says("ready at")
        context = ssl.create_default_context(cafile=str(place.home / "certificates" / "authority.pem"))
        with httpx.Client(verify=context, timeout=30) as browser:
            assert browser.get(f"https://localhost:{PORT}/").status_code == 200
            source = place.folder / "src" / "index.ts"
            line = "async fetch(request, env, context): Promise<Response> {"
            assert line in source.read_text()
            before = len(running.lines)
            answer = 'if (request.url.endsWith("/edited")) return new Response("seen");'
            source.write_text(source.read_text().replace(line, f"{line}\n{answer}"))
            running.says("reloaded in", since=before)
            assert browser.get(f"https://localhost:{PORT}/edited").text == "seen"
        end(running)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", PORT))


def test_step_6_the_host_name_reaches_the_local_worker(place: Place, keep: object) -> None:
    for command in step(6)[:1]:
        running = keep(command)  # type: ignore[operator]
        running.says(f"public at http://dev.{ZONE}.localhost:")
        assert place.account.edge(f"dev.{ZONE}").status_code == 200
        end(running)
        assert place.account.edge(f"dev.{ZONE}").status_code != 200


def test_step_6_an_unhealthy_tunnel_stops_the_deploy(place: Place) -> None:
    answering = socketserver.ThreadingTCPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=answering.serve_forever, daemon=True).start()
    service = f"http://localhost:{answering.server_address[1]}"
    tunnels = f"{place.account.account}/cfd_tunnel?is_deleted=false"
    for command in step(6)[1:]:
        refused = place.run(command)
        assert refused.returncode == 1
        assert "TB4418" in refused.stderr
        assert place.account.call("GET", f"{place.account.account}/workers/scripts") == []
        place.run("trailboss tunnel create production-tunnel")
        place.run(f"trailboss tunnel route production-tunnel db.{ZONE} --service {service}")
        done = place.run(command)
        assert done.returncode == 0, done.stderr
        assert place.account.worker("agency-production").status_code == 200
        before = live(place.account, "agency-production")
        answering.shutdown()
        answering.server_close()
        wait_until(lambda: place.account.call("GET", tunnels)[0]["status"] == "down", "the tunnel's end")
        source = place.folder / "src" / "index.ts"
        source.write_text(f"{source.read_text()}\n// another version\n")
        refused = place.run(command)
        assert refused.returncode in (1, 4), refused.stderr
        assert "tunnel production-tunnel" in refused.stderr
        assert "down" in refused.stderr
        assert live(place.account, "agency-production") == before


def test_step_7_ssh_and_a_query(place: Place, keep: object, machine: Machine) -> None:
    commands = step(7)
    if not commands:
        return
    place.say(f'\n[ssh]\nservice = "{machine.service}"\nuser = "{getpass.getuser()}"\n')
    session = place.run(commands[0], "--", *machine.options, "echo inside")
    assert session.stdout == "inside\n", session.stderr
    server = keep("trailboss dev --env development")  # type: ignore[operator]
    server.says("ready at")
    query = place.run(commands[1])
    assert query.returncode == 0, query.stderr
    assert '"1": 1' in query.stdout
    end(server)


def test_step_12_the_projects_tests_decide(place: Place) -> None:
    for command in step(12)[:1]:
        done = place.run(command)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ready at http://localhost:8788" in done.stdout and "the page: 200" in done.stdout
        (place.folder / "test" / "e2e.sh").write_text("exit 5\n")
        assert place.run(command).returncode == 5
