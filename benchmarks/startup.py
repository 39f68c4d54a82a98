"""How long commands take that ask nobody: against wrangler's own, and against the budgets.

Wall time is a ratio of pairs taken in turn; the budget is checked against user and system time, the least of
ten, since wall time on a busy machine says little.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import ms, pairs, table
from trailboss.toolchain import ensure

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


if __name__ == "__main__":
    main()
