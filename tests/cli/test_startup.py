"""What a command may import before it does anything: the list decides how long it takes to start."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROBE = """
import json, sys
before = set(sys.modules)
sys.argv = ["trailboss", *{words!r}]
from trailboss.__main__ import main
try:
    main()
finally:
    sys.stderr.write(json.dumps(sorted(set(sys.modules) - before)))
"""
HEAVY = {"asyncio", "cloudflare", "httpx", "pydantic", "rich", "ssl"}


def imported(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(words=words)], capture_output=True, text=True, check=False
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "trailboss"}


@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_the_version_imports_nothing(flag: str) -> None:
    assert imported(flag) - {"__future__"} == {"trailboss", "trailboss.__main__", "trailboss.version"}


def test_the_overview_needs_only_the_table() -> None:
    modules = imported("--help")
    assert ours(modules) == {
        "trailboss",
        "trailboss.__main__",
        "trailboss.cli",
        "trailboss.cli.help",
        "trailboss.cli.main",
        "trailboss.cli.table",
        "trailboss.cli.words",
        "trailboss.version",
    }
    assert not modules & (HEAVY | {"click"})


def test_completing_a_word_needs_only_the_table() -> None:
    modules = imported("complete", "--", "ver")
    assert "trailboss.cli.complete" in modules
    assert not modules & (HEAVY | {"click"})


@pytest.mark.parametrize(
    "words",
    [
        ("completion", "bash"),
        ("versions", "list", "--help"),
        ("deploy", "--help"),
        ("tail", "--help"),
        ("sandbox", "status"),
        ("sandbox", "env"),
        ("rollback", "--nonsense", "--json"),
    ],
)
def test_a_command_that_asks_nobody_stays_light(words: tuple[str, ...], tmp_path: object) -> None:
    modules = imported(*words)
    assert not modules & (HEAVY - {"rich"}), words
    assert "trailboss.config.settings" not in modules
    assert "trailboss.cloud.cloud" not in modules


END = """
import atexit, sys, threading, trailboss.__main__ as program
sys.argv = ["trailboss", *sys.argv[1:]]
class Last:
    def __del__(self): print("taken down")
last = Last()
atexit.register(print, "exit handler")
{more}
program.program()
"""


@pytest.mark.parametrize(("words", "status"), [(["--help"], 0), (["rollback", "--nonsense", "--json"], 2)])
def test_the_end_is_quick_and_nothing_is_lost(words: list[str], status: int) -> None:
    command = [sys.executable, "-c", END.format(more=""), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert done.stdout.startswith(("trailboss ", "{"))
    assert done.stdout.endswith("exit handler\n")


def test_the_end_waits_for_a_thread_that_is_at_work() -> None:
    more = "threading.Timer(0.05, print, ['thread']).start()"
    done = subprocess.run(
        [sys.executable, "-c", END.format(more=more), "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1:] == ["thread", "exit handler", "taken down"]


def test_a_reader_that_left_is_no_error() -> None:
    command = f"{sys.executable} -m trailboss --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
