"""`trailboss deploy` against `wrangler deploy`, unchanged and edited, at 0 and 50 ms of API latency."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.account import Account, account
from benchmarks.measure import ms, pairs, table
from trailboss.build import spare
from trailboss.toolchain import cache_root

AIMS = {"nothing changed": "10x", "one line changed": "2x", "one line changed, no spare wrangler": ""}


def spares_are_ready() -> None:
    """Wait until what the last deploy left behind has loaded: between two edits there is time for it."""
    while spare.ready() < sum(1 for _ in (cache_root() / "spare").glob("*")):
        time.sleep(0.05)


def _edited(run: Callable[[], None], folder: Path) -> Callable[[], None]:
    numbers = itertools.count()

    def edit_and_run() -> None:
        source = folder / "src" / "index.ts"
        source.write_text(f"{source.read_text().rsplit('// edit', 1)[0].rstrip()}\n// edit {next(numbers)}\n")
        run()

    return edit_and_run


def _measure(box: Account, latency: float, row: str) -> list[object]:
    name = f"{latency:.0f}-{list(AIMS).index(row)}"
    ours, peer = box.project(f"ours-{name}"), box.project(f"peer-{name}")
    box.environ["TRAILBOSS_BUNDLER"] = "cold" if "no spare" in row else "warm"
    box.trailboss(ours, "deploy")
    box.wrangler(peer, "deploy")
    box.calls()
    box.trailboss(ours, "deploy", "--force") if row != "nothing changed" else box.trailboss(ours, "deploy")
    our_calls = box.calls()
    box.wrangler(peer, "deploy")
    their_calls = box.calls()
    box.latency(latency)
    run: Callable[[], None] = partial(box.trailboss, ours, "deploy")
    theirs: Callable[[], None] = partial(box.wrangler, peer, "deploy")
    if row != "nothing changed":
        run, theirs = _edited(run, ours), _edited(theirs, peer)
    found = pairs(run, theirs, between=spares_are_ready)
    box.latency(0)
    return [
        row,
        f"{latency:.0f} ms",
        ms(found.ours),
        ms(found.peer),
        f"{found.ratio:.1f}x",
        AIMS[row],
        our_calls,
        their_calls,
    ]


def main() -> None:
    """Print the table."""
    with account() as box:
        spare.end_all()
        try:
            rows = [_measure(box, latency, row) for latency in (0.0, 50.0) for row in AIMS]
        finally:
            spare.end_all()
    table(
        ["deploy", "API latency", "trailboss", "wrangler", "faster", "aim", "our calls", "its calls"],
        rows,
    )
