"""Projects whose pipelines are written, and the published schemas they are held against."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for
from ruamel.yaml import YAML

from trailboss.config import Project
from trailboss.export.ci import CiInit, init

WRANGLER = {"main": "index.js", "compatibility_date": "2026-11-01"}
SCHEMAS = {"github": "github-workflows.json", "gitlab": "gitlab-ci.json"}


@cache
def schema(service: str) -> Any:
    """The schema that editors and check-jsonschema use for the service's files."""
    folder = files("check_jsonschema") / "builtin_schemas" / "vendor"
    return json.loads((folder / SCHEMAS[service]).read_text())


def valid(service: str, text: str) -> Any:
    """The document in `text`, which the service's schema takes."""
    document = YAML(typ="safe").load(text)
    validator = validator_for(schema(service))(schema(service))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)] == []
    return document


class Place:
    """A folder with a project, and its pipeline."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, name: str) -> Project:
        return Project.load(self.folder, environment=name, environ={})

    def init(self, service: str = "github", *, force: bool = False) -> CiInit:
        return init(self.load(""), self.load, service, force=force)

    def text(self, done: CiInit) -> str:
        return (done.root / done.file).read_text()


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Place]:
    """`project(text of trailboss.toml, folder in the repository, names of Workers)`."""

    def make(text: str, folder: str = "", *workers: str) -> Place:
        (tmp_path / ".git").mkdir()
        here = tmp_path / folder
        for name in workers or ("",):
            (here / name).mkdir(parents=True, exist_ok=True)
            config = {"name": name or "shop", **WRANGLER}
            (here / name / "wrangler.json").write_text(json.dumps(config))
            (here / name / "index.js").write_text("export default {}")
        (here / "trailboss.toml").write_text(text)
        return Place(here)

    return make
