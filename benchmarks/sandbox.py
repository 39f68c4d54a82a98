"""From nothing to a Worker's first 200: our sandbox against `wrangler dev`; and its idle weight."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from benchmarks.account import Account, account
from benchmarks.measure import ms, pairs, table
from trailboss.sandbox import process
from trailboss.toolchain import ensure


def _get(port: int, host: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status


def _ours(home: Path) -> None:
    """Stop was done before; start and ask the Worker that was deployed earlier."""
    connection = process.start(home=home, port=0, edge_port=0)
    assert _get(connection.edge_port, f"hello.{connection.subdomain}.workers.localhost") == 200
    process.stop(home=home)


@contextlib.contextmanager
def wrangler_dev(folder: Path) -> Iterator[int]:
    """`wrangler dev` of the project in `folder`; its port once it is ready."""
    tools = ensure()
    child = subprocess.Popen(
        [
            str(tools.node),
            "--no-warnings",
            str(tools.wrangler),
            "dev",
            "--port",
            "0",
            "--inspector-port",
            "0",
        ],
        cwd=folder,
        env={**os.environ, "CI": "true", "WRANGLER_SEND_METRICS": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert child.stdout is not None
        ready = next(
            (m for line in child.stdout if (m := re.search(r"Ready on http://[^:]+:(\d+)", line))), None
        )
        if ready is None:
            raise SystemExit("wrangler dev never became ready")
        # It writes a line for each request, and stands still once nobody reads them.
        threading.Thread(target=deque, args=(child.stdout, 0), daemon=True).start()
        yield int(ready[1])
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _theirs(folder: Path) -> None:
    with wrangler_dev(folder) as port:
        assert _get(port, "localhost") == 200


def _weigh(box: Account) -> str:
    memory = box.control("GET", "status")["memory"]
    if isinstance(memory, dict):
        return ", ".join(f"{name} {value / 2**20:.0f} MiB" for name, value in memory.items())
    return f"{memory / 2**20:.0f} MiB"


def main() -> None:
    """Print the table."""
    with account() as box, tempfile.TemporaryDirectory() as other:
        folder = box.project("hello")
        box.trailboss(folder, "deploy")
        weight = _weigh(box)
        home = Path(box.environ["TRAILBOSS_SANDBOX_HOME"])
        process.stop(home=home)
        peer = Path(other) / "hello"
        folder.rename(peer)
        found = pairs(lambda: _ours(home), lambda: _theirs(peer))
    table(
        ["start to first 200 and stop", "sandbox", "wrangler dev", "faster", "aim"],
        [["a deployed Worker", ms(found.ours), ms(found.peer), f"{found.ratio:.1f}x", "< 1500 ms"]],
    )
    print(f"\nIdle, one Worker: {weight}.")
