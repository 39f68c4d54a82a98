"""Edits: the file says exactly what was asked, and every line nobody asked about is as it was."""

from __future__ import annotations

import difflib
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailboss.config.document import parse_document, read_document
from trailboss.config.edit import Append, Change, Delete, Set, edited, rewrite
from trailboss.config.source import Source, read_source
from trailboss.errors import ConfigError

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
SOURCES = {file: read_source(file) for file in CORPUS}
JSONC = """{
  // top
  "name": "a", // the name
  "kv_namespaces": [
    { "binding": "A", "id": "1" } // first
  ],
  /* vars */
  "vars": { "X": "1" },
  "env": {}
}
"""
TOML = """# top
name = "a" # the name

[vars]
X = "1" # x

[[kv_namespaces]]
binding = "A"

[env.staging.vars]
X = "2"

[[env.staging.kv_namespaces]]
binding = "A"
"""


def changed(name: str, text: str, *changes: Change) -> list[str]:
    """The lines of the difference, without its heads."""
    new = edited(Source(Path(name), text), changes)
    lines = difflib.unified_diff(text.splitlines(), new.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (Set(("name",), "b"), ['-  "name": "a", // the name', '+  "name": "b", // the name']),
        (Set(("name",), "a"), []),
        (
            Append(("kv_namespaces",), {"binding": "B"}),
            [
                '-    { "binding": "A", "id": "1" } // first',
                '+    { "binding": "A", "id": "1" }, // first',
                '+    { "binding": "B" }',
            ],
        ),
        (Set(("vars", "Y"), [1]), ['-  "vars": { "X": "1" },', '+  "vars": { "X": "1", "Y": [1] },']),
        (
            Set(("env", "staging", "name"), "s"),
            ['-  "env": {}', '+  "env": {', '+    "staging": {', '+      "name": "s"', "+    }", "+  }"],
        ),
        (Set(("main",), "i.ts"), ['-  "env": {}', '+  "env": {},', '+  "main": "i.ts"']),
        (Delete(("name",)), ['-  "name": "a", // the name']),
        (Delete(("vars", "X")), ['-  "vars": { "X": "1" },', '+  "vars": {},']),
        (Delete(("env",)), ['-  "vars": { "X": "1" },', '-  "env": {}', '+  "vars": { "X": "1" }']),
        (Delete(("gone", "too")), []),
    ],
)
def test_jsonc(change: Change, difference: list[str]) -> None:
    assert changed("wrangler.jsonc", JSONC, change) == difference


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (Set(("name",), "b"), ['-name = "a" # the name', '+name = "b" # the name']),
        (Set(("main",), "i.ts"), ['+main = "i.ts"']),
        (Set(("vars", "Y"), [1]), ["+Y = [1]"]),
        (Append(("kv_namespaces",), {"binding": "B"}), ["+[[kv_namespaces]]", '+binding = "B"', "+"]),
        (Set(("env", "staging", "name"), "s"), ["+[env.staging]", '+name = "s"', "+"]),
        (Set(("env", "production", "vars"), {"X": "3"}), ["+", "+[env.production.vars]", '+X = "3"']),
        (
            Append(("env", "staging", "d1_databases"), {"binding": "D"}),
            ["+", "+[[env.staging.d1_databases]]", '+binding = "D"'],
        ),
        (Delete(("vars", "X")), ['-X = "1" # x']),
        (Delete(("name",)), ['-name = "a" # the name']),
        (Delete(("gone",)), []),
    ],
)
def test_toml(change: Change, difference: list[str]) -> None:
    assert changed("wrangler.toml", TOML, change) == difference


def test_several_changes_and_line_endings() -> None:
    for name, text in (("a.jsonc", JSONC), ("a.toml", TOML)):
        windows = text.replace("\n", "\r\n")
        new = edited(
            Source(Path(name), windows),
            [Set(("vars", "B"), True), Append(("list",), {"x": 1}), Delete(("name",))],
        )
        assert "\n" not in new.replace("\r\n", "")
        assert parse_document(Source(Path(name), new)).data["list"] == [{"x": 1}]


KEYS = st.sampled_from(["name", "vars", "env", "staging", "kv_namespaces", "new", "a b", "X", "ü"])
VALUES = st.recursive(
    st.booleans()
    | st.integers(-99, 99)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=6),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3),
    max_leaves=6,
)
PATHS = st.lists(KEYS | st.integers(0, 2), min_size=1, max_size=4).map(tuple)
CHANGES = st.builds(Set, PATHS, VALUES) | st.builds(Append, PATHS, VALUES) | st.builds(Delete, PATHS)


