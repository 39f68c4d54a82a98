"""wrangler's files, wrangler's order; and a text that wrangler reads back exactly."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailboss.config import Project, Worker
from trailboss.develop.variables import as_dotenv, read_variables
from trailboss.errors import SecretError
from trailboss.secrets import Resolver
from trailboss.toolchain import ensure
from trailboss.values import Secret


def worker(folder: Path, **more: object) -> Worker:
    config = {"name": "w", "main": "index.js", "compatibility_date": "2026-11-01", **more}
    (folder / "wrangler.json").write_text(json.dumps(config))
    return Project.load(folder, environ={}).workers[0]


def read(one: Worker, environment: str | None = None, **more: object) -> dict[str, str]:
    environ = {"FROM": "outside", **more.pop("environ", {})}  # type: ignore[dict-item]
    found = read_variables(
        one,
        environment,
        environ,
        lambda entries: Resolver(environ, None, entries),
        **more,  # type: ignore[arg-type]
    )
    return {name: value.reveal() for name, value in found.values.items()}


def test_dev_vars_of_the_environment_hides_everything_else(tmp_path: Path) -> None:
    one = worker(tmp_path)
    (tmp_path / ".env").write_text("A=env\nB=env\n")
    assert read(one) == {"A": "env", "B": "env"}
    (tmp_path / ".dev.vars").write_text("A=vars\nC='${FROM}'\nD=${FROM}\n")
    assert read(one) == {"A": "vars", "C": "${FROM}", "D": "outside"}
    (tmp_path / ".dev.vars.staging").write_text("A=staging\n")
    assert read(one, "staging") == {"A": "staging"}
    assert read(one) == {"A": "vars", "C": "${FROM}", "D": "outside"}


def test_env_files_lie_over_each_other(tmp_path: Path) -> None:
    one = worker(tmp_path)
    for name, text in ((".env", "A=1\nB=1\nC=1\nD=1"), (".env.local", "B=2\nC=2"), (".env.staging", "C=3")):
        (tmp_path / name).write_text(text)
    assert read(one, "staging") == {"A": "1", "B": "2", "C": "3", "D": "1"}
    assert read(one, env_files=(".env.staging", ".env.local")) == {"C": "2", "B": "2"}
    assert read(one, environ={"CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV": "false"}) == {}


def test_the_process_counts_when_the_configuration_lists_its_secrets(tmp_path: Path) -> None:
    one = worker(tmp_path, secrets={"required": ["FROM", "GONE"]})
    assert read(one)["FROM"] == "outside"


def test_a_broken_file_says_where(tmp_path: Path) -> None:
    one = worker(tmp_path)
    (tmp_path / ".dev.vars").write_text("A=1\nthis is no variable\n")
    with pytest.raises(SecretError) as caught:
        read(one)
    assert caught.value.code == "TB7001"
    assert str(caught.value.where).endswith(".dev.vars:2")


AWKWARD = {
    "A": "plain",
    "B": "with # and space ",
    "C": "it's",
    "D": 'say "hi" and it\'s',
    "E": "two\nlines",
    "F": "",
    "G": "ends with \\",
    "H": "back`tick",
    "I": "a\\nb 'c'",
    "J": "${NOT}",
    "K": "ü ☃ \t x",
    "L": "a'b\"c`d",
}
LINE = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=("Cc", "Zs", "Zl", "Zp")),
    max_size=12,
)


def read_by_wrangler(texts: list[str], folder: Path) -> list[dict[str, str]]:
    """What the pinned wrangler makes of each text as a `.dev.vars`."""
    for number, text in enumerate(texts):
        (folder / str(number)).mkdir()
        (folder / str(number) / ".dev.vars").write_text(text)
    program = """
const { unstable_getVarsForDev: read } = require(process.argv[1]);
const values = (found) => Object.fromEntries(Object.entries(found).map(([name, { value }]) => [name, value]));
const all = [...Array(Number(process.argv[3])).keys()];
const config = (n) => `${process.argv[2]}/${n}/wrangler.json`;
const found = all.map((n) => values(read(config(n), undefined, {}, undefined, true)));
console.log(JSON.stringify(found));
process.exit(0);
"""
    toolchain = ensure()
    library = toolchain.wrangler.parent.parent / "wrangler-dist" / "cli.js"
    words = [str(toolchain.node), "-e", program, str(library), str(folder), str(len(texts))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def test_wrangler_reads_back_exactly_what_was_meant(tmp_path: Path) -> None:
    text = as_dotenv({name: Secret(value) for name, value in AWKWARD.items()}).reveal()
    assert read_by_wrangler([text], tmp_path) == [AWKWARD]


def test_any_values_side_by_side_are_read_back(tmp_path: Path) -> None:
    cases: list[dict[str, str]] = []

    @settings(max_examples=150, deadline=None, database=None)
    @given(st.dictionaries(st.sampled_from("ABCD"), LINE, max_size=4))
    def collect(values: dict[str, str]) -> None:
        cases.append(values)

    collect()
    written = []
    for values in cases:
        try:
            written.append(
                (values, as_dotenv({name: Secret(value) for name, value in values.items()}).reveal())
            )
        except SecretError as error:
            assert error.code == "TB7060"
    assert len(written) > 100
    assert read_by_wrangler([text for _, text in written], tmp_path) == [values for values, _ in written]


def test_what_dotenv_cannot_express_is_refused_by_name() -> None:
    with pytest.raises(SecretError, match="MIXED") as caught:
        as_dotenv({"MIXED": Secret("a'b\"c`d # e")})
    assert caught.value.code == "TB7060"
    assert "c`d" not in str(caught.value)
