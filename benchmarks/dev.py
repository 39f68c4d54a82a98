"""The development loop against `wrangler dev`: from nothing to the first answer, from an edit to its answer;
and how long a tunnel takes until a public host name answers, in the sandbox.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.account import account
from benchmarks.measure import ms, pairs, table
from trailboss.toolchain import ensure

LIMIT = 1.05
EDITS = 25
LOOK = 0.02


def _project(folder: Path) -> Path:
    config = {
        "name": "loop",
        "main": "index.js",
        "compatibility_date": "2026-11-01",
        "kv_namespaces": [{"binding": "CACHE"}],
    }
    (folder / "wrangler.json").write_text(json.dumps(config))
    (folder / "trailboss.toml").write_text('name = "loop"\n[environments.development]\n')
    (folder / ".dev.vars").write_text("KEY=value\n")
    _write(folder, 0)
    return folder


def _write(folder: Path, number: int) -> None:
    (folder / "index.js").write_text(
        f"export default {{ fetch: (request, env) => new Response('{number} ' + env.KEY) }};"
    )


def _get(port: int, host: str = "localhost") -> str:
    connection = http.client.HTTPConnection("localhost", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().read().decode()


@contextlib.contextmanager
def _running(command: list[str], folder: Path, ready: str, **environ: str) -> Iterator[str]:
    """The program within the block; what the group in `ready` matched in its output."""
    child = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "CI": "true", "WRANGLER_SEND_METRICS": "false", **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert child.stdout is not None
        found = next((m for line in child.stdout if (m := re.search(ready, line))), None)
        if found is None:
            raise SystemExit(f"{command[-1]} never became ready")
        threading.Thread(target=child.stdout.read, daemon=True).start()
        yield found[1]
    finally:
        child.send_signal(signal.SIGINT)
        child.wait()


def _ours() -> list[str]:
    return [sys.executable, "-m", "trailboss", "dev", "--port", "0", "--inspector-port", "0"]


def _theirs() -> list[str]:
    tools = ensure()
    return [str(tools.node), str(tools.wrangler), "dev", "--port", "0", "--inspector-port", "0"]


READY = {"ours": r"ready at http://[^:]+:(\d+)", "theirs": r"Ready on http://[^:]+:(\d+)"}


def _start(command: list[str], ready: str, folder: Path) -> None:
    with _running(command, folder, ready) as port:
        assert _get(int(port)).endswith("value")


def _edit(folder: Path, port: int, number: int) -> float:
    """Seconds from the write to the first answer that shows it."""
    began = time.perf_counter()
    _write(folder, number)
    while not _get(port).startswith(f"{number} "):
        time.sleep(LOOK)  # asking without a pause would measure how fast requests are logged
    return time.perf_counter() - began


def _edits(folders: tuple[Path, Path]) -> tuple[float, float]:
    """Medians of edits made in turn on both servers."""
    mine, theirs = folders
    with (
        _running(_ours(), mine, READY["ours"]) as ours,
        _running(_theirs(), theirs, READY["theirs"]) as peer,
    ):
        taken = []
        for number in itertools.islice(itertools.count(1), EDITS + 1):
            if number % 2:
                taken.append((_edit(mine, int(ours), number), _edit(theirs, int(peer), number)))
            else:
                taken.append((_edit(theirs, int(peer), number), _edit(mine, int(ours), number))[::-1])
    counted = taken[1:]
    return statistics.median(a for a, _ in counted), statistics.median(b for _, b in counted)


def _tunnel(folder: Path) -> tuple[float, float]:
    """Seconds from the local server's readiness to the public name's, and of the whole command."""
    with account() as box:
        words = ["--tunnel", "loop", "--hostname", "dev.example.com"]
        began = time.perf_counter()
        child = subprocess.Popen(
            [*_ours(), *words],
            cwd=folder,
            env=box.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert child.stdout is not None
        local = 0.0
        for line in child.stdout:
            if "ready at" in line:
                local = time.perf_counter()
            if "public at" in line:
                break
        public = time.perf_counter()
        assert _get(box.connection.edge_port, "dev.example.com").endswith("value")
        child.send_signal(signal.SIGINT)
        child.stdout.read()
        child.wait()
    return public - local, public - began


def main() -> None:
    """Print the table; the aim is no slower than 1.05 times `wrangler dev`."""
    with tempfile.TemporaryDirectory() as home:
        folders = []
        for name in ("ours", "theirs"):
            (Path(home) / name).mkdir()
            folders.append(_project(Path(home) / name))
        mine, theirs = folders
        start = pairs(
            lambda: _start(_ours(), READY["ours"], mine), lambda: _start(_theirs(), READY["theirs"], theirs)
        )
        edit, their_edit = _edits((mine, theirs))
        after, whole = _tunnel(mine)
    aim = f"<= {LIMIT}"
    table(
        ("what", "ours", "wrangler dev", "ours / theirs", "aim"),
        [
            ("start to first answer", ms(start.ours), ms(start.peer), f"{1 / start.ratio:.2f}", aim),
            ("edit to answer", ms(edit), ms(their_edit), f"{edit / their_edit:.2f}", aim),
            ("tunnel ready after the server (sandbox)", ms(after), "", "", ""),
            ("dev --tunnel: command to public answer (sandbox)", ms(whole), "", "", ""),
        ],
    )


if __name__ == "__main__":
    main()
