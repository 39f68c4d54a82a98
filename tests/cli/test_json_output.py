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


def test_release_documents(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    put = trailboss("secret", "put", "A", "--json", stdin="x").json
    check("trailboss secret put", put)
    deployed = trailboss("deploy", "--json").json
    check("trailboss deploy", deployed)
    check("trailboss deploy: workers", deployed["workers"][0], set())
    source = hello / "src" / "index.ts"
    source.write_text(source.read_text().replace("version one", "version two"))
    uploaded = trailboss("versions", "upload", "--json").json
    check("trailboss deploy: workers", uploaded)
    newest = trailboss("versions", "list", "--json").json
    check("trailboss versions list", newest[0], set())
    check("trailboss versions view", trailboss("versions", "view", "latest", "--json").json)
    dry = trailboss("versions", "deploy", "latest", "--dry-run", "--json").json
    check("trailboss versions deploy --dry-run", dry)
    check("trailboss versions deploy", trailboss("versions", "deploy", "latest", "--json").json)
    check("trailboss deployments list", trailboss("deployments", "list", "--json").json[0], set())
    check("trailboss deployments status", trailboss("deployments", "status", "--json").json)
    check("trailboss rollback", trailboss("rollback", "--force", "--json").json)
    check("trailboss secret list", trailboss("secret", "list", "--json").json[0], set())
    check("trailboss delete", trailboss("delete", "--force", "--json").json)


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
