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
