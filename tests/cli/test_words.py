"""Finding the command in a command line."""

from __future__ import annotations

import pytest

from trailboss.cli.words import split


@pytest.mark.parametrize(
    ("typed", "command", "arguments"),
    [
        ("deploy --dry-run", ("deploy",), ["--dry-run"]),
        ("--env staging deploy src/x.ts", ("deploy",), ["--env", "staging", "src/x.ts"]),
        ("versions --env staging list --json", ("versions", "list"), ["--env", "staging", "--json"]),
        ("-e=staging versions list", ("versions", "list"), ["-e=staging"]),
        ("versions", ("versions",), []),
        ("versions nonsense", ("versions",), ["nonsense"]),
        ("versions secret put X", ("versions", "secret", "put"), ["X"]),
        ("pages deploy out", ("pages",), ["deploy", "out"]),
        ("wrangler deployments status", ("wrangler",), ["deployments", "status"]),
        ("kv:namespace create agency-cache", ("kv", "namespace", "create"), ["agency-cache"]),
        ("kv:key get x", ("kv", "key"), ["get", "x"]),
        ("kv:bulk put f", ("kv", "bulk"), ["put", "f"]),
        ("r2:bucket create b", ("r2", "bucket", "create"), ["b"]),
        ("secret:bulk f", ("secret", "bulk"), ["f"]),
        ("mTls enable --certificate c", ("mtls", "enable"), ["--certificate", "c"]),
        ("kv namespace list --remote", ("kv",), ["namespace", "list", "--remote"]),
        ("r2 bucket list", ("r2",), ["bucket", "list"]),
        ("d1 migrations apply db", ("d1",), ["migrations", "apply", "db"]),
        ("-- deploy", (), ["--", "deploy"]),
        ("", (), []),
    ],
)
def test_split(typed: str, command: tuple[str, ...], arguments: list[str]) -> None:
    line = split(typed.split())
    assert line.command == command
    assert line.arguments == arguments
