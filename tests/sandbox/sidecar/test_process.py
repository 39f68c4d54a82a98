"""The process itself: its port is guarded, it ends with its parent and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.sandbox.sidecar.driver import MAIN, ControlPlane, Sidecar, ask, says, until, worker
from trailboss.toolchain import ensure


def _gone(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_the_control_port_wants_the_token_and_a_local_host(sidecar: Sidecar) -> None:
    assert ask(sidecar.control_port, "GET", "/health").status == 401
    assert ask(sidecar.control_port, "GET", "/health", None, {"authorization": "Bearer wrong"}).status == 401
    assert sidecar.control("GET", "/health", headers={"host": "evil.test"}).status == 403
    assert sidecar.control("GET", "/nowhere").status == 404
    assert sidecar.control("PUT", "/state", b"{not json").status == 400
    assert sidecar.done("GET", "/health")["ok"] is True


def test_an_empty_account_serves_data(sidecar: Sidecar) -> None:
    sidecar.done("PUT", "/data/kv/0123/values/early", b"value")
    assert sidecar.control("GET", "/data/kv/0123/values/early").text == "value"


def test_everything_ends_when_standard_input_closes(plane: ControlPlane, tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path, plane)
    sidecar.put(worker(tmp_path, "app", says("x")))
    sidecar.done("POST", "/validate", worker(tmp_path, "app", says("y"), 2))
    children = sidecar.children()
    assert len(children) == 2
    assert sidecar.stop() == 0
    until(lambda: all(map(_gone, children)))


def test_workerd_ends_with_a_killed_sidecar(plane: ControlPlane, tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path, plane)
    sidecar.put(worker(tmp_path, "app", says("x")))
    children = sidecar.children()
    os.kill(sidecar.process.pid, signal.SIGKILL)
    sidecar.stop()
    until(lambda: all(map(_gone, children)))


def test_a_port_in_use_is_said(plane: ControlPlane, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sidecar = Sidecar(tmp_path, plane, {"edge": {"host": "127.0.0.1", "port": port}})
        assert sidecar.ready["ready"] is False
        assert sidecar.ready["error"]["code"] == "EADDRINUSE"
        assert sidecar.stop() == 1


def test_no_start_line_is_said() -> None:
    done = subprocess.run(
        [str(ensure().node), str(MAIN)], input=b"", capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 1
    assert b"standard input closed" in done.stdout


def test_data_survives_a_restart(plane: ControlPlane, tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path, plane)
    sidecar.done("PUT", "/data/kv/ns/values/key", b"kept")
    sidecar.stop()
    again = Sidecar(tmp_path, plane)
    assert again.control("GET", "/data/kv/ns/values/key").text == "kept"
    again.stop()
