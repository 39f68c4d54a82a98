"""A measurement against its baseline: saved, compared, measured again before anything is claimed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from trailboss.develop.performance.load import Load, Round, Tell
from trailboss.develop.performance.measure import Measured, measure
from trailboss.develop.performance.settings import PerformanceSettings
from trailboss.errors import ConfigError

LOAD = Load("http://x", ("/",), 20.0, 3.0, 10, 10.0)
SETTINGS = PerformanceSettings()


def rounds(times: float, failed: float = 0.0, seed: int = 1) -> tuple[Round, ...]:
    source = random.Random(seed)
    noise = [source.lognormvariate(0, 0.08) for _ in range(10)]
    return tuple(Round(60, failed, 0.02 * times * one, 0.05 * times * one) for one in noise)


def taking(*measurements: tuple[Round, ...]) -> Callable[[Load, Tell], Awaitable[tuple[Round, ...]]]:
    """A drive that gives these, one for each time it is asked."""
    left = list(measurements)

    async def drive(load: Load, tell: Tell) -> tuple[Round, ...]:
        return left.pop(0)

    return drive


def run(file: Path, *measurements: tuple[Round, ...], load: Load = LOAD, save: bool = False) -> Measured:
    drive = taking(*measurements)
    return asyncio.run(measure(load, SETTINGS, file, lambda _: None, save=save, drive=drive))


def test_the_first_becomes_the_baseline_and_save_makes_another(tmp_path: Path) -> None:
    file = tmp_path / "performance" / "x.json"
    assert run(file, rounds(1)).outcome == "saved"
    assert run(file, rounds(1, seed=2)).outcome == "same"
    assert run(file, rounds(5), save=True).outcome == "saved"
    assert run(file, rounds(5, seed=3)).outcome == "same"


@pytest.mark.parametrize(
    ("second", "outcome"), [(rounds(2, seed=3), "regression"), (rounds(1, seed=3), "same")]
)
def test_what_looks_worse_is_measured_again(tmp_path: Path, second: tuple[Round, ...], outcome: str) -> None:
    file = tmp_path / "x.json"
    run(file, rounds(1))
    done = run(file, rounds(2, seed=2), second)
    assert (done.outcome, done.measurements) == (outcome, 2)


def test_failures_are_a_regression_too(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    run(file, rounds(1))
    bad = rounds(1, failed=0.1, seed=2)
    done = run(file, bad, bad)
    assert [one.measure for one in done.verdicts if one.worse] == ["failed"]
    assert done.outcome == "regression"


def test_other_loads_are_not_compared_and_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    run(file, rounds(1))
    with pytest.raises(ConfigError) as caught:
        run(file, load=replace(LOAD, rate=30.0))
    assert caught.value.code == "TB1521"
    file.write_text('{"rounds": 3}')
    with pytest.raises(ConfigError) as caught:
        run(file)
    assert caught.value.code == "TB1520"


def test_another_machine_is_said(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    run(file, rounds(1))
    file.write_text(file.read_text().replace('"machine": "', '"machine": "other '))
    assert run(file, rounds(1, seed=2)).warnings
