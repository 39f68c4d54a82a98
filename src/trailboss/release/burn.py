"""Burn rates of an error budget over several windows (Google's SRE workbook, chapter 5). Pure.

A budget of 0.1 % that is spent at 14.4 times its rate is gone in two days. A long window says that it
matters, a short one that it still goes on; both must burn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

LEAST = 10
"""Failures in the long window below which nothing is said."""


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """`long` and `short` in seconds; burning at `rate` times the budget's own rate or more."""

    long: float
    short: float
    rate: float


DEFAULT = (BurnWindow(3600.0, 300.0, 14.4), BurnWindow(21_600.0, 1800.0, 6.0))


@dataclass(frozen=True, slots=True)
class Burning:
    """The window that burns, how fast (times the budget's rate), and what was counted in its long part."""

    window: BurnWindow
    speed: float
    requests: int
    failed: int


@dataclass(slots=True)
class Budget:
    """Counts by time, for an `objective` between 0 and 1 (0.999: one failure in a thousand is allowed)."""

    objective: float
    windows: tuple[BurnWindow, ...] = DEFAULT
    _counts: deque[tuple[float, int, int]] = field(default_factory=deque)

    def add(self, at: float, requests: int, failed: int) -> None:
        """What one stretch of time that ended `at` had; in order."""
        self._counts.append((at, requests, failed))
        oldest = at - max(window.long for window in self.windows)
        while self._counts and self._counts[0][0] < oldest:
            self._counts.popleft()

    def burning(self, now: float) -> Burning | None:
        """The first window whose long and short part both burn; None when none does."""
        for window in self.windows:
            requests, failed = self._sum(now - window.long)
            speed = min(self._speed(requests, failed), self._speed(*self._sum(now - window.short)))
            if failed >= LEAST and speed >= window.rate:
                return Burning(window, round(speed, 1), requests, failed)
        return None

    def forget(self) -> None:
        """Begin anew, after something was done about it."""
        self._counts.clear()

    def _sum(self, since: float) -> tuple[int, int]:
        inside = [(requests, failed) for at, requests, failed in self._counts if at > since]
        return _total(one for one, _ in inside), _total(one for _, one in inside)

    def _speed(self, requests: int, failed: int) -> float:
        return failed / requests / (1 - self.objective) if requests else 0.0


def _total(values: Iterable[int]) -> int:
    return sum(values)
