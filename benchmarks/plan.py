"""What plans cost: API calls, seconds and memory for 100, 1,000 and 5,000 resources, through a real sandbox;
and an apply against the same resources made by wrangler, one command after the other."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.account import Account, account
from benchmarks.measure import once, table

SIZES = (100, 1_000, 5_000)
MADE = (
    ("kv_namespace", ("kv", "namespace", "create"), 4),
    ("d1_database", ("d1", "create"), 3),
    ("r2_bucket", ("r2", "bucket", "create"), 2),
    ("queue", ("queues", "create"), 3),
)
"""What the example binds, and twice as much: kind, wrangler's command, how many."""
ZONE = "example.com"


def _tables(count: int) -> Iterable[str]:
    """Half records, half things that Workers bind, of one zone and four kinds."""
    for number in range(count):
        kind = ("dns_record", MADE[number % len(MADE)][0])[number % 2]
        more = f'zone = "{ZONE}"\ntype = "A"\ncontent = "192.0.2.1"\n' if number % 2 == 0 else ""
        key = f'"n{number}.{ZONE}"' if number % 2 == 0 else f"n{number}"
        yield f"[resources.{kind}.{key}]\n{more}"


def _project(box: Account, name: str, tables: Iterable[str]) -> Path:
    folder = box.scratch / name
    folder.mkdir()
    (folder / "trailboss.toml").write_text("\n".join([f'name = "{name}"\n', *tables]), encoding="utf-8")
    return folder


def _planned(box: Account, folder: Path) -> tuple[float, int, int]:
    """Seconds, calls and the process's peak memory in MB of one plan."""
    began = time.perf_counter()
    code = "import sys, resource; from trailboss.cli.main import main; status = main(['plan', '--json']);"
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(status)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=box.environ, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - began
    return seconds, json.loads(done.stdout)["calls"], int(done.stderr.split()[-1]) // 1024


def _sizes(box: Account) -> list[list[object]]:
    rows: list[list[object]] = []
    for size in SIZES:
        folder = _project(box, f"size{size}", _tables(size))
        box.control("POST", "reset")
        box.control("POST", "seed", {"zones": [ZONE]})
        made = once(lambda folder=folder: box.trailboss(folder, "apply", "--yes"))  # type: ignore[misc]
        row: list[object] = [size, f"{made:.1f} s"]
        for latency in (0.0, 50.0):
            box.latency(latency)
            seconds, calls, memory = _planned(box, folder)
            row += [f"{seconds:.2f} s"]
        box.latency(0)
        rows.append([*row, calls, f"{memory} MB"])
    return rows


def _against_wrangler(box: Account) -> list[object]:
    box.control("POST", "reset")
    tables = [f"[resources.{kind}.shop-p{number}]\n" for kind, _, count in MADE for number in range(count)]
    folder = _project(box, "ours", tables)
    box.latency(50.0)
    ours = once(lambda: box.trailboss(folder, "apply", "--yes"))
    began = time.perf_counter()
    for _, words, count in MADE:
        for number in range(count):
            box.wrangler(folder, *words, f"shop-q{number}")
    theirs = time.perf_counter() - began
    box.latency(0)
    return [len(tables), f"{ours:.1f} s", f"{theirs:.1f} s", f"{theirs / ours:.1f}x"]


def main() -> None:
    """Print both tables."""
    with account() as box:
        table(
            ["resources", "apply", "plan", "plan at 50 ms", "calls", "memory"],
            _sizes(box),
        )
        print()
        table(["resources made at 50 ms", "trailboss", "wrangler", "faster"], [_against_wrangler(box)])
