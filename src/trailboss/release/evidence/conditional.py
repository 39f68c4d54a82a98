"""Is the canary worse than the stable version? The conditional e-process over two unequal streams.

Given how many requests each version had in a window and how many failed in all, the number that failed on
the canary follows Fisher's noncentral hypergeometric law, whose only parameter is the odds ratio: the
baseline, and any drift of it, cancels out. The window's gain is the likelihood ratio of odds ratio
`c * g` against `c`, where `c` is the margin we tolerate (measures section 1.6):

    Z(w) = sum_j C(n_b, j) C(n_a, m-j) w^j        S = (w/c)^x_b Z(c) / Z(w)        E = sum_k v_k prod S_k

S grows with x_b, so its mean is at most 1 for every odds ratio up to `c`; E is then a supermartingale
from 1, and P(E ever reaches 1/alpha) <= alpha for any look, step, weight or baseline.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trailboss.release.evidence.wealth import Wealth
from trailboss.release.evidence.windows import Window

GRID = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 400.0)
WEIGHTS = (0.20, 0.27, 0.14, 0.14, 0.14, 0.06, 0.025, 0.025)
MARGIN = 1.25
START = Wealth.start(len(GRID))
_FEW = 24  # terms that are summed as a plain polynomial: it cannot overflow below 1e9 requests
_NOTHING = 1e-18  # a term this far below the largest is lost in a double anyway


@dataclass(frozen=True, slots=True)
class _Table:
    """The margins of a window's 2x2 table; the canary's failures run from `low` to `high`."""

    stable: int
    canary: int
    failures: int

    @property
    def low(self) -> int:
        return max(0, self.failures - self.stable)

    @property
    def high(self) -> int:
        return min(self.failures, self.canary)

    def ratio(self, j: int) -> float:
        """C(n_b, j+1) C(n_a, m-j-1) over C(n_b, j) C(n_a, m-j)."""
        up = (self.canary - j) * (self.failures - j)
        return up / ((j + 1) * (self.stable - self.failures + j + 1))

    def log_term(self, j: int) -> float:
        """log C(n_b, j) C(n_a, m-j), up to a constant of the table."""
        rest = self.failures - j
        parts = (j, self.canary - j, rest, self.stable - rest)
        return -math.fsum(math.lgamma(part + 1) for part in parts)


def log_probabilities(
    stable: int, canary: int, failures: int, seen: int, odds: Sequence[float]
) -> list[float]:
    """Log of Fisher's noncentral hypergeometric probability of `seen` failures on the canary, for each
    odds ratio. Work grows with the spread of that number, not with the counts."""
    table = _Table(stable, canary, failures)
    if table.high - table.low < _FEW:
        return _by_polynomial(table, seen, odds)
    return [_around_the_mode(table, seen, w) for w in odds]


def _by_polynomial(table: _Table, seen: int, odds: Sequence[float]) -> list[float]:
    terms = [1.0]
    for j in range(table.low, table.high):
        terms.append(terms[-1] * table.ratio(j))
    power, own = seen - table.low, math.log(terms[seen - table.low])
    results = []
    for w in odds:
        total = 0.0
        for term in reversed(terms):
            total = total * w + term
        results.append(own + power * math.log(w) - math.log(total))
    return results


def _around_the_mode(table: _Table, seen: int, w: float) -> float:
    """Terms relative to the largest one, outwards until they no longer matter."""
    mode = _mode(table, w)
    total, own = 1.0, 1.0 if seen == mode else 0.0
    term, j = 1.0, mode
    while j < table.high and term > _NOTHING:
        term *= w * table.ratio(j)
        j += 1
        total += term
        own = term if j == seen else own
    term, j = 1.0, mode
    while j > table.low and term > _NOTHING:
        j -= 1
        term /= w * table.ratio(j)
        total += term
        own = term if j == seen else own
    if own:
        return math.log(own) - math.log(total)
    return table.log_term(seen) - table.log_term(mode) + (seen - mode) * math.log(w) - math.log(total)


def _mode(table: _Table, w: float) -> int:
    low, high = table.low, table.high
    while low < high:  # terms rise while w * ratio > 1, and that ratio only falls
        middle = (low + high) // 2
        if w * table.ratio(middle) > 1:
            low = middle + 1
        else:
            high = middle
    return low


def log_gains(window: Window, margin: float, grid: Sequence[float] = GRID) -> tuple[float, ...]:
    """log S_k of the window; zeros where it cannot tell the versions apart."""
    a, b = window.stable, window.canary
    failures = a.errors + b.errors
    if not failures or not a.requests or not b.requests or failures == a.requests + b.requests:
        return (0.0,) * len(grid)
    odds = [margin, *(margin * g for g in grid)]
    null, *others = log_probabilities(a.requests, b.requests, failures, b.errors, odds)
    return tuple(other - null for other in others)


@dataclass(frozen=True, slots=True)
class Conditional:
    """The e-process of one stream of failures. `margin` is the odds ratio tolerated (at least 1):
    at 1 the 1 % holds for a release that changes nothing, above for any change up to it."""

    margin: float = MARGIN
    wealth: Wealth = START

    def __post_init__(self) -> None:
        if not self.margin >= 1:
            raise ValueError(f"the margin is an odds ratio of at least 1, not {self.margin}")

    def after(self, window: Window) -> Conditional:
        """With the window taken into account; itself for a window it already knows."""
        if self.wealth.knows(window.id):
            return self
        return Conditional(self.margin, self.wealth.after(window.id, log_gains(window, self.margin)))

    @property
    def log_e(self) -> float:
        return self.wealth.mixed(WEIGHTS)

    @property
    def _design(self) -> str:
        return f"conditional {self.margin:g}"

    def as_json(self) -> dict[str, Any]:
        return self.wealth.as_json(self._design)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], margin: float = MARGIN) -> Conditional:
        """Raises ReleaseError TB4303 for the state of another margin."""
        return cls(margin, Wealth.from_json(saved, cls(margin)._design, len(GRID)))


def dispersion(windows: Iterable[Window]) -> float:
    """How much more the canary's failures scatter than independent labels allow (at least 1), from an
    A/A run: Pearson's statistic per window against the central hypergeometric law. A burst of B
    failures with one label shows as about B; use it as the `phi` of `tempered`."""
    squares = variance = 0.0
    for window in windows:
        a, b = window.stable.requests, window.canary.requests
        n, m = a + b, window.stable.errors + window.canary.errors
        if a and b and m and n > 1:
            squares += (window.canary.errors - b * m / n) ** 2
            variance += b * a * m * (n - m) / (n * n * (n - 1))
    return max(1.0, squares / variance) if variance else 1.0
