"""A new project, and an old one that is adopted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from trailboss.cli.scaffold import compatibility_date, worker_name
from trailboss.config import Project


def test_a_new_project_loads_and_builds(
    trailboss: Trailboss, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = trailboss("init", "my-shop", "--yes", "--environment", "staging", "--json").json
    assert done["written"] == ["trailboss.toml", "wrangler.jsonc", "src/index.ts", ".gitignore"]
    for file in done["written"]:
        text = (tmp_path / "my-shop" / file).read_text()
        assert text.endswith("\n") and not text.endswith("\n\n"), file
    monkeypatch.chdir(tmp_path / "my-shop")
    project = Project.load(environment="staging")
    assert (project.name, project.workers[0].name) == ("my-shop", "my-shop-staging")
    assert project.workers[0].raw["compatibility_date"] == compatibility_date()
    assert trailboss("deploy", "--dry-run").status == 0


def test_an_existing_configuration_is_adopted_and_not_touched(trailboss: Trailboss, tmp_path: Path) -> None:
    config = tmp_path / "wrangler.toml"
    config.write_text('name = "old"  # mine\nmain = "src/x.js"\ncompatibility_date = "2024-01-01"\n')
    before = config.read_text()
    done = trailboss("init", "--json").json
    assert (done["adopted"], done["written"]) == (True, ["trailboss.toml"])
    assert config.read_text() == before
    assert Project.load().workers[0].name == "old"
    again = trailboss("init", "--json").json
    assert (again["written"], again["kept"]) == ([], ["trailboss.toml"])
    assert "Nothing to do" in trailboss("init").out


def test_names(trailboss: Trailboss) -> None:
    assert worker_name("My Shop (2)") == "my-shop-2"
    assert worker_name("___") == "my-worker"
    assert trailboss("init", "Bad_Name", "--json").error["code"] == "TB9020"
    assert trailboss("init", "--json").error["code"] == "TB9021"
