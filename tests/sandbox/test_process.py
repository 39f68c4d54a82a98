"""Start, stop, and what goes wrong: ports, folders, damage, a killed side-car, a killed daemon."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trailboss.errors import SandboxError
from trailboss.sandbox import process
from trailboss.sandbox.identity import Connection
from trailboss.sandbox.paths import folder_of


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    process.stop("box", tmp_path)


def start(home: Path, **more: int | bool) -> Connection:
    return process.start("box", home, **{"port": 0, "edge_port": 0, "leashed": True, **more})  # type: ignore[arg-type]


def test_a_life(home: Path) -> None:
    assert process.status("box", home).running is False
    connection = start(home)
    file = folder_of("box", home).connection
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert start(home) == connection
    status = process.status("box", home)
    assert status.running and status.details is not None and status.details["pid"] == connection.pid
    sidecar = status.details["runtime"]["pid"]
    assert process.stop("box", home) is True
    assert not file.exists()
    for pid in (connection.pid, sidecar):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert process.stop("box", home) is False
    again = start(home)
    assert (again.account_id, again.token) == (connection.account_id, connection.token)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-x"])
def test_names_that_cannot_be_folders(tmp_path: Path, name: str) -> None:
    if not name:
        assert folder_of("", tmp_path).root.name == "default"
        return
    with pytest.raises(SandboxError, match="cannot name a sandbox"):
        folder_of(name, tmp_path)


@pytest.mark.parametrize("flag", ["port", "edge_port"])
def test_a_port_in_use(home: Path, flag: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SandboxError) as error:
            start(home, **{flag: taken.getsockname()[1]})
    assert error.value.code == "TB5002"
    assert f"--{flag.replace('_', '-')}" in error.value.hint


def test_damaged_state_is_explained_and_reset(home: Path) -> None:
    folder = folder_of("box", home)
    folder.database.parent.mkdir(parents=True)
    folder.database.write_bytes(b"this is not a database, and never was" * 50)
    with pytest.raises(SandboxError) as error:
        start(home)
    assert error.value.code == "TB5005" and "--reset" in error.value.hint
    start(home, reset=True)
    process.stop("box", home)
    folder.identity.write_text("{")
    with pytest.raises(SandboxError) as error:
        start(home)
    assert error.value.code == "TB5005"
    start(home, reset=True)


def test_a_damaged_journal_is_only_forgotten(home: Path) -> None:
    folder = folder_of("box", home)
    folder.root.mkdir(parents=True)
    folder.journal.write_bytes(b"damage" * 1000)
    start(home)
    assert sqlite3.connect(folder.journal).execute("select count(*) from requests").fetchone() == (0,)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError) as error:
        process.start("box", tmp_path / "file", port=0, edge_port=0)
    assert error.value.code == "TB5004"


def test_a_killed_sidecar_comes_back(home: Path) -> None:
    connection = start(home)
    status = process.control(connection, "GET", "status")
    os.kill(status["runtime"]["pid"], signal.SIGKILL)
    process.control(connection, "POST", "reset")  # waits until the runtime is there again
    after = process.control(connection, "GET", "status")["runtime"]
    assert (after["state"], after["restarts"]) == ("ready", 1)
    assert process.control(connection, "GET", "status")["edge_port"] == connection.edge_port


def test_a_killed_daemon_leaves_nothing_behind(home: Path) -> None:
    connection = start(home)
    os.kill(connection.pid, signal.SIGKILL)
    with pytest.raises(ChildProcessError):
        while True:
            os.waitpid(connection.pid, 0)
    assert process.status("box", home).running is False
    assert start(home).pid != connection.pid


def test_a_leashed_sandbox_ends_with_its_starter(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\n"
        "from trailboss.sandbox import process\n"
        "process.start('box', pathlib.Path(sys.argv[1]), port=0, edge_port=0, leashed=True)\n"
        "os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    with folder_of("box", tmp_path).lock.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # free once the daemon has gone
    assert process.status("box", tmp_path).running is False
