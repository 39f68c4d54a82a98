"""Loading whole projects: several Workers, environments, overrides, refusals, speed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import BaseModel

from trailboss.config import Project
from trailboss.errors import ConfigError

TWO = """
[workers.api]
path = "apps/api"

[workers.site]
path = "apps/site/wrangler.toml"

[target]
account_id = "top"
api = { timeout = 5, retries = 1 }

[environments.staging]
branches = ["develop"]
[environments.staging.target]
account_id = "staging"
api = { retries = 3 }

[environments.production]
protected = true
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "trailboss.toml", TWO)
    write(
        tmp_path,
        "apps/api/wrangler.jsonc",
        '{"name": "api", "main": "src/i.ts", "env": {"qa": {"name": "qa-api"}}}',
    )
    write(
        tmp_path,
        "apps/site/wrangler.toml",
        'name = "site"\nservices = [{ binding = "API", service = "api" }]\n[assets]\ndirectory = "d"\n',
    )
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def load(root: Path, environment: str | None = None, **more: object) -> Project:
    return Project.load(root, environment=environment, environ={}, **more)  # type: ignore[arg-type]


def test_several_workers_in_an_environment(root: Path) -> None:
    project = load(root / "apps" / "api", "staging")
    assert (project.root, project.file, project.name) == (root, root / "trailboss.toml", "api")
    assert project.environments == ("staging", "production", "qa")
    assert (project.environment.name, project.environment.source) == ("staging", "flag")
    assert [worker.name for worker in project.workers] == ["api-staging", "site-staging"]
    assert project.worker("site").config.services[0].service == "api-staging"
    assert project.worker("api").main == root / "apps/api/src/i.ts"
    assert project.worker("api-staging").top_level_name == "api"
    assert not project.worker("api").declared
    assert project.warnings == ()


def test_an_environments_tables_are_merged_over_the_top_level(root: Path) -> None:
    top, staging = load(root), load(root, "staging")
    assert top.settings.target == {"account_id": "top", "api": {"timeout": 5, "retries": 1}}
    assert staging.settings.target == {"account_id": "staging", "api": {"timeout": 5, "retries": 3}}
    assert str(staging.locate("target", "account_id")) == f"{root / 'trailboss.toml'}:15:1"
    assert str(top.locate("target", "account_id")) == f"{root / 'trailboss.toml'}:9:1"
    assert (staging.protected, load(root, "production").protected, top.protected) == (False, True, False)
    assert staging.own is not None
    assert staging.own.branches == ["develop"]


def test_an_environment_of_one_worker_holds_for_all(root: Path) -> None:
    project = load(root, "qa")
    assert [worker.name for worker in project.workers] == ["qa-api", "site-qa"]
    assert project.worker("site").config.services[0].service == "qa-api"


def test_one_worker_by_config(root: Path) -> None:
    project = load(root, config=Path("apps/site/wrangler.toml"))
    assert [worker.name for worker in project.workers] == ["site"]
    assert project.settings.target
    assert load(root / "apps", config=Path("../trailboss.toml")).root == root


def test_a_config_the_project_does_not_name_is_on_its_own(root: Path) -> None:
    write(root, "other/wrangler.json", '{"name": "other"}')
    project = load(root / "other")
    assert (project.file, project.name) == (None, "other")
    assert "does not name" in project.warnings[0]


def test_without_any_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert caught.value.code == "TB1001"
    assert "trailboss init" in caught.value.hint
    assert load(tmp_path, required=False).workers == ()


