"""The workflow for GitHub: valid, pinned, with the least permissions, and its scripts do what they say."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.export.conftest import Place, valid

Make = Callable[..., Place]
USUAL = "name = 'shop'\n[environments.staging]\n[environments.production]\n"
SHAPES = {
    "usual": (USUAL, "", ()),
    "one": ("name = 'shop'\n", "", ()),
    "folder": (USUAL, "services/shop", ()),
    "several": (
        f"{USUAL}[workers]\nweb = {{ path = 'web' }}\napi = {{ path = 'api' }}\n",
        "",
        ("web", "api"),
    ),
    "environment": (f"ci = {{ preview = 'environment', expires = '24h' }}\n{USUAL}", "services/shop", ()),
    "plain": (
        f"ci = {{ preview = 'none', install = 'trailboss @ https://x.example/t.whl#a' }}\n{USUAL}",
        "",
        (),
    ),
}
GH = """#!/bin/sh
printf '%s\\n' "$*" >> calls
case "$*" in *--paginate*) cat known ;; esac
"""


def made(place: Place) -> Any:
    return valid("github", place.text(place.init()))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_valid_pinned_and_parses(project: Make, shape: str) -> None:
    text, folder, workers = SHAPES[shape]
    place = project(text, folder, *workers)
    document = made(place)
    assert all(
        re.search(r"@[0-9a-f]{40} # v\d", line)
        for line in place.text(place.init()).split("\n")
        if "uses:" in line
    )
    scripts = [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]
    for script in scripts:
        assert "${{" not in script, "nothing that others can write is put into a shell's text"
        assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0


def test_permissions_are_the_least(project: Make) -> None:
    document = made(project(USUAL))
    assert document["permissions"] == {}
    granted = {name: job["permissions"] for name, job in document["jobs"].items()}
    assert granted.pop("comment") == {"pull-requests": "write"}
    assert set(map(str, granted.values())) == {"{'contents': 'read'}"}
    writing = document["jobs"]["comment"]["steps"]
    assert not [step for step in writing if "uses" in step], "nothing of the pull request is run there"


def test_secrets_go_to_commands_of_ours_by_name_only(project: Make, tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_text("{}")
    document = made(project(USUAL))
    for job in document["jobs"].values():
        assert "env" not in job
        for step in job["steps"]:
            given = {name for name, value in step.get("env", {}).items() if "secrets." in value}
            assert not given or "trailboss " in step["run"]
            assert all(
                value == f"${{{{ secrets.{name} }}}}"
                for name, value in step.get("env", {}).items()
                if name in given
            )
    assert "npm ci" in str(document["jobs"]["staging"])


def test_two_deploys_never_overlap_and_production_promotes_what_staging_has(project: Make) -> None:
    jobs = made(project(USUAL))["jobs"]
    for name in ("staging", "production"):
        assert jobs[name]["concurrency"] == {"group": f"trailboss-shop-{name}", "cancel-in-progress": False}
        assert jobs[name]["environment"] == name
    assert jobs["staging"]["if"] == "github.event_name == 'push'"
    assert jobs["production"]["needs"] == "staging"
    commands = [step["run"] for step in jobs["production"]["steps"] if "run" in step]
    assert "trailboss promote staging production --strategy canary" in commands
    assert commands[-1].startswith("trailboss release abort --env production --yes")


def test_a_project_in_a_folder_has_a_file_of_its_own(project: Make) -> None:
    place = project(USUAL, "services/shop")
    assert place.init().file == ".github/workflows/trailboss-shop.yml"
    jobs = made(place)["jobs"]
    assert jobs["plan"]["defaults"]["run"]["working-directory"] == "services/shop"
    assert "defaults" not in jobs["comment"], "there is no such folder without a checkout"


def test_a_pull_request_can_have_an_environment_that_ends_with_it(project: Make) -> None:
    document = made(project(f"ci = {{ preview = 'environment' }}\n{USUAL}"))
    assert "closed" in document["on"]["pull_request"]["types"]
    jobs = document["jobs"]
    [preview] = [step["run"] for step in jobs["plan"]["steps"] if step.get("continue-on-error")]
    assert 'trailboss preview "$NAME" --from staging --expires 3d --json' in preview
    assert "github.event.action != 'closed'" in jobs["plan"]["if"]
    assert jobs["close"]["steps"][-1]["run"] == 'trailboss preview delete "$NAME" --from staging --yes'
    assert jobs["close"]["concurrency"]["group"] == jobs["plan"]["concurrency"]["group"]
    assert jobs["reap"]["steps"][-1]["run"] == "trailboss environments reap --yes"


def test_the_project_s_tests_run_against_the_preview_without_any_secret(project: Make) -> None:
    said = "ci = { preview = 'environment' }\nephemeral = { from = 'qa', expires = '12h' }\n"
    jobs = made(project(f"{said}test = {{ command = 'npm run e2e' }}\n{USUAL}"))["jobs"]
    [preview] = [step for step in jobs["plan"]["steps"] if step.get("id") == "preview"]
    assert 'trailboss preview "$NAME" --from qa --expires 12h' in preview["run"]
    last = jobs["plan"]["steps"][-1]
    assert last["run"].startswith("trailboss test e2e --url")
    assert (last["if"], last.get("env")) == ("steps.preview.outcome == 'success'", None)


def test_again_changes_nothing_wherever_the_repository_is(project: Make, tmp_path: Path) -> None:
    place = project(USUAL)
    before = place.text(place.init())
    assert place.init().state == "unchanged"
    assert tmp_path.name not in before


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ("", "api --silent repos/o/r/issues/7/comments --field body=@comment.md"),
        ("55\n77\n", "api --silent --method PATCH repos/o/r/issues/comments/55 --field body=@comment.md"),
    ],
)
def test_there_is_one_comment(project: Make, tmp_path: Path, known: str, expected: str) -> None:
    [step] = made(project(USUAL))["jobs"]["comment"]["steps"]
    here = tmp_path / "runner"
    here.mkdir()
    (here / "gh").write_text(GH)
    (here / "gh").chmod(0o755)
    (here / "known").write_text(known)
    environ = {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}", "GITHUB_REPOSITORY": "o/r"}
    environ |= {"NUMBER": "7", "BODY": "a $(touch x) `y`\nb"}
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=here, env=environ, check=True)
    assert (here / "comment.md").read_text() == "a $(touch x) `y`\nb\n"
    assert (here / "calls").read_text().splitlines()[-1] == expected
    assert not (here / "x").exists()
