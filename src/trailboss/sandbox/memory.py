"""How much memory the sandbox's processes hold."""

from __future__ import annotations

import subprocess
from pathlib import Path


def resident_bytes(python: int, node: int) -> dict[str, int]:
    """Resident bytes of the daemon, of Node, and of the workerd processes below it; and their sum."""
    table = _processes()
    below = _descendants(table, node)
    parts = {
        "python": table.get(python, (0, 0))[1],
        "node": table.get(node, (0, 0))[1],
        "workerd": sum(table[pid][1] for pid in below),
    }
    return {**parts, "total": sum(parts.values())}


def _processes() -> dict[int, tuple[int, int]]:
    """pid -> (parent, resident bytes)."""
    if Path("/proc/self/stat").exists():
        return {int(entry.name): _stat(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    listing = subprocess.run(["ps", "-axo", "pid=,ppid=,rss="], capture_output=True, text=True, check=False)
    rows = (line.split() for line in listing.stdout.splitlines())
    return {int(pid): (int(parent), int(rss) * 1024) for pid, parent, rss in rows}


def _stat(entry: Path) -> tuple[int, int]:
    try:
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended meanwhile
        return (0, 0)
    return int(fields[1]), int(fields[21]) * 4096


def _descendants(table: dict[int, tuple[int, int]], root: int) -> list[int]:
    found: list[int] = []
    queue = [root]
    while queue:
        parent = queue.pop()
        children = [pid for pid, (above, _) in table.items() if above == parent]
        found += children
        queue += children
    return found