def model(data: Any, keys: tuple[Any, ...], change: Change) -> Any:
    """What the change should make of plain data, written again and differently."""
    if not keys:
        if isinstance(change, Append):
            return [*(data if isinstance(data, list) else []), change.value]
        return change.value  # type: ignore[union-attr]
    key, rest = keys[0], keys[1:]
    if isinstance(change, Delete):
        there = (
            key in data
            if isinstance(data, dict)
            else isinstance(data, list) and isinstance(key, int) and key < len(data)
        )
        if not there:
            return data
        copy = data.copy()
        if rest:
            copy[key] = model(data[key], rest, change)
        else:
            del copy[key]
        return copy
    copy = data.copy() if isinstance(data, dict | list) else [] if isinstance(key, int) else {}
    if isinstance(copy, list):
        inner = copy[key] if key < len(copy) else None
        copy[key : key + 1] = [model(inner, rest, change)]
    else:
        copy[key] = model(copy.get(key), rest, change)
    return copy


def full(data: Any) -> Any:
    """Without tables that hold nothing."""
    if isinstance(data, dict):
        inner = {key: full(value) for key, value in data.items()}
        return {key: value for key, value in inner.items() if value != {}}
    return [full(value) for value in data] if isinstance(data, list) else data


@settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(CORPUS), CHANGES)
def test_any_change_to_any_file(file: Path, change: Change) -> None:
    source = SOURCES[file]
    before = read_document(file).data
    try:
        new = edited(source, [change])
    except ConfigError as error:
        assert error.code in {"TB1301", "TB1303"}
        # Refusing is for places that cannot be; a plain new or present key must work.
        assert error.code == "TB1301" or file.suffix == ".toml"
        return
    after = parse_document(Source(file, new)).data
    if file.suffix == ".toml" and isinstance(change, Delete):
        # TOML often cannot say that an empty table exists.
        assert full(after) == full(model(before, change.keys, change))
    else:
        assert after == model(before, change.keys, change)
    if file.suffix != ".toml" and isinstance(change, Set):
        assert edited(Source(file, new), [change]) == new


TOP = st.sampled_from(["alpha", "beta"])


@settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(CORPUS), TOP, VALUES)
def test_a_new_key_leaves_every_other_line_alone_and_goes_without_a_trace(
    file: Path, key: str, value: Any
) -> None:
    source = SOURCES[file]
    new = edited(source, [Set((key,), value)])
    gone = [
        line[2:]
        for line in difflib.ndiff(source.text.splitlines(), new.splitlines())
        if line.startswith("- ")
    ]
    # At most the line before gets a comma; one-line files have only that line.
    assert len(gone) <= 1
    if gone and "{" not in gone[0]:
        assert gone[0].rstrip(" \t") + "," in new or "//" in gone[0]
    back = edited(Source(file, new), [Delete((key,))])
    assert parse_document(Source(file, back)).data == read_document(file).data
    assert [line for line in back.splitlines() if line.strip()] == [
        line for line in source.text.splitlines() if line.strip()
    ] or file.name in {"name-only.jsonc"}


def test_editing_never_writes_a_wrong_file() -> None:
    text = '{"a": {"b": 1}, "a": {"b": 2}}'
    with pytest.raises(ConfigError) as caught:
        edited(Source(Path("a.json"), text), [Delete(("a",))])
    assert caught.value.code == "TB1303"
    for change in (Set(("name", "deep"), 1), Append(("vars",), 1), Set(("vars", 0), 1)):
        for name, source in (("a.jsonc", JSONC), ("a.toml", TOML)):
            with pytest.raises(ConfigError) as caught:
                edited(Source(Path(name), source), [change])
            assert caught.value.code == "TB1301"
    for name, source in (("a.jsonc", JSONC), ("a.toml", TOML)):
        with pytest.raises(ConfigError) as caught:
            edited(Source(Path(name), source), [Set(("x",), object())])
        assert caught.value.code == "TB1302"
    with pytest.raises(ConfigError):
        edited(Source(Path("a.json"), "{}"), [Set((), 1)])


def test_rewriting_a_file(tmp_path: Path) -> None:
    real = tmp_path / "real.jsonc"
    real.write_bytes(b'\xef\xbb\xbf{ "a": 1 }\r\n')
    real.chmod(0o640)
    link = tmp_path / "wrangler.jsonc"
    link.symlink_to(real)
    assert rewrite(link, [Set(("a",), 2)])
    assert real.read_bytes() == b'\xef\xbb\xbf{ "a": 2 }\r\n'
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert not rewrite(link, [Set(("a",), 2)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.jsonc", "wrangler.jsonc"]
