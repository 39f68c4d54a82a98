from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.errors import ReleaseError
from trailboss.release.evidence import Estimated, Event, Exact, Span, Window, cut, gather


@pytest.mark.parametrize("counts", [(1, 2), (-1, 0), (3, -1), (10.0, 1), (10, 0.5)])
def test_what_cannot_be_a_count_is_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ReleaseError) as caught:
        Exact(*counts)
    assert caught.value.code == "TB4304"


def test_estimates_do_not_fit_into_a_window() -> None:
    with pytest.raises(ReleaseError) as caught:
        Window(1, Exact(10), Estimated(1000, 300))  # type: ignore[arg-type]
    assert caught.value.code == "TB4301"
    assert "Estimated" in caught.value.message


def test_an_estimate_counts_by_its_sampled_records_only() -> None:
    assert Estimated(1000, 300, sampled=Exact(10, 3)).counted() == Exact(10, 3)
    with pytest.raises(ReleaseError) as caught:
        Estimated(1000, 300).counted()
    assert caught.value.code == "TB4301"


def test_windows_skip_propagation_and_stop_at_a_change() -> None:
    spans = cut(100, 150, [128])
    assert [(span.start, span.end) for span in spans] == [(105, 115), (115, 125), (125, 128), (133, 143)]
    assert spans[0].id == 105_000


def test_an_unfinished_window_is_not_cut() -> None:
    assert cut(100, 114.9) == ()
    assert len(cut(100, 115)) == 1


@given(
    st.lists(st.floats(0, 200), max_size=6),
    st.floats(1, 200),
)
def test_no_span_straddles_a_change_or_its_propagation(changes: list[float], until: float) -> None:
    spans = cut(0, until, changes)
    assert [span.id for span in spans] == sorted(span.id for span in spans)
    for span in spans:
        assert 0 < span.end - span.start <= 10 + 1e-9
        for change in (0, *changes):
            assert span.end <= change or span.start >= change + 5 or change >= until
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))


@given(st.floats(20, 100), st.floats(0, 100))
def test_cutting_again_later_gives_the_same_windows(until: float, more: float) -> None:
    first, later = cut(0, until, [12]), cut(0, until + more, [12])
    assert later[: len(first)] == first


def test_events_are_counted_per_span_and_version() -> None:
    events = [
        Event(1, False, False),
        Event(2, True, True),
        Event(9.99, True, False),
        Event(10, False, True),
        Event(20, False, True),
    ]
    first, second = gather([Span(0, 10), Span(10, 20)], events)
    assert first == Window(0, Exact(1, 0), Exact(2, 1))
    assert second == Window(10_000, Exact(1, 1), Exact(0, 0))
