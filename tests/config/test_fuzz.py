"""No content of a configuration file gives anything but a project or a ConfigError that says where."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.config.samples import PROJECT
from trailboss.config import Project
from trailboss.config.document import read_document
from trailboss.errors import ConfigError

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
QUIET = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
ODD = st.sampled_from(
    [None, True, 0, -1, 1.5, 1e300, "", "x", "\0", "a" * 300, [], {}, [None], [[]], [{}], {"": None}]
) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
    max_leaves=5,
)  # fmt: skip


def attempt(name: str, content: bytes, *, project: str | None = None) -> None:
    """Loads the folder in every environment its text could name."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / name).write_bytes(content)
        if project is not None:
            (root / "trailboss.toml").write_text(project)
        for environment in (None, "staging", "production", "nowhere"):
            try:
                loaded = Project.load(root, environment=environment, environ={})
            except ConfigError as error:
                assert error.code.startswith("TB1")
                assert error.message
                assert error.where is not None, error.code
            else:
                for worker in loaded.workers:
                    assert worker.locate("kv_namespaces", 0, "binding").line


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@QUIET
@given(
    st.sampled_from(["wrangler.json", "wrangler.jsonc", "wrangler.toml", "trailboss.toml"]),
    st.binary(max_size=80),
)
def test_arbitrary_bytes(name: str, content: bytes) -> None:
    attempt(name, content)


@QUIET
@given(
    st.sampled_from(["wrangler.jsonc", "wrangler.toml"]),
    st.text("{}[]\",:=.\n\r\t #/*'\\ae1-_u\0", max_size=40),
)
def test_arbitrary_punctuation(name: str, text: str) -> None:
    attempt(name, encode(text))


@QUIET
@given(st.sampled_from(CORPUS), st.data())
def test_damaged_files(file: Path, data: st.DataObject) -> None:
    content = file.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 30)))
    new = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"\0", b"[" * 300, b"{}", b"null", b'"', b"\r", b"//"])
    )
    attempt(
        f"wrangler{file.suffix}",
        content[:start] + new + content[end:],
        project=data.draw(st.none() | st.just("")),
    )


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield (*prefix, key)
        yield from paths(child, (*prefix, key))


DATA = {file: read_document(file).data for file in CORPUS}
PLACES = [(file, path) for file in CORPUS for path in paths(DATA[file])]


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    data = copy.deepcopy(data)
    here = data
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return data


@settings(QUIET, max_examples=400)
@given(st.sampled_from(PLACES), ODD, st.sampled_from([None, "", PROJECT]))
def test_any_value_at_any_place(place: tuple[Path, tuple[Any, ...]], value: Any, project: str | None) -> None:
    file, path = place
    text = json.dumps(replaced(DATA[file], path, value))
    attempt("wrangler.json", encode(text), project=project)


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "text", [], {}, [1], [{}], {"a": 1}, [[]]])
def test_every_key_survives_every_type(value: Any) -> None:
    everything = DATA[next(file for file in CORPUS if file.name == "everything.jsonc")]
    for path in paths(everything):
        if len(path) > 2:
            continue
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "wrangler.json").write_text(json.dumps(replaced(everything, path, value)))
            (Path(folder) / "trailboss.toml").write_text("[environments.staging]")
            try:
                Project.load(Path(folder), environment="staging", environ={})
            except ConfigError as error:
                assert error.where is not None


PROJECT_DATA = tomlkit.parse(PROJECT).unwrap()
PROJECT_PLACES = list(paths(PROJECT_DATA))


@QUIET
@given(st.sampled_from(PROJECT_PLACES), ODD)
def test_any_value_in_the_project_file(path: tuple[Any, ...], value: Any) -> None:
    try:
        text = tomlkit.dumps(replaced(PROJECT_DATA, path, value))
    except (ValueError, TypeError, AttributeError):
        return  # TOML has no null
    attempt("wrangler.json", b'{"name": "agency", "kv_namespaces": [{"binding": "KV"}]}', project=text)
