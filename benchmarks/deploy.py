"""`trailboss deploy` against `wrangler deploy`, unchanged and edited, at 0 and 50 ms of API latency."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from benchmarks.account import Account, account
from benchmarks.measure import ms, pairs, table

AIMS = {"nothing changed": 10.0, "one line changed": 2.0}


def _edited(run: Callable[[Path], None], folder: Path) -> Callable[[], None]:
    numbers = itertools.count()

    def edit_and_run() -> None:
        source = folder / "src" / "index.ts"
        source.write_text(f"{source.read_text().rsplit('// edit', 1)[0].rstrip()}\n// edit {next(numbers)}\n")
        run(folder)

    return edit_and_run


def _measure(box: Account, latency: float, row: str) -> list[object]:
    ours, peer = box.project(f"ours-{latency:.0f}-{row[:3]}"), box.project(f"peer-{latency:.0f}-{row[:3]}")
    box.trailboss(ours, "deploy")
    box.wrangler(peer, "deploy")
    box.calls()
    box.trailboss(ours, "deploy", "--force") if row != "nothing changed" else box.trailboss(ours, "deploy")
    our_calls = box.calls()
    box.wrangler(peer, "deploy")
    their_calls = box.calls()
    box.latency(latency)
    if row == "nothing changed":
        found = pairs(lambda: box.trailboss(ours, "deploy"), lambda: box.wrangler(peer, "deploy"))
    else:
        found = pairs(
            _edited(lambda folder: box.trailboss(folder, "deploy"), ours),
            _edited(lambda folder: box.wrangler(folder, "deploy"), peer),
        )
    box.latency(0)
    return [
        row,
        f"{latency:.0f} ms",
        ms(found.ours),
        ms(found.peer),
        f"{found.ratio:.1f}x",
        f"{AIMS[row]:.0f}x",
        our_calls,
        their_calls,
    ]


def main() -> None:
    """Print the table."""
    with account() as box:
        rows = [_measure(box, latency, row) for latency in (0.0, 50.0) for row in AIMS]
    table(
        ["deploy", "API latency", "trailboss", "wrangler", "faster", "aim", "our calls", "its calls"],
        rows,
    )
