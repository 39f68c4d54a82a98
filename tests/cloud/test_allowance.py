"""The arithmetic of the budget, as properties."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trailboss.cloud.allowance import Allowance, Limits

NOW = 1_800_000_000.0
SMALL = Limits(quota=50, window=60.0, share=0.8, rate=2.0, burst=10.0)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(0, 20, allow_nan=False), min_size=20, max_size=120))
def test_never_more_than_the_share_in_any_window(gaps: list[float]) -> None:
    now, sent = NOW, []
    state = Allowance.fresh(SMALL, now)
    for gap in gaps:
        now += gap
        wait = state.take(now)
        if wait:
            now += wait
            wait = state.take(now)
        if not wait:
            sent.append(now)
    for index, start in enumerate(sent):
        assert sum(1 for other in sent[index:] if other < start + SMALL.window) <= SMALL.stop


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 400))
def test_asking_again_after_the_wait_gets_one(already: int) -> None:
    now = NOW
    state = Allowance.fresh(Limits(), now)
    for _ in range(already):
        waits = 0
        while wait := state.take(now):
            now += wait
            waits += 1
            assert waits <= 3


def test_burst_then_rate_then_stop() -> None:
    state, now, sent = Allowance.fresh(Limits(), NOW), NOW, 0
    while state.take(now) == 0:
        sent += 1
    assert sent == 200
    while now < NOW + 299:
        now += 0.25
        while state.take(now) == 0:
            sent += 1
    assert sent == 960
    assert state.take(now) > 0


def test_a_block_holds_and_is_never_shortened() -> None:
    state = Allowance.fresh(Limits(), NOW)
    state.block(NOW + 300)
    state.block(NOW + 5)
    assert state.take(NOW + 10) == 290
    assert state.take(NOW + 300) == 0


def test_a_clock_set_back_does_not_lock_us_out() -> None:
    state = Allowance.fresh(Limits(), NOW)
    state.block(NOW + 100)
    assert state.take(NOW + 1) > 0
    assert state.take(NOW - 86_400) <= 100
    assert state.take(NOW - 86_400 + 101) == 0


@given(st.floats(0, 200), st.floats(0, 2e9), st.floats(0, 2e9), st.lists(st.integers(0, 960), max_size=61))
def test_packing_keeps_everything(tokens: float, updated: float, blocked: float, counts: list[int]) -> None:
    limits = Limits()
    filled = (counts + [0] * limits.slots)[: limits.slots]
    state = Allowance(limits, tokens, updated, blocked, int(updated // 5), filled)
    assert Allowance.unpack(state.pack(), limits) == state


@given(st.binary(max_size=400))
def test_damage_is_noticed(data: bytes) -> None:
    assert Allowance.unpack(data, Limits()) is None


@given(st.integers(0, 275), st.integers(1, 255))
def test_every_flipped_byte_is_noticed(place: int, flip: int) -> None:
    data = bytearray(Allowance.fresh(Limits(), NOW).pack())
    data[place % len(data)] ^= flip
    assert Allowance.unpack(bytes(data), Limits()) is None
    assert Allowance.unpack(bytes(data[:-1]), Limits()) is None
