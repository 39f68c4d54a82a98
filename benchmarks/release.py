"""From an edit to production by way of staging: trailboss against the same steps with wrangler, in one run;
a rollback until it is read back; and the API calls of each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.account import Account, account
from benchmarks.measure import ms, pairs, table

RUNS = 3
ENVIRONMENTS = """
[environments.staging]
[environments.production]
protected = true
"""
WALK = ("--strategy", "canary", "--steps", "50,100", "--bake", "0s")
NO_EVIDENCE = """
[release]
evidence = "none"
settle = "0s"
window = "50ms"
[probes.home]
"""


def _project(box: Account, name: str) -> Path:
    folder = box.project(name)
    config = folder / "wrangler.jsonc"
    text = config.read_text().rstrip().rstrip("}").rstrip()
    kv = [{"binding": "VISITS"}]
    both = {
        key: {"kv_namespaces": kv, "version_metadata": {"binding": "VERSION"}}
        for key in ("staging", "production")
    }
    config.write_text(f'{text},\n  "env": {json.dumps(both)}\n}}\n')
    with (folder / "trailboss.toml").open("a") as file:
        file.write(ENVIRONMENTS)
    return folder


def _edit(folder: Path, run: Callable[[], None]) -> Callable[[], None]:
    numbers = itertools.count()

    def edit_and_run() -> None:
        source = folder / "src" / "index.ts"
        source.write_text(f"{source.read_text().rsplit('// edit', 1)[0].rstrip()}\n// edit {next(numbers)}\n")
        run()

    return edit_and_run


def _ours(box: Account, folder: Path) -> None:
    box.trailboss(folder, "deploy", "--env", "staging")
    box.trailboss(folder, "promote", "staging", "production", "--yes")


def _theirs(box: Account, folder: Path) -> None:
    box.wrangler(folder, "deploy", "--env", "staging")
    box.wrangler(folder, "deploy", "--env", "production")


def _row(
    box: Account, what: str, latency: float, ours: Callable[[], None], theirs: Callable[[], None]
) -> list[object]:
    box.calls()
    ours()
    our_calls = box.calls()
    theirs()
    their_calls = box.calls()
    box.latency(latency)
    found = pairs(ours, theirs, runs=RUNS)
    box.latency(0)
    row = [what, f"{latency:.0f} ms", ms(found.ours), ms(found.peer), f"{found.ratio:.1f}x"]
    return [*row, our_calls, their_calls]


def _rows(box: Account, latency: float) -> list[list[object]]:
    ours, peer = _project(box, f"ours-{latency:.0f}"), _project(box, f"peer-{latency:.0f}")
    _ours(box, ours)
    _theirs(box, peer)
    walked = box.project(f"walk-{latency:.0f}")
    box.trailboss(walked, "deploy")
    with (walked / "trailboss.toml").open("a") as file:
        file.write(NO_EVIDENCE)
    split = box.project(f"split-{latency:.0f}")
    box.wrangler(split, "deploy")
    back = partial(box.trailboss, ours, "rollback", "--env", "production", "--yes")
    theirs = partial(box.wrangler, peer, "rollback", "--env", "production", "--yes", "--message", "back")
    return [
        _row(
            box,
            "edit -> staging -> production",
            latency,
            _edit(ours, partial(_ours, box, ours)),
            _edit(peer, partial(_theirs, box, peer)),
        ),
        _row(
            box,
            "edit -> 0 %, probed -> 50 % -> 100 %; its: deploy alone",
            latency,
            _edit(walked, partial(box.trailboss, walked, "deploy", *WALK)),
            _edit(split, partial(box.wrangler, split, "deploy")),
        ),
        _row(box, "rollback, read back", latency, back, theirs),
    ]


def main() -> None:
    """Print the table."""
    with account() as box:
        rows = [row for latency in (0.0, 50.0) for row in _rows(box, latency)]
    table(["release", "API latency", "trailboss", "wrangler", "faster", "our calls", "its calls"], rows)


if __name__ == "__main__":
    main()
