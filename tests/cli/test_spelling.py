"""Whatever yargs takes as an option, ours take too."""

from __future__ import annotations

import click
import pytest

from trailboss.cli.spelling import Shapes, normalise

PARAMS = [
    click.Option(["--dry-run"], is_flag=True),
    click.Option(["--minify/--no-minify"], default=None),
    click.Option(["--keep-vars"], is_flag=True),
    click.Option(["--var"], multiple=True),
    click.Option(["--compatibility-date"]),
    click.Option(["-e", "--env"]),
    click.Argument(["path"]),
]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("--dryRun", "--dry-run"),
        ("--dry-run=true src", "--dry-run src"),
        ("--dry-run false src", "src"),
        ("--no-dry-run", ""),
        ("--no-keep-vars", ""),
        ("--keepVars=false", ""),
        ("--minify false", "--no-minify"),
        ("--no-minify", "--no-minify"),
        ("--no-minify=false", "--minify"),
        ("--var A:1 B:2 --env x", "--var A:1 --var B:2 --env x"),
        ("--var=A:1 src", "--var=A:1 src"),
        ("--compatibilityDate 2026-01-01 src", "--compatibility-date 2026-01-01 src"),
        ("-e=staging src", "-e staging src"),
        ("-e --other src", "-e --other src"),
        ("--unknownThing 3", "--unknownThing 3"),
        ("src -- --dryRun", "src -- --dryRun"),
    ],
)
def test_normalise(typed: str, wanted: str) -> None:
    assert normalise(typed.split(), Shapes(PARAMS)) == wanted.split()
