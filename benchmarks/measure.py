"""Timing in pairs: ours and the peer in turn, so that a machine that drifts moves both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Medians in seconds, and the median of the ratios peer/ours taken pair by pair."""

    ours: float
    peer: float
    ratio: float
    runs: int


def once(action: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def pairs(
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    runs: int = 5,
    between: Callable[[], object] = lambda: None,
) -> Pair:
    """`runs` counted pairs after one warm-up of each; `between` is called before each call, uncounted."""

    def settled(action: Callable[[], object]) -> float:
        between()
        return once(action)

    settled(ours), settled(peer)
    taken = [(settled(ours), settled(peer)) for _ in range(runs)]
    return Pair(
        ours=statistics.median(a for a, _ in taken),
        peer=statistics.median(b for _, b in taken),
        ratio=statistics.median(b / a for a, b in taken),
        runs=runs,
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table with aligned columns."""
    cells = [list(map(str, headings)), *(list(map(str, row)) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    for number, row in enumerate(cells):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def ms(seconds: float) -> str:
    """Milliseconds for people."""
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.2f} ms"
