"""What a preview is called."""

from __future__ import annotations

import pytest

from trailboss.config.derived import EXPIRES, FROM
from trailboss.develop.preview import name_for, said
from trailboss.errors import UsageError


@pytest.mark.parametrize(
    ("given", "environ", "branch", "name"),
    [
        (None, {}, "feature/Login_page", "preview-feature-login-page"),
        ("pr-12", {}, "main", "pr-12"),
        ("Demo!", {}, None, "preview-demo"),
        (None, {"GITHUB_REF": "refs/pull/12/merge", "GITHUB_HEAD_REF": "x"}, None, "pr-12"),
        (None, {"GITHUB_REF": "refs/heads/fix"}, "fix", "preview-fix"),
        (None, {"CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_REF_NAME": "x"}, None, "mr-7"),
        (None, {"CI_COMMIT_REF_NAME": "x/y"}, None, "preview-x-y"),
        (None, {"BUILDKITE_PULL_REQUEST": "false", "BUILDKITE_BRANCH": "b"}, None, "preview-b"),
        (None, {"BITBUCKET_PR_ID": "3"}, "b", "pr-3"),
    ],
)
def test_names(given: str | None, environ: dict[str, str], branch: str | None, name: str) -> None:
    assert name_for(given, environ, branch) == name


def test_long_names_are_cut_and_stay_different() -> None:
    one, two = (name_for(None, {}, f"dependabot/npm_and_yarn/some-long-package-{n}") for n in (1, 2))
    assert one != two
    assert {len(one), len(two)} == {32}
    assert name_for(None, {}, "a" * 80, 20).startswith("preview-aaaaa")
    assert len(name_for(None, {}, "a" * 80, 20)) == 20


@pytest.mark.parametrize("given", [None, "///", "…"])
def test_no_name(given: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        name_for(given, {}, None)
    assert caught.value.code == "TB9484"


def test_what_is_said_for_one_command_is_taken_back() -> None:
    environ = {FROM: "qa", "OTHER": "1"}
    with said(environ, "staging", None):
        assert environ == {FROM: "staging", "OTHER": "1"}
    with said(environ, None, "1h"):
        assert environ == {FROM: "qa", EXPIRES: "1h", "OTHER": "1"}
    assert environ == {FROM: "qa", "OTHER": "1"}
