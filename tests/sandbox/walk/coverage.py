"""The coverage table of docs/sandbox.md: `python -m tests.sandbox.walk.coverage` writes it anew."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from tests.sandbox.walk.plain import PLAIN
from tests.sandbox.walk.walker import key_of, routes

PAGE = Path(__file__).parents[3] / "docs" / "sandbox.md"
BEGIN, END = "<!-- coverage: generated -->\n", "<!-- coverage: end -->"
FAMILIES = ("alerting", "d1", "flagship", "kv", "pages", "r2", "tokens", "vectorize", "workers", "workflows")


def family(product: str) -> str:
    """Under which name the files of one product are counted."""
    if product.startswith("queue"):
        return "queues"
    first = product.partition("_")[0]
    return first if first in FAMILIES else product.replace("_", " ")


def table() -> str:
    """A row per product: its routes, how many the walk takes through the SDK, and why not the others."""
    keys: dict[str, list[str]] = defaultdict(list)
    for route in routes():
        keys[family(route.product)].append(key_of(route))
    rows = [_row(product, keys[product]) for product in sorted(keys)]
    rows.append(_row("all", [key for each in keys.values() for key in each], reasons=False))
    return "\n".join(["| product | routes | through the SDK | otherwise |", "|---|---|---|---|", *rows, ""])


def _row(product: str, keys: list[str], *, reasons: bool = True) -> str:
    others = Counter(PLAIN[key] for key in keys if key in PLAIN)
    why = "; ".join(f"{count} {reason}" for reason, count in others.most_common()) if reasons else ""
    counted = why or str(others.total() or "")
    return f"| {product} | {len(keys)} | {len(keys) - others.total()} | {counted} |"


def page() -> str:
    """docs/sandbox.md with the table as it is to be."""
    text = PAGE.read_text("utf-8")
    return re.sub(f"(?<={BEGIN}).*?(?={END})", lambda _: table(), text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
