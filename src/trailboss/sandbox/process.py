"""Start, stop and look at a sandbox from another process. Nothing heavy is imported here."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailboss.errors import SandboxError
from trailboss.sandbox.identity import Connection, read_state
from trailboss.sandbox.paths import Folder, folder_of

PORT, EDGE_PORT = 8400, 8480
PATIENCE = 60.0
STOP_PATIENCE = 15.0

_started: list[subprocess.Popen[bytes]] = []
"""Daemons this process started: kept so that they are reaped, since they outlive the call but not always
us."""

_leashes: list[int] = []
"""The writing ends of leashes: open until this process ends."""


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a sandbox runs, how to reach it, and what it says of itself (`details`, None when it does not
    answer)."""

    name: str
    running: bool
    connection: Connection | None
    details: dict[str, Any] | None
    log: str


def start(
    name: str = "",
    home: Path | None = None,
    *,
    port: int = PORT,
    edge_port: int = EDGE_PORT,
    foreground: bool = False,
    reset: bool = False,
    strict: bool = False,
    leashed: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Connection:
    """Start the sandbox and return when it answers; the connection of the one that already runs, if one does.

    `reset` begins with an empty account (and is the way out of damaged state). With `foreground` the call
    returns when the sandbox has ended. A `leashed` sandbox ends when this process does, however it ends.

    Raises:
        SandboxError: TB5001 name, TB5002 port, TB5003 another start on its way, TB5004 folder, TB5005 damaged
            state, TB5006 runtime, TB5007 crash.
        BuildError: TB3001-TB3004, no Node or no toolchain.
    """
    folder = folder_of(name, home)
    if is_running(folder):
        if reset:
            stop(name, home)
        elif folder.connection.exists():
            return read_connection(folder)
    options: dict[str, Any] = {"port": port, "edge_port": edge_port, "reset": reset, "strict": strict}
    if leashed:
        options["leash"], held = os.pipe()
        _leashes.append(held)
    process, line = _launch(folder, options, progress)
    _await_ready(folder, process, line)
    connection = read_connection(folder)
    if foreground:
        _accompany(process)
    return connection


def _launch(
    folder: Folder, wanted: dict[str, Any], progress: Callable[[str], None]
) -> tuple[subprocess.Popen[bytes], int]:
    from trailboss.toolchain import ensure

    tools = ensure(progress)
    progress("starting the sandbox")
    reading, writing = os.pipe()
    options = {
        "name": folder.root.name,
        "folder": str(folder.root.absolute()),
        "node": str(tools.node),
        "toolchain": str(tools.root),
        "report": writing,
        **wanted,
    }
    try:
        log = _open_log(folder)
        process = subprocess.Popen(
            [sys.executable, "-m", "trailboss.sandbox.daemon", json.dumps(options)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=tuple(fd for fd in (writing, wanted.get("leash")) if fd is not None),
            start_new_session=True,
            cwd=str(folder.root),
        )
        os.close(log)
    finally:
        os.close(writing)
        if "leash" in wanted:
            os.close(wanted["leash"])
    _started.append(process)
    return process, reading


def _open_log(folder: Folder) -> int:
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
        return os.open(folder.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise SandboxError(
            "TB5004",
            f"the sandbox's folder {folder.root} cannot be written: {error.strerror or error}",
            hint="Set TRAILBOSS_SANDBOX_HOME to a folder you may write.",
        ) from error


def _await_ready(folder: Folder, process: subprocess.Popen[bytes], line: int) -> None:
    """Read the daemon's one line of report; its end without one is a crash."""
    with os.fdopen(line, "rb") as report:
        if not select.select([report], [], [], PATIENCE)[0]:
            process.kill()
            process.wait()
            raise SandboxError(
                "TB5006",
                f"the sandbox did not become ready in {PATIENCE:.0f} s",
                hint=f"The log is {folder.log}.",
            )
        text = report.read()
    message = json.loads(text) if text.strip() else {}
    if message.get("ready"):
        return
    process.wait()
    error = message.get("error")
    if error:
        raise SandboxError(error["code"], error["message"], hint=error["hint"] or "")
    raise SandboxError(
        "TB5007",
        f"the sandbox ended while it was starting: {_last_words(folder)}",
        hint=f"The log is {folder.log}.",
    )


def _last_words(folder: Folder) -> str:
    lines = [line for line in folder.log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _accompany(process: subprocess.Popen[bytes]) -> None:
    """Wait for the daemon, passing Ctrl-C on once."""
    try:
        process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()


def read_connection(folder: Folder) -> Connection:
    """What the connection file says.

    Raises:
        SandboxError: TB5005 unreadable.
    """
    return Connection(**read_state(folder.connection))


def is_running(folder: Folder) -> bool:
    """Whether a daemon lives in this folder: whether its lock is held, which no crash can fake."""
    if not folder.lock.exists():
        return False
    with folder.lock.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def stop(name: str = "", home: Path | None = None) -> bool:
    """End the sandbox and return when no process of it is left; whether one was running."""
    folder = folder_of(name, home)
    if not is_running(folder):
        folder.connection.unlink(missing_ok=True)
        return False
    pid = _pid(folder)
    os.kill(pid, signal.SIGTERM)
    killer = threading.Timer(STOP_PATIENCE, os.kill, (pid, signal.SIGKILL))
    killer.daemon = True
    killer.start()
    try:
        with folder.lock.open("a+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)  # the daemon holds it until its very end
    finally:
        killer.cancel()
    for process in [process for process in _started if process.pid == pid]:
        process.wait()
        _started.remove(process)
    folder.connection.unlink(missing_ok=True)
    return True


def _pid(folder: Folder) -> int:
    text = folder.lock.read_text().strip()
    if text.isdigit():
        return int(text)
    raise SandboxError(
        "TB5008",
        f"a process holds {folder.lock} but has not said which one it is",
        hint="Another `sandbox start` may be on its way; try again.",
    )


def status(name: str = "", home: Path | None = None) -> Status:
    """What is known of a sandbox, running or not.

    Raises:
        SandboxError: TB5005 when it runs and its connection file is unreadable.
    """
    folder = folder_of(name, home)
    if not is_running(folder) or not folder.connection.exists():
        return Status(folder.root.name, False, None, None, str(folder.log))
    connection = read_connection(folder)
    return Status(folder.root.name, True, connection, control(connection, "GET", "status"), str(folder.log))


def control(connection: Connection, method: str, path: str, body: Any = None) -> Any:
    """One call of the control plane; its result, None when the daemon does not answer.

    Raises:
        SandboxError: TB5009 with the sandbox's own words when it refuses.
    """
    import http.client
    from urllib.parse import urlsplit

    where = urlsplit(connection.control_url)
    line = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port, timeout=60)
    try:
        data = None if body is None else json.dumps(body)
        line.request(method, f"{where.path}/{path}", data, {"authorization": f"Bearer {connection.token}"})
        envelope = json.loads(line.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        line.close()
    if not envelope["success"]:
        raise SandboxError("TB5009", envelope["errors"][0]["message"], hint="`trailboss sandbox --help`")
    return envelope["result"]


def reset(name: str = "", home: Path | None = None) -> bool:
    """Empty a sandbox, running or not; whether it was running."""
    folder = folder_of(name, home)
    if is_running(folder):
        control(read_connection(folder), "POST", "reset")
        return True
    shutil.rmtree(folder.state, ignore_errors=True)
    return False
