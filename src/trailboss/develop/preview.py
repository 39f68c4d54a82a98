"""What a preview is called: after the pull request it is of, else after the branch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any

from trailboss.config.derived import EXPIRES, FROM, PREFIXES
from trailboss.errors import UsageError

LONGEST = 32
"""Characters of a name: it becomes part of the names of Workers, buckets and hosts."""
SHORTEST = 12
_BRANCHES = (
    "GITHUB_HEAD_REF",
    "CI_COMMIT_BRANCH",
    "CI_COMMIT_REF_NAME",
    "BITBUCKET_BRANCH",
    "BUILDKITE_BRANCH",
)
_GITHUB = re.compile(r"refs/pull/(\d+)/")
_NUMBERS = {
    "CI_MERGE_REQUEST_IID": "mr",
    "BITBUCKET_PR_ID": "pr",
    "BUILDKITE_PULL_REQUEST": "pr",
    "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "pr",
    "DRONE_PULL_REQUEST": "pr",
}
"""Where pipelines have the number of a pull request, and what it is called there."""


def name_for(
    given: str | None, environ: Mapping[str, str], branch: str | None, longest: int = LONGEST
) -> str:
    """The name: `given`, else of the pull request or branch that the pipeline is about, else of `branch`.

    Raises:
        UsageError: TB9484 none of these is known, or nothing of it can be part of a name.
    """
    said = given or _number(environ) or next((environ[one] for one in _BRANCHES if environ.get(one)), branch)
    plain = re.sub(r"[^a-z0-9]+", "-", (said or "").lower()).strip("-")
    if not plain:
        raise UsageError(
            "TB9484",
            f'"{said}" cannot be part of a name' if said else "it is not known of which branch this is",
            hint="Give a name: trailboss preview pr-12",
        )
    name = plain if plain.startswith(PREFIXES) else f"preview-{plain}"
    longest = max(longest, SHORTEST)
    if len(name) <= longest:
        return name
    digest = hashlib.sha256((said or "").encode()).hexdigest()[:6]
    return f"{name[: longest - 7].rstrip('-')}-{digest}"


def _number(environ: Mapping[str, str]) -> str | None:
    github = _GITHUB.match(environ.get("GITHUB_REF", ""))
    if github is not None:
        return f"pr-{github[1]}"
    for name, kind in _NUMBERS.items():
        if environ.get(name, "").isdecimal():
            return f"{kind}-{environ[name]}"
    return None


@contextmanager
def said(environ: Any, source: str | None, expires: str | None) -> Any:
    """For one command: what the preview is a copy of, and when it ends, whatever the files say."""
    values = {FROM: source, EXPIRES: expires}
    before = {name: environ.get(name) for name in values}
    _put(environ, {name: value for name, value in values.items() if value is not None})
    try:
        yield
    finally:
        _put(environ, before)


def _put(environ: Any, values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = value
