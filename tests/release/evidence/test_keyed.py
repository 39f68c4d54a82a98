"""Keys as the unit: exact for whatever the keys do, shown by enumeration of all labels."""

from __future__ import annotations

import json
import math
import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailboss.errors import ReleaseError
from trailboss.release.evidence import Conditional, Event, Exact, Keyed, Span, Window
from trailboss.release.evidence.conditional import GRID, log_gains
from trailboss.release.evidence.keyed import log_gains as keyed_gains

SPAN = Span(0, 10)


def failing(*keys: str, canary: bool = True, at: float = 1) -> list[Event]:
    return [Event(at, canary, True, key) for key in keys]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(0.1, 0.1), (0.1, 0.5), (0.01, 0.25)]))
def test_the_mean_is_one_for_any_pattern_of_failures_and_a_rising_share(
    seed: int, split: tuple[float, float]
) -> None:
    keys, windows, draw = 5, 4, random.Random(seed)
    when = [[draw.random() < 0.4 for _ in range(keys)] for _ in range(windows)]
    first, second = split
    chance = (first, second - first, 1 - second)  # on the canary from the start, from the rise, never
    mean = [0.0] * len(GRID)
    for labels in product(range(3), repeat=keys):
        total, spent = [0.0] * len(GRID), set()
        for number, row in enumerate(when):
            new = [key for key in range(keys) if row[key] and key not in spent]
            spent |= set(new)
            step = int(number >= 2)
            bad = sum(labels[key] <= step for key in new)
            gains = keyed_gains(len(new) - bad, bad, split[step], 1.0)
            total = [a + b for a, b in zip(total, gains, strict=True)]
        weight = math.prod(chance[label] for label in labels)
        mean = [m + weight * math.exp(t) for m, t in zip(mean, total, strict=True)]
    assert mean == pytest.approx([1.0] * len(GRID), abs=1e-9)


def test_it_is_the_conditional_process_with_endless_requests() -> None:
    many = log_gains(Window(1, Exact(9 * 10**8, 4), Exact(10**8, 3)), 1.25)
    assert keyed_gains(4, 3, 0.1, 1.25) == pytest.approx(many, abs=1e-6)


def test_a_key_that_fails_for_ever_counts_once() -> None:
    process, plain = Keyed(1.0), Conditional(1.0)
    for number in range(50):
        span = Span(number * 10, number * 10 + 10)
        process, _ = process.after(span, 0.5, failing("u1", at=number * 10 + 1))
        plain = plain.after(Window(number, Exact(10, 0), Exact(10, 1)))
    assert process.log_e < 1
    assert plain.log_e > math.log(100)


def test_many_keys_failing_on_the_canary_are_evidence() -> None:
    process, window = Keyed().after(SPAN, 0.1, failing(*(f"u{n}" for n in range(6))))
    assert process.log_e > math.log(100)
    assert window.canary == Exact(6, 6)


def test_the_certificate_meets_each_key_once_a_step_and_every_first_failure() -> None:
    good = [Event(1, True, False, "a"), Event(2, True, False, "a"), Event(3, True, False, "b")]
    process, window = Keyed().after(SPAN, 0.1, good)
    assert window.canary == Exact(2, 0)
    process, window = process.after(Span(10, 20), 0.1, [*failing("b", at=11), Event(12, True, False, "a")])
    assert window.canary == Exact(1, 1)
    _, window = process.next_step().after(Span(20, 30), 0.5, [Event(21, True, False, "a")])
    assert window.canary == Exact(1, 0)


def test_no_key_is_kept_in_clear_and_state_survives_json() -> None:
    process, _ = Keyed().after(SPAN, 0.1, failing("mia@example.com"))
    text = json.dumps(process.as_json(), allow_nan=False)
    assert "mia" not in text
    assert Keyed.from_json(json.loads(text)) == process
    with pytest.raises(ReleaseError):
        Keyed.from_json(json.loads(text), margin=2)


def test_a_repeated_span_changes_nothing() -> None:
    process, _ = Keyed().after(SPAN, 0.1, failing("a", "b"))
    again, window = process.after(SPAN, 0.1, failing("c"))
    assert again is process
    assert window.canary == Exact()


def test_events_without_a_key_or_outside_the_span_are_left_out() -> None:
    process, window = Keyed().after(SPAN, 0.1, [Event(1, True, True), *failing("a", at=10)])
    assert process.failed == frozenset()
    assert window.canary == Exact()
