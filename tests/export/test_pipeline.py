"""What a pipeline does follows from the project's files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.export.conftest import Place
from trailboss.errors import ConfigError
from trailboss.export.pipeline import LONG, SHORT, read_pipeline

Make = Callable[..., Place]
USUAL = "[environments.development]\n[environments.staging]\n[environments.production]\n"


def stages(place: Place) -> list[str]:
    return [stage.name for stage in read_pipeline(place.load(""), place.load).stages]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (USUAL, ["staging", "production"]),
        ("[environments.production]\n", ["production"]),
        ("[environments.staging]\n", ["staging"]),
        ("name = 'shop'\n", [""]),
        (
            "[environments.qa]\n[environments.live]\nprotected = true\nrelease = { after = ['qa'] }\n",
            ["qa", "live"],
        ),
        (f"ci = {{ pipeline = ['development', 'production'] }}\n{USUAL}", ["development", "production"]),
    ],
)
def test_the_environments_and_their_order(project: Make, text: str, names: list[str]) -> None:
    assert stages(project(text)) == names


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"ci = {{ pipeline = ['stagin'] }}\n{USUAL}", "TB1501"),
        ("[environments.qa]\n[environments.live]\nprotected = true\n", "TB1502"),
        ("[environments.a]\n[environments.b]\n", "TB1502"),
        ("[environments.production]\ntarget = { name = 'sandbox' }\n", "TB1503"),
        (f"ci = {{ pipelin = ['staging'] }}\n{USUAL}", "TB1201"),
    ],
)
def test_what_is_not_clear_is_said(project: Make, text: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stages(project(text))
    assert caught.value.code == code
    assert caught.value.where is not None


def test_the_branch_is_the_last_environments_else_the_default_one(project: Make, tmp_path: Path) -> None:
    place = project(USUAL)
    assert read_pipeline(place.load(""), place.load).branch == "main"
    head = tmp_path / ".git" / "refs" / "remotes" / "origin" / "HEAD"
    head.parent.mkdir(parents=True)
    head.write_text("ref: refs/remotes/origin/trunk\n")
    assert read_pipeline(place.load(""), place.load).branch == "trunk"
    with (tmp_path / "trailboss.toml").open("a") as file:
        file.write("branches = ['release/*', 'stable']\n")
    assert read_pipeline(place.load(""), place.load).branch == "stable"


def test_secrets_are_the_names_the_files_refer_to(project: Make, tmp_path: Path) -> None:
    place = project(
        "secrets = { file = '.env.{environment}' }\n"
        "notifications = { url = '${HOOK_URL}' }\n"
        f"{USUAL}[environments.staging.probes.home]\npath = '/'\nurl = '${{TRAILBOSS_URL}}/x'\n"
    )
    (tmp_path / ".env.production").write_text("API_KEY=op://Shop/production/API_KEY\nOTHER=${LEGACY_KEY}\n")
    staging, production = read_pipeline(place.load(""), place.load).stages
    account = ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID")
    assert staging.secrets == (*account, "HOOK_URL")
    assert production.secrets == (*account, "OP_SERVICE_ACCOUNT_TOKEN", "HOOK_URL", "LEGACY_KEY")


def test_the_last_environment_is_gated_unless_the_file_says_how(project: Make, tmp_path: Path) -> None:
    place = project(USUAL)
    staging, production = read_pipeline(place.load(""), place.load).stages
    assert (staging.strategy, staging.minutes) == (None, SHORT)
    assert (production.strategy, production.minutes) == ("canary", LONG)
    with (tmp_path / "trailboss.toml").open("a") as file:
        file.write("release = { strategy = 'at-once' }\n")
    production = read_pipeline(place.load(""), place.load).stages[-1]
    assert (production.strategy, production.minutes) == (None, SHORT)
