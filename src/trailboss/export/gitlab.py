"""The pipeline as a file of GitLab CI. Only the stages every pipeline has are used, so that another one can
include it. Variables are GitLab's own: masked, protected, and scoped by environment.
Syntax: https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

import json
import shlex

from trailboss.export.generated import sign
from trailboss.export.github import choosing, copying, deploying, fill, flag, marker, scalar
from trailboss.export.pipeline import SHORT, Pipeline, Stage

IMAGE = "python:3.13-bookworm"
HEAD = """\
# Made by `trailboss ci init gitlab`; run it again when environments change. Settings: [ci] in trailboss.toml.
# Variables it needs (Settings > CI/CD > Variables, masked, scoped by environment): <names>.
# GITLAB_TOKEN, a project access token for its API, lets it comment on merge requests.
"""
BASE = """
.<group>:
  image: <image>
  before_script:
    - <install>
<more>
"""
PLAN = """
<group>-plan:
  extends: .<group>
  stage: test
  # A merge request of a fork gets no variables, so there is nothing it could ask.
  rules:
    - if: >-
        $CI_PIPELINE_SOURCE == "merge_request_event" &&
        $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID
  interruptible: true
  timeout: <minutes> minutes
  script:
    - mkdir -p .trailboss/previews
<previews>    - status=0
    - trailboss ci comment <environments> --previews .trailboss/previews > comment.md || status=$?
    - cat comment.md
    - |
      if [ -n "$GITLAB_TOKEN" ]; then
        notes="$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
        call() { curl --fail --silent --show-error --header "PRIVATE-TOKEN: $GITLAB_TOKEN" "$@"; }
        found=$(call "$notes?per_page=100&sort=asc" | python3 -c '
      import json, sys
      print(next((note["id"] for note in json.load(sys.stdin) if note["body"].startswith("<marker>")), ""))')
        if [ -n "$found" ]; then
          call --output /dev/null --request PUT --data-urlencode body@comment.md "$notes/$found"
        else
          call --output /dev/null --request POST --data-urlencode body@comment.md "$notes"
        fi
      fi
    - exit "$status"
"""
PREVIEW = """\
    - >-
      trailboss versions upload <flag> --preview-alias "mr-$CI_MERGE_REQUEST_IID" --json
      > .trailboss/previews/preview-<worker>.json || true
"""
ENVIRONMENT = """
<group>-preview:
  extends: .<group>
  stage: deploy
  rules:
    - if: >-
        $CI_PIPELINE_SOURCE == "merge_request_event" &&
        $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID
  resource_group: <group>-mr-$CI_MERGE_REQUEST_IID
  environment:
    name: preview/mr-$CI_MERGE_REQUEST_IID
    url: $PREVIEW_URL
    on_stop: <group>-preview-end
    auto_stop_in: <days>
  script:
    - >-
      trailboss preview "mr-$CI_MERGE_REQUEST_IID" <source>--expires <expires> --json
      > "$CI_PROJECT_DIR/preview.json"
    - >-
      python3 -c 'import json, sys; print("PREVIEW_URL=" + (json.load(sys.stdin)["url"] or ""))'
      < "$CI_PROJECT_DIR/preview.json" > "$CI_PROJECT_DIR/preview.env"
<tests>  artifacts:
    reports:
      dotenv: preview.env

<group>-preview-end:
  extends: .<group>
  stage: deploy
  rules:
    - if: >-
        $CI_PIPELINE_SOURCE == "merge_request_event" &&
        $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID
      when: manual
      allow_failure: true
  resource_group: <group>-mr-$CI_MERGE_REQUEST_IID
  environment:
    name: preview/mr-$CI_MERGE_REQUEST_IID
    action: stop
  script:
    - trailboss preview delete "mr-$CI_MERGE_REQUEST_IID" <source>--yes
"""
TESTS = """\
    - trailboss test e2e --env "mr-$CI_MERGE_REQUEST_IID"
"""
DEPLOY = """
<group>-<environment>:
  extends: .<group>
  stage: deploy
<needs>  rules:
    - if: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == <branch>
<manual>  interruptible: false
  timeout: <minutes> minutes
  resource_group: <group>-<environment>
  environment:
    name: <environment>
  # Ends with 4 when the gates said no: then all traffic is back on the version before.
  script:
    - <command>
  after_script:
    - |
      if [ "$CI_JOB_STATUS" = canceled ]; then
        <enter>trailboss release abort <flag> --yes --message "the pipeline was cancelled"
      fi
"""
MANUAL = """\
      when: manual
  allow_failure: false
"""


def pipeline_file(pipeline: Pipeline) -> str:
    """The text of the pipeline."""
    names = dict.fromkeys(name for stage in pipeline.stages for name in stage.secrets)
    parts = [_base(pipeline), _plan(pipeline), _environment(pipeline)]
    for before, stage in zip((None, *pipeline.stages), pipeline.stages, strict=False):
        parts.append(_deploy(pipeline, stage, before))
    return sign(fill(HEAD, names=", ".join(names)), "".join(parts))


def path(pipeline: Pipeline) -> str:
    """Where it is written."""
    return pipeline.file or ".gitlab-ci.yml"


def _group(pipeline: Pipeline) -> str:
    return f"trailboss-{pipeline.project}" if pipeline.folder else "trailboss"


def _base(pipeline: Pipeline) -> str:
    more = [f"cd {json.dumps(pipeline.folder)}"] if pipeline.folder else []
    more += [pipeline.dependencies] if pipeline.dependencies else []
    lines = "".join(f"    - {scalar(line)}\n" for line in more)
    install = scalar(f"pip install --quiet {shlex.quote(pipeline.install)}")
    text = fill(BASE, group=_group(pipeline), image=IMAGE, install=install, more=lines)
    return text.rstrip("\n") + "\n"


def _plan(pipeline: Pipeline) -> str:
    first = pipeline.stages[0]
    return fill(
        PLAN,
        previews="".join(
            fill(PREVIEW, flag=choosing(first, key), worker=name) for name, key in pipeline.previews
        ),
        group=_group(pipeline),
        minutes=SHORT,
        environments=" ".join(stage.name or '""' for stage in pipeline.stages),
        marker=marker(pipeline.project),
    )


def _environment(pipeline: Pipeline) -> str:
    """The jobs of a merge request's environment; GitLab ends it with the request, or when its time has
    come."""
    if not pipeline.expires:
        return ""
    days = f"{pipeline.expires[:-1]} {'days' if pipeline.expires.endswith('d') else 'hours'}"
    return fill(
        ENVIRONMENT,
        group=_group(pipeline),
        days=days,
        expires=pipeline.expires,
        source=copying(pipeline.source),
        tests=TESTS if pipeline.tests else "",
    )


def _deploy(pipeline: Pipeline, stage: Stage, before: Stage | None) -> str:
    group = _group(pipeline)
    return fill(
        DEPLOY,
        needs=f"  needs: [{group}-{before.title}]\n" if before else "",
        manual=MANUAL if before else "",
        group=group,
        environment=stage.title,
        branch=json.dumps(pipeline.branch),
        minutes=stage.minutes,
        command=deploying(stage, before),
        enter=f"cd {json.dumps(pipeline.folder)} && " if pipeline.folder else "",
        flag=flag(stage),
    )
