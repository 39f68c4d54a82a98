"""How long commands take that ask nobody, and how long until others ask: against wrangler, and the budgets.

Wall time is a ratio of pairs taken in turn; the budget is checked against user and system time, the least of
ten, since wall time on a busy machine says little. The first API byte is the first byte of a request that
arrives at a server of ours, counted from the start of the process.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.account import EXAMPLES
from benchmarks.measure import ms, pairs, table
from trailboss.toolchain import ensure

FIRST_BYTE = 0.400
"""Seconds, of issue 2."""
TRAILBOSS = (str(Path(sys.executable).with_name("trailboss")),)
CASES = (
    ("--version", ("--version",), ("--version",), 0.060),
    ("--help", ("--help",), ("--help",), 0.120),
    ("completion", ("complete", "--", "ver"), ("complete", "--", "ver"), 0.060),
    ("deploy --help", ("deploy", "--help"), ("deploy", "--help"), 0.200),
    ("sandbox status", ("sandbox", "status"), None, 0.200),
    ("an error of use", ("rollback", "--nonsense", "--json"), None, 0.200),
    ("kv namespace --help, handed over", ("kv", "namespace", "--help"), ("kv", "namespace", "--help"), None),
)


def _run(command: Sequence[str], folder: str) -> None:
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def _processor(command: Sequence[str], folder: str) -> float:
    """The least user and system seconds of ten runs."""
    taken = []
    for _ in range(10):
        before = os.times()
        _run(command, folder)
        after = os.times()
        taken.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    return min(taken)


def _first_byte(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """(wall, processor) seconds until the first byte of the first request; then the process is ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        environ = {
            **os.environ,
            "CLOUDFLARE_API_BASE_URL": f"http://127.0.0.1:{port}/client/v4",
            "CLOUDFLARE_API_TOKEN": "token",
            "CLOUDFLARE_ACCOUNT_ID": "0" * 32,
            "WRANGLER_SEND_METRICS": "false",
            "CI": "true",
        }
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with server.accept()[0] as line:
            line.recv(1)
            taken = time.perf_counter() - began
            processor = int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e9
            os.killpg(process.pid, signal.SIGKILL)  # wrangler's starter has a child that would stay
            process.wait()
    return taken, processor


def _first_bytes(wrangler: Sequence[str], folder: Path) -> None:
    """One row per command that asks: first the account, then after looking at a project."""
    shutil.copytree(EXAMPLES / "hello", folder / "hello")
    rows = []
    for words in (("versions", "list", "--name", "hello"), ("deploy",)):
        ours = [_first_byte((*TRAILBOSS, *words), folder / "hello") for _ in range(10)]
        # wrangler is a starter and the program it starts: its processor time is not in one place.
        theirs = [_first_byte((*wrangler, *words), folder / "hello")[0] for _ in range(5)]
        wall, processor = (min(column) for column in zip(*ours[1:], strict=True))
        verdict = f"{ms(FIRST_BYTE)}: {'kept' if processor <= FIRST_BYTE else 'MISSED'}"
        ratio = f"{min(theirs) / wall:.1f} x"
        rows.append((" ".join(words), ms(wall), ms(processor), verdict, ms(min(theirs)), ratio))
    print()
    table(("first API byte", "least wall", "user+sys", "budget", "wrangler", "ratio"), rows)


def main() -> None:
    """Print one row per command."""
    tools = ensure()
    wrangler = (str(tools.node), "--no-warnings", str(tools.wrangler))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, ours, theirs, budget in CASES:
            command = (*TRAILBOSS, *ours)
            peer = (*wrangler, *theirs) if theirs else command
            pair = pairs(lambda c=command: _run(c, folder), lambda p=peer: _run(p, folder), runs=9)
            processor = _processor(command, folder)
            verdict = "" if budget is None else f"{ms(budget)}: {'kept' if processor <= budget else 'MISSED'}"
            compared = (ms(pair.peer), f"{pair.ratio:.1f} x") if theirs else ("", "")
            rows.append((name, ms(pair.ours), ms(processor), verdict, *compared))
        table(("command", "wall", "user+sys", "budget", "wrangler", "ratio"), rows)
        _first_bytes(wrangler, Path(folder))


if __name__ == "__main__":
    main()
