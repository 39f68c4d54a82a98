"""Configs in the shapes people write: each loads, and means the same to us and to the pinned wrangler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.wrangler_config import read_configs
from trailboss.config import Project, Worker
from trailboss.config.document import read_document
from trailboss.config.keys import ENVIRONMENT, RETIRED
from trailboss.config.resolve import environments_of

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
    config, defaults = theirs["config"], answers[Path("defaults"), None]["config"]
    assert ours.name == (config.get("name") or "")
    assert (str(ours.main) if ours.raw.get("main") else None) == config.get("main")
    for key in ENVIRONMENT - REWRITTEN:
        default = defaults.get(key)
        mine = ours.raw[key] if ours.raw.get(key) is not None else default
        if key == "vars":
            assert mine == config.get(key)
        else:
            assert plain(mine) == plain(config.get(key)), key