def test_a_redirected_config(tmp_path: Path) -> None:
    write(tmp_path, "wrangler.jsonc", '{"name": "app", "env": {"staging": {}}}')
    write(tmp_path, ".wrangler/deploy/config.json", '{"configPath": "../../dist/wrangler.json"}')
    flat: dict[str, object] = {
        "name": "app-staging",
        "topLevelName": "app",
        "targetEnvironment": "staging",
        "main": "x.js",
    }
    flat["definedEnvironments"] = ["staging", "qa"]
    write(tmp_path, "dist/wrangler.json", json.dumps(flat))
    assert load(tmp_path, "staging").environments == ("staging", "qa")
    for text in (None, "", "[environments.staging]"):
        if text is not None:
            write(tmp_path, "trailboss.toml", text)
        worker = load(tmp_path, "staging").worker()
        assert (worker.name, worker.top_level_name, worker.redirected) == ("app-staging", "app", True)
        assert (worker.main, worker.user_path) == (tmp_path / "dist/x.js", tmp_path / "wrangler.jsonc")
    with pytest.raises(ConfigError, match='built for the environment "staging"') as caught:
        write(tmp_path, "trailboss.toml", "[environments.production]")
        load(tmp_path, "production")
    assert caught.value.code == "TB1103"
    (tmp_path / "trailboss.toml").unlink()
    with pytest.raises(ConfigError, match='built for the environment "staging"'):
        load(tmp_path, "qa")
    write(tmp_path, "dist/wrangler.json", '{"name": "app", "topLevelName": "app"}')
    assert load(tmp_path, "qa").worker().name == "app"  # as wrangler has it
    write(tmp_path, "trailboss.toml", "[environments.staging]")
    with pytest.raises(ConfigError, match='built for the top level, not "staging"'):
        load(tmp_path, "staging")


@pytest.mark.parametrize(
    ("date", "fits"),
    [
        ("2026-01-31", True),
        ("2024-1-5", True),
        ("2024/01/05", True),
        ("2026-13-01", False),
        ("2026-01-32", False),
        ("2026—01—01", False),
        ("latest", False),
    ],
)
def test_compatibility_dates(date: str, fits: bool, tmp_path: Path) -> None:
    write(tmp_path, "wrangler.json", f'{{"compatibility_date": "{date}"}}')
    if fits:
        assert load(tmp_path).worker().config.compatibility_date == date
        return
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert caught.value.code == "TB1110"


@pytest.mark.parametrize(
    ("files", "environment", "code", "place", "message"),
    [
        ({"trailboss.toml": "[relese]\nx = 1"}, None, "TB1201", "trailboss.toml:1:1", "relese"),
        (
            {"trailboss.toml": "[environments.a]\nprotect = true"},
            None,
            "TB1201",
            "trailboss.toml:2:1",
            "protect",
        ),
        ({"trailboss.toml": 'name = "x"\nworkers = ["a"]'}, None, "TB1202", "trailboss.toml:2:1", "table"),
        (
            {"trailboss.toml": '[workers.a]\npath = "gone"'},
            None,
            "TB1203",
            "trailboss.toml:2:1",
            "no wrangler",
        ),
        ({"trailboss.toml": '[environments."a b"]'}, None, "TB1204", "trailboss.toml:1:1", "name"),
        ({"trailboss.toml": "[environments.a]"}, "b", "TB1102", "trailboss.toml:1:1", "no environment"),
        (
            {"trailboss.toml": "[environments.a.target]\n[environments.a]\ntarget = 1"},
            None,
            "TB1005",
            "",
            "TOML",
        ),
        ({"wrangler.json": '{"env": []}'}, None, "TB1101", "wrangler.json:1:2", "table"),
        ({"wrangler.json": '{"env": {"a": 1}}'}, None, "TB1101", "wrangler.json:1:10", "env.a"),
        ({"wrangler.json": '{"env": {"a": {}}}'}, "b", "TB1102", "wrangler.json:1:2", '"b"'),
        ({"wrangler.json": '{"name": "Bad Name"}'}, None, "TB1107", "wrangler.json:1:2", "Bad Name"),
        ({"wrangler.json": '{"route": "a", "routes": []}'}, None, "TB1108", "wrangler.json:1:2", "exclude"),
        (
            {"wrangler.json": '{"vars": {"A": 1},\n "ai": {"binding": "A"}}'},
            None,
            "TB1109",
            "wrangler.json:1:11",
            "two bindings",
        ),
        (
            {"wrangler.json": '{"compatibility_date": "2026–01–01"}'},
            None,
            "TB1110",
            "wrangler.json:1:2",
            "hyphens",
        ),
        ({"wrangler.toml": "[vars]\nA = 2026-01-01"}, None, "TB1110", "wrangler.toml:2:1", "quotes"),
        ({"wrangler.toml": 'main = "a.py"'}, None, "TB1111", "wrangler.toml:1:1", "python_workers"),
        (
            {"wrangler.json": '{"kv_namespaces": [{"id": 3}]}'},
            None,
            "TB1101",
            "wrangler.json:1:20",
            '"kv_namespaces[0].binding" is required',
        ),
        (
            {"wrangler.json": '{"minify": "yes"}'},
            None,
            "TB1101",
            "wrangler.json:1:2",
            "true or false, not this text",
        ),
        (
            {"wrangler.json": '{"assets": {"run_worker_first": 3}}'},
            None,
            "TB1101",
            "wrangler.json:1:13",
            "true or false or a list, not a number",
        ),
    ],
)
def test_refusals(
    files: dict[str, str], environment: str | None, code: str, place: str, message: str, tmp_path: Path
) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environment)
    error = caught.value
    assert error.code == code
    assert place in str(error.where)
    assert message in f"{error.message} {error.hint}"


