"""The pipeline for GitLab: valid, manual before production, one deploy at a time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.export.conftest import Place, valid
from tests.export.test_github import SHAPES, USUAL

Make = Callable[..., Place]
CURL = """#!/bin/sh
printf '%s\\n' "$*" >> calls
case "$*" in *per_page*) cat known ;; esac
"""


def made(place: Place) -> Any:
    return valid("gitlab", place.text(place.init("gitlab")))


def said(script: list[str]) -> str:
    return "\n".join(script)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_valid_and_parses(project: Make, shape: str) -> None:
    text, folder, workers = SHAPES[shape]
    document = made(project(text, folder, *workers))
    for job in document.values():
        for part in ("before_script", "script", "after_script"):
            assert subprocess.run(["bash", "-n", "-c", said(job.get(part, []))], check=False).returncode == 0


def test_production_is_manual_and_deploys_never_overlap(project: Make) -> None:
    jobs = made(project(USUAL))
    production = jobs["trailboss-production"]
    assert production["rules"][0]["when"] == "manual"
    assert production["allow_failure"] is False
    assert production["needs"] == ["trailboss-staging"]
    assert production["script"] == ["trailboss promote staging production --strategy canary"]
    for name in ("staging", "production"):
        job = jobs[f"trailboss-{name}"]
        assert (job["resource_group"], job["environment"]["name"]) == (f"trailboss-{name}", name)
        assert job["interruptible"] is False
        assert "release abort" in said(job["after_script"])


def test_it_is_refused_over_a_pipeline_of_the_users_and_can_be_written_elsewhere(
    project: Make, tmp_path: Path
) -> None:
    from trailboss.errors import RefusedError

    place = project(USUAL)
    (tmp_path / ".gitlab-ci.yml").write_text("test:\n  script: [make]\n")
    with pytest.raises(RefusedError) as caught:
        place.init("gitlab")
    assert caught.value.code == "TB1510"
    (tmp_path / "trailboss.toml").write_text(f"ci = {{ file = '.gitlab/trailboss.yml' }}\n{USUAL}")
    assert place.init("gitlab").file == ".gitlab/trailboss.yml"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ("[]", "--request POST --data-urlencode body@comment.md u/projects/1/merge_requests/7/notes"),
        (
            '[{"id": 3, "body": "hello"}, {"id": 5, "body": "<!-- trailboss shop -->\\nold"}]',
            "--request PUT --data-urlencode body@comment.md u/projects/1/merge_requests/7/notes/5",
        ),
    ],
)
def test_there_is_one_note(project: Make, tmp_path: Path, known: str, expected: str) -> None:
    script = made(project(USUAL))["trailboss-plan"]["script"]
    here = tmp_path / "runner"
    here.mkdir()
    (here / "curl").write_text(CURL)
    (here / "curl").chmod(0o755)
    (here / "known").write_text(known)
    (here / "comment.md").write_text("new")
    environ = {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}", "GITLAB_TOKEN": "t", "CI_API_V4_URL": "u"}
    environ |= {"CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "7"}
    writing = next(line for line in script if "GITLAB_TOKEN" in line)
    subprocess.run(["bash", "-e", "-c", writing], cwd=here, env=environ, check=True)
    assert (here / "calls").read_text().splitlines()[-1].endswith(expected)
