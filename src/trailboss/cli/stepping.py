"""The progress of an apply: a tree of what is under way and what waits for it, a line for what has ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from trailboss.cli.output import Output

if TYPE_CHECKING:
    from trailboss.plan.changes import Change
    from trailboss.plan.schedule import Step

TALLEST = 12
"""Lines of the tree; the rest is counted."""


class Stepper:
    """Takes each step of an apply. `signs` are the sign and colour of each action."""

    def __init__(self, output: Output, signs: dict[str, tuple[str, str]]) -> None:
        self._output = output
        self._signs = signs
        self._waiting: dict[str, Change] = {}
        self._running: dict[str, Change] = {}
        self._after: dict[str, list[Change]] = {}  # address -> what needs it
        self._ended = 0

    def expect(self, changes: Iterable[Change]) -> None:
        """What is going to be done; without it the tree has no branches and no total."""
        self._waiting = {one.address: one for one in changes if one.writes and one.action != "none"}
        for one in self._waiting.values():
            for need in one.needs:
                self._after.setdefault(need, []).append(one)

    def __call__(self, one: Step) -> None:
        change = one.change
        if change.action == "none":
            return
        self._waiting.pop(change.address, None)
        if one.state == "begun":
            self._running[change.address] = change
            self._output.progress(_words(change), self._tree())
            return
        self._running.pop(change.address, None)
        self._ended += 1
        sign, colour = self._signs[change.action] if one.state == "done" else ("✗", "31;1")
        problem = f": {one.problem}" if one.state == "failed" else ""
        self._output.note(f"  {self._output.style(sign, colour)} {change.kind} {change.name}{problem}")
        if self._running:
            self._output.advance(self._tree())

    def _tree(self) -> list[str]:
        total = self._ended + len(self._running) + len(self._waiting)
        lines = list(self._lines())
        more = [f"… and {len(lines) - TALLEST} more"] if len(lines) > TALLEST else []
        return [f"{self._ended} of {total} done", *lines[:TALLEST], *more]

    def _lines(self) -> Iterator[str]:
        running = list(self._running.values())
        for number, change in enumerate(running):
            last = number == len(running) - 1
            yield f"{'└─' if last else '├─'} {_words(change)}"
            after = [one for one in self._after.get(change.address, ()) if one.address in self._waiting]
            for place, one in enumerate(after):
                branch = "└─" if place == len(after) - 1 else "├─"
                yield f"{'  ' if last else '│ '} {branch} then {_words(one)}"


def _words(change: Change) -> str:
    return f"{change.action} {change.kind} {change.name}"
