"""What is said about words nobody knows."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Trailboss
from trailboss.cli.commands.rollback import rollback
from trailboss.cli.commands.versions import deploy
from trailboss.cli.doubt import doubt, options_like
from trailboss.cli.words import split
from trailboss.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("deply --env staging", "deploy"),
        ("secrte put A", "secret"),
        ("vesions list", "versions"),
        ("enviroments create x", "environments"),
        ("queus create x", "queues"),
        ("versions lst", "versions list"),
    ],
)
def test_a_misspelt_command_is_said_before_wrangler_gets_it(typed: str, meant: str) -> None:
    assert f"Did you mean {meant}?" in doubt(split(typed.split()))


@pytest.mark.parametrize(
    "typed",
    ["pages deploy", "kv namespace list", "r2 bucket list", "secret frobnicate", "brand-new thing"],
)
def test_nothing_is_said_about_what_is_like_nothing(typed: str) -> None:
    assert doubt(split(typed.split())) == ""


def test_a_group_wrangler_does_not_have() -> None:
    with pytest.raises(UsageError) as caught:
        doubt(split(["sandbox", "strat"]))
    assert caught.value.hint.startswith("Did you mean sandbox start? There are: start, stop,")


def test_an_option_that_is_only_begun() -> None:
    assert options_like("--per", deploy, ["--yes"]) == "--percentage"
    assert options_like("--version", deploy, []) == "--version-id or --version-tag"
    assert options_like("--mesage", rollback, ["--message", "--name"]) == "--message"
    assert options_like("--zzz", rollback, None) == ""


def test_usage_errors_name_their_command(trailboss: Trailboss) -> None:
    for words in (("--json", "--name"), ("--name", "--json"), ("--json", "--name", "--env", "x")):
        missing = trailboss("deploy", *words).error
        assert "'--name' requires an argument" in missing["message"]
        assert missing["hint"] == "`trailboss deploy --help` shows what it takes."
    assert "not a whole number" in trailboss("versions", "list", "--limit", "x", "--json").error["message"]
    assert "RANGE" not in trailboss("sandbox", "start", "--help").out
