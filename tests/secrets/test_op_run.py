"""`op run --env-file=F -- trailboss ...`: what `op` has resolved is not asked for again, and nothing else is
taken for it. `op` is the stand-in; the ancestors are real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.secrets.conftest import Op
from trailboss.secrets.backends.already_resolved import OpRun, env_files, named, run_words
from trailboss.values import Secret

READS = """
import json, os, sys
from pathlib import Path
from trailboss.secrets import read_dotenv
found = {name: read_dotenv(Path(name), os.environ) for name in sys.argv[1:]}
print(json.dumps({name: {k: v.reveal() for k, v in values.items()} for name, values in found.items()}))
"""


def run(op: Op, folder: Path, *files: str, through: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    command = [*through, sys.executable, "-c", READS, *files]
    done = subprocess.run(
        [str(op.folder / "op"), "run", "--no-masking", "--env-file=.env.development", "--", *command],
        cwd=folder,
        env=op.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".env.development").write_text("API_KEY=op://App Staging/api/token\nPLAIN=1\n")
    (tmp_path / ".env.production").write_text("API_KEY=op://prod/Stripe/secret key\nURL=x-${API_KEY}\n")
    return tmp_path


@pytest.mark.parametrize("through", [(), ("sh", "-c", '"$@"; true', "sh")])
def test_nothing_is_asked_again(op: Op, folder: Path, through: tuple[str, ...]) -> None:
    found = run(op, folder, ".env.development", through=through)
    assert found[".env.development"] == {"API_KEY": "staging-token", "PLAIN": "1"}
    assert [call["argv"][0] for call in op.calls] == ["run"]


def test_another_files_reference_of_the_same_name_is_another_secret(op: Op, folder: Path) -> None:
    found = run(op, folder, ".env.production")
    assert found[".env.production"] == {"API_KEY": "sk_live_1", "URL": "x-staging-token"}
    assert [call["argv"][0] for call in op.calls] == ["run", "inject"]


def test_a_resolved_value_that_looks_like_a_reference_is_a_value() -> None:
    around = OpRun({"A": "op://v/i/f"})
    assert around.value("op://v/i/f", {"A": "${B} {{ op://x/y/z }}"}) == Secret("${B} {{ op://x/y/z }}")
    assert around.value("op://v/i/f", {"A": "op://v/i/f"}) is None
    assert around.value("op://v/i/other", {"A": "value"}) is None


def test_a_longer_string_is_handed_on_by_op_run_as_it_is() -> None:
    text = "postgres://u:{{ op://v/i/f }}@h"
    assert OpRun({"A": text}).value(text, {"A": text}) is None
    assert named("A", text, {"A": text}) is None
    assert named("A", text, {"A": "postgres://u:pw@h"}) == Secret("postgres://u:pw@h")


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (("op", "run", "--env-file", "a", "--env-file=b", "--", "x", "--env-file=c"), ["a", "b"]),
        (("/usr/bin/op", "--account", "me", "run", "--", "x"), []),
        (("python", "/usr/bin/op", "run", "--", "x"), []),
        (("python", "-IS", "/usr/bin/op", "run", "--", "x"), []),
        (("vi", "notes", "op", "run"), None),
        (("op", "inject"), None),
        (("op", "item", "--", "run"), None),
        (("sh", "-c", "op run"), None),
        ((), None),
    ],
)
def test_command_lines(words: tuple[str, ...], files: list[str] | None) -> None:
    found = run_words(words)
    assert (None if found is None else env_files(found)) == files