def test_every_problem_is_named_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, "wrangler.json", '{"minify": 1,\n "main": 2,\n "kv_namespaces": {}}')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert len(caught.value.message.splitlines()) == 3
    assert "wrangler.json:3:2" in caught.value.message


def test_did_you_mean(tmp_path: Path) -> None:
    write(tmp_path, "trailboss.toml", "[environments.staging.realease]")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert caught.value.hint == 'Did you mean "release"?'


def test_two_workers_of_one_name(root: Path) -> None:
    write(root, "apps/site/wrangler.toml", 'name = "api"\n')
    with pytest.raises(ConfigError) as caught:
        load(root)
    assert caught.value.code == "TB1206"


def test_choosing_a_worker(root: Path) -> None:
    project = load(root)
    for name, code in ((None, "TB1208"), ("nobody", "TB1207")):
        with pytest.raises(ConfigError) as caught:
            project.worker(name)
        assert caught.value.code == code
        assert "api, site" in caught.value.hint


def test_the_folder_chooses_a_worker(root: Path) -> None:
    write(root, "apps/site/src/deep/x", "")
    assert load(root / "apps/site/src/deep").worker().name == "site"
    assert load(root / "apps").here is None


class Release(BaseModel, strict=True, extra="forbid"):
    steps: list[int] = [100]


def test_a_room_types_its_own_section(tmp_path: Path) -> None:
    text = "[release]\nsteps = [1]\n[environments.staging.release]\nsteps = ['x']\n"
    text += "[environments.b.release]\nstep = 1"
    write(tmp_path, "trailboss.toml", text)
    assert load(tmp_path).section("release", Release).steps == [1]
    for environment, code, line in (("staging", "TB1202", 4), ("b", "TB1201", 6)):
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, environment).section("release", Release)
        assert (caught.value.code, caught.value.where and caught.value.where.line) == (code, line)


def test_the_branch_chooses(root: Path) -> None:
    write(root, ".git/HEAD", "ref: refs/heads/develop\n")
    environment = load(root).environment
    assert (environment.name, environment.source, environment.branch) == ("staging", "branch", "develop")


def test_importing_costs_nothing() -> None:
    script = (
        "import sys; import trailboss.config; from trailboss.config import Project;"
        "print([m for m in ('pydantic', 'tomlkit', 'asyncio', 'httpx', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_is_quick(root: Path) -> None:
    load(root, "staging")
    started = time.perf_counter()
    for _ in range(5):
        load(root, "staging")
    assert (time.perf_counter() - started) / 5 < 0.06
