"""Environments are added to and removed from the files: smallest difference, all files or none."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from trailboss.config import Project
from trailboss.config import several as several_module
from trailboss.config.environments import Wanted, create, delete, listing
from trailboss.config.several import rewrite_together
from trailboss.errors import ConfigError

CONFIG = """\
{
  "name": "shop",
  "main": "x.js", // the entry
  "compatibility_date": "2026-11-01",
  "kv_namespaces": [{ "binding": "TOP" }],
  "env": {
    // the first
    "staging": {
      "name": "shop-for-staging",
      "routes": ["staging.example.com/*"],
      "vars": { "MODE": "s" },
      "r2_buckets": [{ "binding": "FILES", "bucket_name": "files-staging" }],
      "d1_databases": [{ "binding": "DB", "database_name": "db-staging", "database_id": "abc" }],
      "queues": { "producers": [{ "binding": "JOBS", "queue": "jobs" }] },
      "services": [{ "binding": "SELF", "service": "shop-for-staging" }],
      "analytics_engine_datasets": [{ "binding": "EVENTS", "dataset": "events_staging" }]
    }
  }
}
"""
SETTINGS = """\
# ours
name = "shop"

[environments.staging]   # before production
branches = ["develop"]
protected = true
"""


def project(folder: Path, environment: str = "") -> Project:
    return Project.load(folder, environment=environment, environ={})


def added(before: str, after: str) -> list[str]:
    """The lines that came; none may go."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    assert not [line for line in lines if line.startswith("- ") and line.strip(" -,}")], lines
    return [line[2:] for line in lines if line.startswith("+ ") and line.strip("+ ")]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A wrangler config without environments, and no trailboss.toml."""
    (tmp_path / "x.js").write_text("export default {}")
    (tmp_path / "wrangler.toml").write_text('name = "shop"\nmain = "x.js"\ncompatibility_date = "2026-11-01"')
    return tmp_path


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """A wrangler config with one environment, and trailboss.toml."""
    (tmp_path / "x.js").write_text("export default {}")
    (tmp_path / "wrangler.jsonc").write_text(CONFIG)
    (tmp_path / "trailboss.toml").write_text(SETTINGS)
    return tmp_path


def test_the_first_environments_make_the_file(plain: Path) -> None:
    before = (plain / "wrangler.toml").read_text()
    for name in ("development", "staging", "production"):
        done = create(project(plain), name)
        assert (done.done, done.files) == (True, (plain / "trailboss.toml",))
    assert (plain / "trailboss.toml").read_text() == (
        'name = "shop"\n\n[environments.development]\n\n[environments.staging]\n\n[environments.production]\n'
    )
    assert (plain / "wrangler.toml").read_text() == before
    assert project(plain, "staging").workers[0].name == "shop-staging"


def test_a_config_with_a_name_of_its_own_is_named(plain: Path) -> None:
    config = (plain / "wrangler.toml").rename(plain / "worker.toml")
    create(Project.load(plain, environment="", config=config, environ={}), "qa")
    assert project(plain, "qa").workers[0].name == "shop-qa"


def test_again_changes_nothing(both: Path) -> None:
    create(project(both), "qa", Wanted(branches=("qa/*",), protected=True, target="sandbox"))
    before = {file: file.read_text() for file in both.iterdir()}
    again = create(project(both), "qa", Wanted(branches=("qa/*",), protected=True, target="sandbox"))
    assert (again.done, again.files) == (False, ())
    assert {file: file.read_text() for file in both.iterdir()} == before
    assert create(project(both), "qa", Wanted(branches=("qa2",))).files == (both / "trailboss.toml",)
    assert project(both, "qa").settings.environments["qa"].branches == ["qa/*", "qa2"]


def test_both_files_get_it_and_nothing_else_changes(both: Path) -> None:
    done = create(project(both), "qa", Wanted(protected=True))
    assert done.files == (both / "wrangler.jsonc", both / "trailboss.toml")
    assert added(CONFIG, (both / "wrangler.jsonc").read_text()) == ["    },", '    "qa": {}']
    assert added(SETTINGS, (both / "trailboss.toml").read_text()) == ["[environments.qa]", "protected = true"]


def test_a_copy_has_resources_of_its_own(both: Path) -> None:
    done = create(project(both), "qa", Wanted(source="staging"))
    raw = project(both, "qa").workers[0].raw
    assert raw["name"] == "shop-qa"
    assert raw["routes"] == []
    assert raw["vars"] == {"MODE": "s"}
    assert raw["r2_buckets"] == [{"binding": "FILES", "bucket_name": "files-qa"}]
    assert raw["d1_databases"] == [{"binding": "DB", "database_name": "db-qa"}]
    assert raw["queues"]["producers"] == [{"binding": "JOBS", "queue": "jobs-qa"}]
    assert raw["services"] == [{"binding": "SELF", "service": "shop-qa"}]
    assert raw["analytics_engine_datasets"] == [{"binding": "EVENTS", "dataset": "events_qa"}]
    assert any("routes" in note for note in done.notes)
    assert any("branches" in note for note in done.notes)
    own = project(both, "qa").own
    assert own is not None
    assert (own.protected, own.branches) == (True, [])


def test_what_was_there_keeps_its_meaning_when_the_file_is_made(both: Path) -> None:
    (both / "trailboss.toml").unlink()
    before = project(both, "staging").workers[0].raw
    create(project(both), "qa")
    assert project(both, "staging").workers[0].raw == before
    assert project(both, "qa").workers[0].raw["kv_namespaces"] == [{"binding": "TOP"}]


@pytest.mark.parametrize(
    ("name", "wanted", "code"),
    [
        ("Staging", Wanted(), "TB1401"),
        ("a_b", Wanted(), "TB1401"),
        ("all", Wanted(), "TB1401"),
        ("constructor", Wanted(), "TB1401"),
        ("", Wanted(), "TB1401"),
        ("x" * 59, Wanted(), "TB1402"),
        ("for-staging", Wanted(), "TB1403"),
        ("qa", Wanted(source="stagging"), "TB1102"),
        ("qa", Wanted(branches=("develop",)), "TB1205"),
    ],
)
def test_what_is_refused_has_a_place_and_a_hint(both: Path, name: str, wanted: Wanted, code: str) -> None:
    before = {file: file.read_text() for file in both.iterdir()}
    with pytest.raises(ConfigError) as caught:
        create(project(both), name, wanted)
    assert caught.value.code == code
    assert caught.value.hint
    assert caught.value.where is not None
    assert {file: file.read_text() for file in both.iterdir()} == before


def test_all_files_or_none(both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {file: file.read_bytes() for file in both.iterdir()}
    real = several_module.rewrite

    def fails_at_the_second(file: Path, changes: object) -> bool:
        if file.name == "trailboss.toml":
            raise ConfigError("TB1304", "the file cannot be written")
        return real(file, changes)  # type: ignore[arg-type]

    monkeypatch.setattr(several_module, "rewrite", fails_at_the_second)
    with pytest.raises(ConfigError, match="cannot be written"):
        create(project(both), "qa")
    assert {file: file.read_bytes() for file in both.iterdir()} == before


def test_a_made_file_goes_when_the_check_fails(tmp_path: Path) -> None:
    def refuse() -> None:
        raise ConfigError("TB1102", "no")

    with pytest.raises(ConfigError, match="no"):
        rewrite_together({tmp_path / "new.toml": "a = 1\n"}, refuse)
    assert list(tmp_path.iterdir()) == []
    rewrite_together({tmp_path / "new.toml": "a = 1\n"})
    with pytest.raises(ConfigError) as caught:
        rewrite_together({tmp_path / "new.toml": "a = 2\n"})
    assert caught.value.code == "TB1305"


def test_delete_is_the_way_back(both: Path) -> None:
    before = {file: file.read_text() for file in both.iterdir()}
    create(project(both), "qa", Wanted(source="staging"))
    done = delete(project(both), "qa")
    assert set(done.files) == {both / "wrangler.jsonc", both / "trailboss.toml"}
    assert {file: file.read_text().rstrip("\n") for file in both.iterdir()} == {
        file: text.rstrip("\n") for file, text in before.items()
    }
    assert not delete(project(both), "qa").done
    delete(project(both), "staging")
    assert project(both).environments == ()


def test_the_list(both: Path) -> None:
    create(project(both), "qa", Wanted(target="sandbox:qa"))
    staging, qa = listing(project(both), "qa")
    assert (staging.name, staging.protected, staging.branches) == ("staging", True, ("develop",))
    assert staging.workers == ("shop-for-staging",)
    assert (qa.active, qa.target, qa.files) == (
        True,
        "sandbox:qa",
        (both / "trailboss.toml", both / "wrangler.jsonc"),
    )
