"""Configs in the shapes people write: each loads, and means the same to us and to the pinned wrangler."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.config.wrangler_config import read_configs
from trailboss.config import Project, Worker
from trailboss.config.document import read_document
from trailboss.config.keys import ENVIRONMENT, RETIRED
from trailboss.config.resolve import environments_of
from trailboss.errors import ConfigError

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.iterdir() if path.is_file())
PAIRS: list[tuple[Path, str | None]] = [
    (file, environment)
    for file in FILES
    for environment in (
        None,
        *environments_of(read_document(file)),
        *(() if "pages" in file.name else ("new",)),
    )
]
# What wrangler adds where a config is silent, and the paths it makes relative to where it runs.
REWRITTEN = {"main", "build", "tsconfig", "base_dir", "rules", "name", "containers"}
REFUSED_BY_WRANGLER = {"legacy-kv-hyphen.toml", "environments.toml"}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Path, str | None], dict[str, Any]]:
    cwd = tmp_path_factory.mktemp("cwd")
    empty = cwd / "empty.json"
    empty.write_text("{}")
    pairs = [*PAIRS, (empty, None)]
    found = dict(zip(pairs, read_configs(pairs, cwd), strict=True))
    return {**found, (Path("defaults"), None): found[empty, None]}


def load(file: Path, environment: str | None) -> Worker:
    return Project.load(config=file, environment=environment, environ={}).worker()


def plain(value: Any) -> Any:
    """Without the defaults that wrangler fills into nested tables."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items() if v not in (None, [], {})}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_loads(file: Path) -> None:
    worker = load(file, None)
    assert worker.path == file
    assert worker.config.compatibility_date == worker.raw.get("compatibility_date")


@pytest.mark.parametrize(("file", "environment"), PAIRS, ids=lambda v: getattr(v, "name", str(v)))
def test_means_the_same_to_wrangler(
    file: Path, environment: str | None, answers: dict[tuple[Path, str | None], dict[str, Any]]
) -> None:
    theirs = answers[file, environment]
    if "error" in theirs and "No environment found" in theirs["error"]:
        with pytest.raises(Exception, match="there is no environment"):
            load(file, environment)
        return
    ours = load(file, environment)
    if "error" in theirs:
        assert file.name in REFUSED_BY_WRANGLER, theirs["error"]
        assert RETIRED.keys() & ours.raw.keys()
        return
    same(ours, theirs["config"], answers[Path("defaults"), None]["config"])


def same(ours: Worker, config: dict[str, Any], defaults: dict[str, Any]) -> None:
    assert ours.name == (config.get("name") or "")
    assert (str(ours.main) if ours.raw.get("main") is not None else None) == config.get("main")
    for key in ENVIRONMENT - REWRITTEN:
        default = defaults.get(key)
        mine = ours.raw[key] if ours.raw.get(key) is not None else default
        if key == "vars":
            assert mine == config.get(key)
        else:
            assert plain(mine) == plain(config.get(key)), key


ODD = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    "",
    "x",
    [],
    {},
    [None],
    ["a"],
    [{}],
    {"a": 1},
    {"binding": "Z"},
    [{"binding": "Z"}],
]


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield (*prefix, key)
        yield from paths(child, (*prefix, key))


def damaged(dice: random.Random) -> tuple[dict[str, Any], str | None]:
    """A config of the corpus with one value replaced, and one of its environments."""
    data = copy.deepcopy(read_document(dice.choice(FILES)).data)
    path = dice.choice(list(paths(data)))
    here: Any = data
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = dice.choice(ODD)
    env = data.get("env")
    return data, dice.choice([None, *(env if isinstance(env, dict) else ())])


def test_damaged_configs_mean_the_same_where_both_accept_them(tmp_path: Path) -> None:
    dice = random.Random(4164)
    cases = [damaged(dice) for _ in range(400)]
    pairs: list[tuple[Path, str | None]] = []
    for number, (data, environment) in enumerate([*cases, ({}, None)]):
        (tmp_path / f"{number}.json").write_text(json.dumps(data))
        pairs.append((tmp_path / f"{number}.json", environment))
    *answers, defaults = read_configs(pairs, tmp_path)
    compared = 0
    for (file, environment), theirs in zip(pairs, answers, strict=False):
        try:
            ours = load(file, environment)
        except ConfigError as error:
            # wrangler lets some nonsense pass, such as a list where a table belongs; we do not.
            assert "error" in theirs or error.code == "TB1101", error
            continue
        if "config" in theirs:
            same(ours, theirs["config"], defaults["config"])
            compared += 1
    assert compared > 50
