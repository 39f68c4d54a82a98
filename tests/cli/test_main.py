"""The frame every command lives in: help, version, errors, exit statuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from trailboss.cli import main as module
from trailboss.cli.declare import command
from trailboss.cli.main import load
from trailboss.cli.run import Run
from trailboss.cli.table import OURS, Entry
from trailboss.errors import ConflictError, RefusedError, RolledBack
from trailboss.values import Location
from trailboss.version import __version__

COMMANDS = sorted(words for words, entry in OURS.items() if entry.module)


@pytest.mark.parametrize("words", [["--version"], ["-v"], ["deploy", "--version"], ["--env", "x", "-v"]])
def test_version(trailboss: Trailboss, words: list[str]) -> None:
    assert trailboss(*words).out == f"trailboss {__version__}\n"


def test_the_overview_names_every_command(trailboss: Trailboss) -> None:
    done = trailboss()
    assert done.status == 0
    hidden = {"publish", "complete", "import"}
    assert not [words for words in OURS if words not in hidden and f"  {words} " not in done.out]
    assert "vectorize" in done.out


def test_a_group_without_a_command_is_a_usage_error(trailboss: Trailboss) -> None:
    done = trailboss("versions")
    assert (done.status, done.out) == (2, "")
    assert "versions upload" in done.err
    assert trailboss("versions", "--help").status == 0


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_help_with_two_examples(trailboss: Trailboss, words: str) -> None:
    done = trailboss(*words.split(), "--help")
    assert done.status == 0
    assert "Examples:" in done.out
    made = load(OURS[words])
    assert len(made.examples) >= 2
    assert all("trailboss" in example for example in made.examples)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_says_what_it_does(words: str) -> None:
    silent = [
        param.opts[0]
        for param in load(OURS[words]).params
        if param.param_type_name == "option" and not param.help and not param.metavar  # type: ignore[attr-defined]
    ]
    assert not silent


@pytest.mark.parametrize("words", COMMANDS)
def test_the_global_options_stand_before_and_after(words: str) -> None:
    spellings = {spelling for param in load(OURS[words]).params for spelling in param.opts}
    assert {"--env", "--config", "--cwd", "--target", "--json", "--stats", "--verbose", "--yes"} <= spellings


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["sandbox", "status", "--nonsense"], "TB9002", "--nonsense"),
        (["versions", "view"], "TB9003", "VERSION"),
        (["completion", "tcsh"], "TB9004", "tcsh"),
        (["versions", "view", "a", "b"], "TB9005", "unexpected extra argument"),
        (["rollback", "--nonsense"], "TB9006", "--nonsense"),
        (["whoami", "--cwd", "nowhere"], "TB9008", "nowhere"),
        (["versions", "list"], "TB1001", "wrangler.jsonc"),
    ],
)
def test_a_usage_error_has_a_code_a_hint_and_status_2(
    trailboss: Trailboss, words: list[str], code: str, part: str
) -> None:
    done = trailboss(*words, "--json")
    assert done.status == 2
    assert done.error["code"] == code
    assert part in done.error["message"]
    assert done.err == ""


def test_an_error_for_a_person(trailboss: Trailboss) -> None:
    done = trailboss("versions", "list")
    assert done.out == ""
    first, *rest = done.err.splitlines()
    assert first.startswith("✗ There is no wrangler.jsonc")
    assert first.endswith("TB1001")
    assert any(line.startswith("  Try: ") for line in rest)


def _failing(error: BaseException) -> object:
    @command("trailboss x", "trailboss x")
    def failing(run: Run) -> None:
        """Fails."""
        raise error

    return failing


@pytest.fixture
def fails(trailboss: Trailboss, monkeypatch: pytest.MonkeyPatch) -> object:
    """`fails(error, *words)`: run a command that raises `error`."""

    def run(error: BaseException, *words: str) -> object:
        monkeypatch.setattr(module, "load", lambda _entry: _failing(error))
        monkeypatch.setitem(OURS, "doctor", Entry("doctor", "", "doctor:doctor"))
        return trailboss("doctor", *words)

    return run


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RolledBack("TB4999", "rolled back"), 4),
        (ConflictError("TB4998", "held"), 5),
        (RefusedError("TB4997", "refused"), 6),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_statuses(fails: Trailboss, error: BaseException, status: int) -> None:
    assert fails(error).status == status


def test_a_place_is_shown(fails: Trailboss, tmp_path: object) -> None:

    done = fails(
        RefusedError("TB4997", "not there", hint="look", where=Location(Path("wrangler.jsonc"), 3, 5))
    )
    assert done.err.splitlines() == ["✗ Not there  TB4997", "  at   wrangler.jsonc:3:5", "  Try: look"]


def test_an_unexpected_exception_tells_its_place_and_no_values(fails: Trailboss) -> None:
    done = fails(ValueError("s3cret-canary"))
    assert done.status == 1
    assert "TB9999" in done.err
    assert "ValueError" in done.err
    assert "canary" not in done.err
    assert "Traceback" not in done.err


def test_verbose_shows_the_trace_of_an_unexpected_exception(fails: Trailboss) -> None:
    done = fails(ValueError("boom"), "--verbose")
    assert "Traceback" in done.err
    assert fails(ValueError("boom"), "--json").error["code"] == "TB9999"


def test_a_group_of_one_error_is_that_error(fails: Trailboss) -> None:
    done = fails(ExceptionGroup("several", [RefusedError("TB4997", "refused")]))
    assert done.status == 6
