"""Rounds of a project's own locustfile: users who do what the file says, one run of locust for each round.

locust is an extra (`pip install "trailboss[locust]"`) and runs in a process of its own, since it replaces
Python's sockets. Its figures come as JSON: https://docs.locust.io/en/stable/retrieving-stats.html
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from trailboss.develop import child
from trailboss.develop.performance.load import Load, Round, Tell, quantile
from trailboss.develop.performance.measure import Drive
from trailboss.errors import BuildError, UsageError

_HOST = Path(__file__).with_name("locust_host.py")
_SAID = 5


def locusts(file: Path, users: int) -> Drive:
    """A drive, for `measure`, of `users` who do what `file` says.

    Raises UsageError TB9491 where locust is not installed, TB9492 where there is no such file."""
    if find_spec("locust") is None:
        raise UsageError(
            "TB9491",
            "a locustfile needs locust, which is not installed",
            hint='pip install "trailboss[locust]"',
        )
    if not file.is_file():
        raise UsageError("TB9492", f"there is no {file}", hint="`locustfile` under [performance] names it.")
    return partial(drive, file=file, users=users)


async def drive(load: Load, tell: Tell, *, file: Path, users: int) -> tuple[Round, ...]:
    """The rounds of one measurement, the one that warms up left out. Raises BuildError TB3621 when locust
    fails, and as `read`."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(load.rounds + 1):
            tell(f"round {number} of {load.rounds}" if number else "warming up")
            await _run(load, file, users, Path(folder, f"round{number}"))
            found.append(read(Path(folder, f"round{number}.json"), file))
    return tuple(found[1:])


async def _run(load: Load, file: Path, users: int, prefix: Path) -> None:
    words = [sys.executable, "-m", "locust", "-f", f"{_HOST},{file}", "--headless", "--skip-log"]
    words += ["--host", load.edge or load.url, "--users", str(users), "--spawn-rate", str(users)]
    words += ["--run-time", f"{max(1, round(load.seconds))}s", "--json-file", str(prefix)]
    words += ["--exit-code-on-error", "0", "--loglevel", "ERROR"]
    host = urlsplit(load.url).netloc if load.edge else ""
    environ = {**os.environ, "TRAILBOSS_URL": load.url, "TRAILBOSS_HOST": host}
    running = child.start(words, name="locust", environ=environ, folder=file.parent)
    said: list[str] = []

    async def listen() -> None:
        async for line in running.lines():
            said.append(line)

    listening = asyncio.create_task(listen())
    try:
        status = await running.wait()
    finally:
        await running.stop()
        await listening
    if status:
        raise BuildError(
            "TB3621",
            f"locust ended with status {status}: {' / '.join(said[-_SAID:])}",
            hint=f"`locust -f {file.name} --headless` shows all of it.",
        )


def read(found: Path, file: Path) -> Round:
    """A round from locust's JSON: its times are milliseconds, each with how often it was seen.

    Raises BuildError TB3622 when nobody asked for anything."""
    entries = json.loads(found.read_text())
    times = Counter[float]()
    for entry in entries:
        times.update({float(taken): often for taken, often in entry["response_times"].items()})
    ordered = [taken / 1000 for taken in sorted(times.elements())]
    if not ordered:
        raise BuildError(
            "TB3622",
            f"the users of {file.name} made no request within a round",
            hint="Make `round` under [performance] longer than their first wait, or see what they do.",
        )
    count = sum(int(entry["num_requests"]) for entry in entries)
    failed = sum(int(entry["num_failures"]) for entry in entries)
    return Round(count, failed / count, quantile(ordered, 0.50), quantile(ordered, 0.95))
