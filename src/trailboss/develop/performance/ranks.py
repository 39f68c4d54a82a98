"""Whether rounds are worse than a baseline's: a rank test, exact, free of any assumption about their shape.

The unit is the round, not the request: requests of one moment share its weather, and thousands of them are
no thousands of witnesses. The question is not "is it different" but "is it worse than `margin` times as
slow": the baseline is scaled by the margin first. Mann and Whitney's U counts pairs in which the new round is
strictly worse; ties count for the old one, which can only make the test more careful. Holm's rule keeps the
risk of one false claim over all questions below alpha.
Mann, Whitney (1947), doi:10.1214/aoms/1177730491; Holm (1979), Scandinavian Journal of Statistics 6.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb


@dataclass(frozen=True, slots=True)
class Verdict:
    """One question's answer. `before` and `after` are medians over the rounds; `change` the median of all
    pairs' ratios (of shares: differences), `p` how likely so clear a picture is where nothing is worse than
    the margin."""

    measure: str
    before: float
    after: float
    change: float
    margin: float
    p: float
    worse: bool = False


def p_value(before: Sequence[float], after: Sequence[float]) -> float:
    """One-sided: P(U >= what was seen) when both come from one distribution."""
    wins = sum(new > old for new in after for old in before)
    ways = _ways(len(after), len(before))
    return sum(ways[wins:]) / comb(len(after) + len(before), len(after))


@cache
def _ways(n: int, m: int) -> tuple[int, ...]:
    """In how many of the orders of `n` and `m` things U is 0, 1, 2, ..., n * m."""
    if n == 0 or m == 0:
        return (1,)
    counts = [0] * (n * m + 1)
    for shift, part in ((m, _ways(n - 1, m)), (0, _ways(n, m - 1))):
        for at, count in enumerate(part):
            counts[at + shift] += count
    return tuple(counts)


def ratio(measure: str, before: Sequence[float], after: Sequence[float], margin: float) -> Verdict:
    """Is it more than `margin` times as much?"""
    change = statistics.median(new / old if old else 1.0 for new in after for old in before)
    p = p_value([old * margin for old in before], after)
    return Verdict(measure, statistics.median(before), statistics.median(after), change, margin, p)


def difference(measure: str, before: Sequence[float], after: Sequence[float], margin: float) -> Verdict:
    """Is it more than `margin` above?"""
    change = statistics.median(new - old for new in after for old in before)
    p = p_value([old + margin for old in before], after)
    return Verdict(measure, statistics.median(before), statistics.median(after), change, margin, p)


def judged(verdicts: Sequence[Verdict], alpha: float) -> tuple[Verdict, ...]:
    """The same, each `worse` or not, with at most `alpha` risk of any false claim (Holm)."""
    from dataclasses import replace

    worse: Mapping[str, bool] = {}
    for rank, one in enumerate(sorted(verdicts, key=lambda one: one.p)):
        if one.p > alpha / (len(verdicts) - rank):
            break
        worse = {**worse, one.measure: True}
    return tuple(replace(one, worse=worse.get(one.measure, False)) for one in verdicts)
