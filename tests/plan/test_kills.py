"""`trailboss apply` in a real project against the real sandbox, killed by SIGKILL at random moments.

The command runs in a process of its own, forked from this one, so that starting Python costs nothing and 200
of them fit into the suite."""

from __future__ import annotations

import os
import random
import select
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import surround
from tests.conftest import Sandbox
from trailboss.cli.main import main

KILLS, RUN = 200, 20
"""How many in all, and after how many it is run to its end and looked at."""
WANTED: tuple[dict[str, tuple[str, ...]], ...] = (
    {"kv_namespace": ("cache", "more"), "queue": ("jobs",), "hyperdrive_config": ("sql",)},
    {"kv_namespace": ("cache",), "queue": ("jobs", "mail"), "r2_bucket": ("files",)},
    {"queue": ("mail",), "hyperdrive_config": ("sql", "logs"), "vectorize_index": ("docs",)},
)
EXTRA = {
    "hyperdrive_config": 'connection_string = "postgres://u:p@db.example.com:5432/shop"',
    "vectorize_index": 'dimensions = 8\nmetric = "cosine"',
}
LISTS = {
    "kv_namespace": ("storage/kv/namespaces", "title"),
    "queue": ("queues", "queue_name"),
    "hyperdrive_config": ("hyperdrive/configs", "name"),
    "r2_bucket": ("r2/buckets", "name"),
    "vectorize_index": ("vectorize/v2/indexes", "name"),
}


def write(folder: Path, wanted: dict[str, tuple[str, ...]]) -> None:
    tables = [
        f"[resources.{kind}.{key}]\n{EXTRA.get(kind, '')}\n" for kind, keys in wanted.items() for key in keys
    ]
    (folder / "trailboss.toml").write_text("\n".join(['name = "killed"\n', *tables]), encoding="utf-8")


def there(account: Sandbox) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind, (path, name) in LISTS.items():
        rows: Any = account.call("GET", f"{account.account}/{path}")
        rows = rows["buckets"] if isinstance(rows, dict) else rows
        found[kind] = sorted(str(row[name]) for row in rows)
    return found


def apply(kill_after: float | None) -> int | None:
    """The command's exit status; None when it was killed."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os._exit(main(["apply", "--yes", "--confirm"]))
    if kill_after is not None:
        handle = os.pidfd_open(child)
        ended, _, _ = select.select([handle], [], [], kill_after)
        os.close(handle)
        if not ended:
            os.kill(child, signal.SIGKILL)  # not waited for yet, so the number is still its own
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)


@pytest.mark.xdist_group("kills")
def test_two_hundred_kills(account: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    surround(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAILBOSS_SANDBOX_HOME", str(account.home))
    monkeypatch.setenv("TRAILBOSS_TARGET", "sandbox:test")
    chance, killed, whole = random.Random(3), 0, 1.0
    while killed < KILLS:
        for _ in range(RUN):
            write(tmp_path, chance.choice(WANTED))
            killed += apply(chance.uniform(0.0, whole)) is None
        write(tmp_path, wanted := chance.choice(WANTED))
        began = time.monotonic()
        assert apply(None) == 0, killed
        whole = min(whole, time.monotonic() - began)
        assert there(account) == {kind: sorted(wanted.get(kind, ())) for kind in LISTS}, killed
        assert main(["plan", "--exit-code"]) == 0, killed
