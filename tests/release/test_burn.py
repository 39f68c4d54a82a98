"""Burn rates: what burns, what only flickers, what is long over."""

from __future__ import annotations

import pytest

from trailboss.release.burn import Budget, BurnWindow

WINDOW = BurnWindow(3600, 300, 14.4)


def budget(*counts: tuple[float, int, int]) -> Budget:
    made = Budget(0.999, (WINDOW,))
    for at, requests, failed in counts:
        made.add(at, requests, failed)
    return made


@pytest.mark.parametrize(
    ("counts", "speed"),
    [
        ([(10, 1000, 20)], 20.0),
        ([(10, 1000, 10)], None),
        ([(10, 100, 9)], None),
        ([(10, 1000, 200), (3000, 1000, 0)], None),
        ([(10, 100_000, 0), (3000, 1000, 500)], None),
        ([(10, 10_000, 100), (3500, 1000, 500)], 54.5),
        ([], None),
    ],
)
def test_both_windows_must_burn(counts: list[tuple[float, int, int]], speed: float | None) -> None:
    now = counts[-1][0] if counts else 0.0
    found = budget(*counts).burning(now)
    assert (found.speed if found else None) == speed


def test_old_counts_are_forgotten() -> None:
    made = budget((10, 1000, 500), (5000, 1000, 0))
    assert len(made._counts) == 1 and made.burning(5000) is None
    made.forget()
    assert made.burning(5000) is None
