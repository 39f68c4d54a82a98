"""The daemon's first steps, in the order that costs least: lock, ports, Node; then Python's imports
meanwhile.

Run as `python -m trailboss.sandbox.daemon <JSON>`; see `Options`. It writes one JSON line to the descriptor
`report`: {"ready": true} or {"error": {...}}, and nothing else there.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trailboss.errors import SandboxError, TrailbossError
from trailboss.sandbox.identity import Identity, load_identity
from trailboss.sandbox.paths import Folder
from trailboss.sandbox.sidecar_process import Child, Launch, spawn


@dataclass(frozen=True, slots=True)
class Options:
    """What `process.start` hands over. Ports 0 mean any."""

    name: str
    folder: str
    port: int
    edge_port: int
    node: str
    toolchain: str
    report: int
    reset: bool = False
    strict: bool = False
    leash: int = -1
    """A pipe's reading end that ends with the starter, and the sandbox with it; -1 for none."""


@dataclass(slots=True)
class Held:
    """What the daemon has in hand before it serves: lock, listening socket, identity, the started
    side-car."""

    options: Options
    folder: Folder
    lock: IO[str]
    listener: socket.socket
    identity: Identity
    launch: Launch
    child: Child

    @property
    def api_root(self) -> str:
        """`http://127.0.0.1:<port>`."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"


def prepare(options: Options) -> Held:
    """Take the lock and the port, and start Node.

    Raises:
        SandboxError: TB5002 port in use, TB5003 already running, TB5004 folder not writable, TB5005 damaged
        state.
    """
    folder = Folder(Path(options.folder))
    lock = _take_lock(folder)
    if options.reset:
        _empty(folder)
    identity = load_identity(folder.identity, options.name)
    for path in (folder.data, folder.blobs, folder.assets):
        path.mkdir(parents=True, exist_ok=True)
    listener = listen(options.port, "--port")
    if options.edge_port:
        listen(options.edge_port, "--edge-port").close()
    launch = Launch(options.node, _sidecar_config(options, folder, identity, listener.getsockname()[1]))
    return Held(options, folder, lock, listener, identity, launch, spawn(launch))


def _take_lock(folder: Folder) -> IO[str]:
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
        handle = folder.lock.open("a+")
    except OSError as error:
        raise SandboxError(
            "TB5004",
            f"the sandbox's folder {folder.root} cannot be written: {error.strerror or error}",
            hint="Set TRAILBOSS_SANDBOX_HOME to a folder you may write.",
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SandboxError(
            "TB5003",
            f"a sandbox is already running in {folder.root}",
            hint="Run `trailboss sandbox status`, or `trailboss sandbox stop` first.",
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _empty(folder: Folder) -> None:
    shutil.rmtree(folder.state, ignore_errors=True)
    try:
        if folder.identity.exists():
            load_identity(folder.identity, "")
    except SandboxError:
        folder.identity.unlink(missing_ok=True)


def listen(port: int, flag: str) -> socket.socket:
    """A listening socket on loopback.

    Raises:
        SandboxError: TB5002 when the port is taken or not allowed.
    """
    # asyncio sends without Nagle's delay only where the socket names its protocol: 40 ms for each answer
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise SandboxError(
            "TB5002",
            f"port {port} cannot be used: {error.strerror or error}",
            hint=f"Give another one with `{flag}`, or `{flag} 0` for any free one.",
        ) from error
    return listener


def _sidecar_config(options: Options, folder: Folder, identity: Identity, port: int) -> dict[str, object]:
    return {
        "toolchain": options.toolchain,
        "persist": str(folder.data),
        "edge": {"host": "127.0.0.1", "port": options.edge_port},
        "control": {"host": "127.0.0.1", "port": 0},
        "api": f"http://127.0.0.1:{port}/_sandbox/runtime",
        "token": identity.token,
        "account": {"id": identity.account_id, "subdomain": identity.subdomain},
    }


def report(descriptor: int, message: dict[str, object]) -> None:
    """Tell the starter, who may have gone, and close the line."""
    with suppress(OSError), os.fdopen(descriptor, "w") as line:
        line.write(json.dumps(message) + "\n")


def main(arguments: list[str]) -> int:
    """Serve until told to stop; the process's exit status."""
    options = Options(**json.loads(arguments[0]))
    try:
        held = prepare(options)
        from trailboss.sandbox.server import serve

        return serve(held)
    except TrailbossError as error:
        report(options.report, error.as_json())
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
