"""`trailboss d1 execute` as a person sees it; the rest is in tests/develop."""

from __future__ import annotations

from trailboss.cli.commands.d1 import _boxed


def test_a_table_has_lines_around_every_cell() -> None:
    assert _boxed([{"a": 1, "long": None}, {"a": "x", "long": "two\nlines"}]).split("\n") == [
        "┌───┬───────────┐",
        "│ a │ long      │",
        "├───┼───────────┤",
        "│ 1 │ null      │",
        "├───┼───────────┤",
        "│ x │ two lines │",
        "└───┴───────────┘",
    ]
