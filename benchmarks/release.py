"""From an edit to production by way of staging: trailboss against the same steps with wrangler, in one run;
a rollback until it is read back; and the API calls of each."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.account import Account, account
from benchmarks.deploy import spares_are_ready
from benchmarks.measure import ms, pairs, table
from trailboss.build import spare

RUNS = 3
ENVIRONMENTS = """
[environments.staging]
[environments.production]
protected = true
"""
VERSION = re.compile(r"Version ID: ([0-9a-f-]{36})")
SHARES = (10, 50, 100)
WALK = ("--strategy", "canary", "--steps", ",".join(map(str, SHARES)), "--bake", "0s")
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


def _ours(box: Account, folder: Path, *walk: str) -> None:
    box.trailboss(folder, "deploy", "--env", "staging")
    box.trailboss(folder, "promote", "staging", "production", "--yes", *walk)


def _theirs(box: Account, folder: Path) -> None:
    box.wrangler(folder, "deploy", "--env", "staging")
    box.wrangler(folder, "deploy", "--env", "production")


def _by_hand(box: Account, folder: Path) -> None:
    """What `_ours(*WALK)` does, by wrangler's commands: at 0 % and asked, given each share, looked at."""
    box.wrangler(folder, "deploy", "--env", "staging")
    before = _live(box, folder)
    said = box.wrangler(folder, "versions", "upload", "--env", "production")
    new = VERSION.findall(said)[-1]
    for share in (0, *SHARES):
        shares = [f"{new}@{share}"] + ([f"{before}@{100 - share}"] if share < 100 else [])
        box.wrangler(folder, "versions", "deploy", *shares, "--env", "production", "--yes")
        if share == 0:
            name = f"{folder.name}-production"
            host = f"{name}.{box.connection.subdomain}.workers.localhost"
            box.ask("/", {"Host": host, "Cloudflare-Workers-Version-Overrides": f'{name}="{new}"'})
    _live(box, folder)


def _live(box: Account, folder: Path) -> str:
    said = box.wrangler(folder, "deployments", "status", "--env", "production", "--json")
    shares = json.loads(said)["versions"]
    return max(shares, key=lambda share: share["percentage"])["version_id"]  # type: ignore[no-any-return]


def _row(
    box: Account, what: str, latency: float, ours: Callable[[], None], theirs: Callable[[], None]
) -> list[object]:
    box.calls()
    ours()
    our_calls = box.calls()
    theirs()
    their_calls = box.calls()
    box.latency(latency)
    found = pairs(ours, theirs, runs=RUNS, between=spares_are_ready)
    box.latency(0)
    row = [what, f"{latency:.0f} ms", ms(found.ours), ms(found.peer), f"{found.ratio:.1f}x"]
    return [*row, our_calls, their_calls]


def _rows(box: Account, latency: float) -> list[list[object]]:
    ours, peer = _project(box, f"ours-{latency:.0f}"), _project(box, f"peer-{latency:.0f}")
    walked, split = _project(box, f"walk-{latency:.0f}"), _project(box, f"split-{latency:.0f}")
    for folder in (ours, walked):
        _ours(box, folder)
    for folder in (peer, split):
        _theirs(box, folder)
    with (walked / "trailboss.toml").open("a") as file:
        file.write(NO_EVIDENCE)
    rows = (
        (
            "edit, staging, production: probed at 0 %, 10, 50, 100 %",
            _edit(walked, partial(_ours, box, walked, *WALK)),
            _edit(split, partial(_by_hand, box, split)),
        ),
        (
            "edit, staging, production at once",
            _edit(ours, partial(_ours, box, ours)),
            _edit(peer, partial(_theirs, box, peer)),
        ),
        (
            "rollback, read back",
            partial(box.trailboss, ours, "rollback", "--env", "production", "--yes"),
            partial(box.wrangler, peer, "rollback", "--env", "production", "--yes", "--message", "back"),
        ),
    )
    return [_row(box, what, latency, mine, its) for what, mine, its in rows]


def main() -> None:
    """Print the table; with a spare wrangler, as on a laptop."""
    with account() as box:
        box.environ["TRAILBOSS_BUNDLER"] = "warm"
        try:
            rows = [row for latency in (0.0, 50.0) for row in _rows(box, latency)]
        finally:
            spare.end_all()
    table(["release", "API latency", "trailboss", "wrangler", "faster", "our calls", "its calls"], rows)


if __name__ == "__main__":
    main()
