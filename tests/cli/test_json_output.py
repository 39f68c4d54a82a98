"""docs/json-output.md is a promise: every command it describes has exactly those fields."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

from tests.cli.conftest import Trailboss
from tests.conftest import Sandbox

PAGE = (Path(__file__).parents[2] / "docs" / "json-output.md").read_text()
ACTED_ON = {"target", "account_id", "environment"}


def documented(heading: str) -> set[str]:
    """The names in the first column of the first table below a heading."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = itertools.takewhile(lambda line: line.startswith("|"), section[section.index("|") :].split("\n"))
    return {name for line in table for name in re.findall(r"`([^`]+)`", line.split("|")[1])}


def check(heading: str, document: dict[str, Any], also: set[str] = ACTED_ON) -> None:
    assert set(document) == documented(heading) | also, heading


def test_other_documents(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    check("trailboss whoami", trailboss("whoami", "--json").json)
    check("trailboss doctor", trailboss("doctor", "--json").json, set())
    check("trailboss init", trailboss("init", "--json").json, set())
    check("trailboss completion", trailboss("completion", "bash", "--json").json, set())
    only = ("--name", "test", "--json")
    check("trailboss sandbox start", trailboss("sandbox", "start", *only).json, set())
    check("trailboss sandbox status", trailboss("sandbox", "status", *only).json, set())
    check("trailboss sandbox reset", trailboss("sandbox", "reset", *only).json, set())
    stopped = trailboss("sandbox", "stop", "--name", "never-started", "--json").json
    check("trailboss sandbox stop", stopped, set())
    check("Errors", trailboss("rollback", "--nonsense", "--json").json, set())


def test_the_acted_on_fields_are_documented() -> None:
    assert all(f"| `{name}` |" in PAGE for name in ACTED_ON)
