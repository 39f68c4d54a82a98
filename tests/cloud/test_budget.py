"""The shared file: many processes, damage, a folder nobody may write."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trailboss.cloud import Target
from trailboss.cloud.allowance import Limits
from trailboss.cloud.budget import Budget, fingerprint, shared_budget
from trailboss.values import Secret

NOW = 1_800_000_000.0
LIMITS = Limits(quota=100, burst=500.0)
TARGET = Target("cloudflare", "https://api.cloudflare.com/client/v4", Secret("token-value"), "a")


def at(
    file: Path | None, now: float = NOW, limits: Limits = LIMITS, warnings: list[str] | None = None
) -> Budget:
    """A budget whose clock stands at `now`."""
    return Budget(file, limits, clock=lambda: now, warn=(warnings if warnings is not None else []).append)


def test_two_budgets_share_one_file(tmp_path: Path) -> None:
    one, two = at(tmp_path / "b"), at(tmp_path / "b")
    taken = sum(budget.take() == 0 for _ in range(60) for budget in (one, two))
    assert taken == 80
    assert one.used == two.used == 80
    one.block(50)
    assert at(tmp_path / "b", NOW + 10).take() >= 40
    one.close()
    two.close()


CHILD = """
import sys
from pathlib import Path
from trailboss.cloud.allowance import Limits
from trailboss.cloud.budget import Budget
budget = Budget(Path(sys.argv[1]), Limits(quota=1000, burst=5000.0), clock=lambda: 1_800_000_000.0)
sys.stdin.readline()
sent = 0
while True:
    wait = budget.take()
    if wait == 0:
        sent += 1
    elif wait > 0.005:
        break
print(sent)
"""


def test_processes_together_never_exceed_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path / "b")]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    sent = [int(child.communicate()[0]) for child in children]
    assert sum(sent) == 800


@pytest.mark.parametrize("damage", [b"", b"\0" * 10, b"garbage" * 100, b"TBB1" + b"\xff" * 272])
def test_damage_starts_afresh(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "b"
    file.write_bytes(damage)
    budget = at(file)
    assert budget.take() == 0
    assert at(file).take() == 0
    again = at(file)
    again.take()
    assert again.used == 3


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "budget").write_text("a file where the folder should be")
    warnings: list[str] = []
    budget = at(tmp_path / "budget" / "b", warnings=warnings)
    assert [budget.take() == 0 for _ in range(81)].count(True) == 80
    assert len(warnings) == 1
    assert "not shared" in warnings[0]


def test_the_whole_cache_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(tmp_path / "file" / "x"))
    warnings: list[str] = []
    assert shared_budget(TARGET, warn=warnings.append).take() == 0
    assert len(warnings) == 1


def test_a_stopped_process_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailboss.cloud.budget.LOCK_PATIENCE", 0.02)
    warnings: list[str] = []
    budget = at(tmp_path / "b", warnings=warnings)
    holder = os.open(tmp_path / "b", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    budget.block(30)
    waits = []
    while not warnings:
        waits.append(budget.take())
    os.close(holder)
    assert waits[0] == 0.005
    assert waits[-1] == 30  # the block asked for meanwhile is not forgotten


def test_the_file_says_nothing_about_the_token(cache: Path) -> None:
    budget = shared_budget(TARGET)
    budget.take()
    names = sorted(path.name for path in (cache / "budget").iterdir())
    assert len(names) == 2
    assert all("token" not in name for name in names)
    assert oct((cache / "budget").stat().st_mode & 0o777) == "0o700"
    other = Target("cloudflare", TARGET.base_url, Secret("other"), "a")
    salt = (cache / "budget" / "salt").read_bytes()
    assert fingerprint(TARGET, salt) in names
    assert fingerprint(TARGET, salt) != fingerprint(other, salt) != fingerprint(TARGET, b"s" * 32)


def test_a_damaged_salt_is_replaced(cache: Path) -> None:
    shared_budget(TARGET).take()
    (cache / "budget" / "salt").write_bytes(b"short")
    assert shared_budget(TARGET).take() == 0
    assert len((cache / "budget" / "salt").read_bytes()) == 32


def test_the_sandbox_is_not_slowed() -> None:
    target = Target("sandbox:default", "http://127.0.0.1:1/client/v4", Secret("t"), "a", is_sandbox=True)
    budget = shared_budget(target)
    assert all(budget.take() == 0 for _ in range(3000))
    budget.block(5)
    assert budget.take() > 4
