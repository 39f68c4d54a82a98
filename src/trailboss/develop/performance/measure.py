"""`test performance`: measured, compared with the baseline, and measured again before anything is claimed.

What all rounds of one measurement share (a busy machine, a slow minute of the network) no test on rounds can
see. So a regression is claimed only when a second measurement, begun at once, shows the same.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from trailboss.develop.performance.load import Load, Round, Tell, drive
from trailboss.develop.performance.ranks import Verdict, difference, judged, ratio
from trailboss.develop.performance.settings import PerformanceSettings
from trailboss.errors import ConfigError
from trailboss.values import Location

Drive = Callable[[Load, Tell], Awaitable[tuple[Round, ...]]]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Rounds that later ones are compared with, the load they were measured under, and on what machine."""

    load: dict[str, Any]
    machine: str
    rounds: tuple[Round, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """How it ended: `saved` (there is a baseline now), `same` (no regression can be shown) or `regression`.
    `seconds` are those of a round; `verdicts` of the last measurement."""

    outcome: Literal["saved", "same", "regression"]
    url: str
    rounds: tuple[Round, ...]
    verdicts: tuple[Verdict, ...]
    measurements: int
    baseline: str
    warnings: tuple[str, ...] = ()


async def measure(
    load: Load,
    settings: PerformanceSettings,
    file: Path,
    tell: Tell,
    *,
    save: bool = False,
    drive: Drive = drive,
) -> Measured:
    """Measure `load` and compare it with the baseline in `file`, or make it the baseline: where there is
    none, and with `save`.

    Raises ConfigError TB1520 (the file is no baseline), TB1521 (it was measured under another load)."""
    known = None if save else read(file, load)
    rounds = await drive(load, tell)
    if known is None:
        write(file, Baseline(_shape(load), _machine(), rounds))
        return Measured("saved", load.url, rounds, (), 1, str(file))
    said = () if known.machine == _machine() else (f"the baseline is from another machine, {known.machine}",)
    verdicts, times = compare(known.rounds, rounds, settings), 1
    first = {one.measure for one in verdicts if one.worse}
    if first:
        tell("it looks worse: measuring again to be sure")
        rounds, times = await drive(load, tell), 2
        verdicts = compare(known.rounds, rounds, settings)
    sure = first & {one.measure for one in verdicts if one.worse}
    outcome: Literal["same", "regression"] = "regression" if sure else "same"
    return Measured(outcome, load.url, rounds, verdicts, times, str(file), said)


def compare(
    before: Sequence[Round], after: Sequence[Round], settings: PerformanceSettings
) -> tuple[Verdict, ...]:
    """Medians, slow ends and failures of the rounds."""
    verdicts = [
        ratio(name, [getattr(one, name) for one in before], [getattr(one, name) for one in after], limit)
        for name, limit in (("p50", settings.margin), ("p95", settings.margin))
    ]
    failed = ([one.failed for one in before], [one.failed for one in after])
    return judged([*verdicts, difference("failed", *failed, settings.failures)], settings.alpha)


def read(file: Path, load: Load) -> Baseline | None:
    """The baseline in `file`; None where there is none."""
    if not file.exists():
        return None
    try:
        data = json.loads(file.read_text("utf-8"))
        rounds = tuple(Round(**one) for one in data["rounds"])
        found = Baseline(data["load"], str(data["machine"]), rounds)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(
            "TB1520",
            "this is no baseline of a performance test",
            hint="Measure a new one: trailboss test performance --save",
            where=Location(file),
        ) from None
    if found.load != _shape(load) or not rounds:
        raise ConfigError(
            "TB1521",
            "the baseline was measured under another load, so nothing can be compared",
            hint="Measure a new one: trailboss test performance --save",
            where=Location(file),
        )
    return found


def write(file: Path, baseline: Baseline) -> None:
    """Keep it; it is meant to be committed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(baseline), indent=1) + "\n", "utf-8")


def _shape(load: Load) -> dict[str, Any]:
    """What has to be the same for figures to be comparable."""
    return {"paths": list(load.paths), "rate": load.rate, "seconds": load.seconds, "timeout": load.timeout}


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
