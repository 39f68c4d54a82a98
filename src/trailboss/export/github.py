"""The pipeline as a workflow of GitHub Actions.

The only action is the one that checks out the repository, pinned by its commit; the rest are commands that
GitHub's runners have. The job that may write comments runs nothing of the repository's. Secrets are given
to the commands that need them, not to whole jobs: what a package's install script sees is none of them.
Syntax: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import json
import re
import shlex
from textwrap import indent

from trailboss.export.generated import sign
from trailboss.export.pipeline import SHORT, Pipeline, Stage

RUNNER = "ubuntu-24.04"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
VARIABLES = ("CLOUDFLARE_ACCOUNT_ID", "OP_CONNECT_HOST")
"""No secrets: they are read from the repository's variables."""

HEAD = """\
# Made by `trailboss ci init github`; run it again when environments change. Settings: [ci] in trailboss.toml.
"""
TOP = """
name: <title>

on:
  pull_request:
    branches: [<branch>]
<types>  push:
    branches: [<branch>]
<schedule>
permissions: {}

jobs:
"""
TYPES = """\
    types: [opened, synchronize, reopened, closed]
"""
SCHEDULE = """\
  schedule:
    - cron: "17 3 * * *"
"""
PLAN = """\
plan:
  name: Plan
  # A pull request of a fork gets no secrets, so there is nothing it could ask.
  if: >-
    github.event_name == 'pull_request' &&
    github.event.pull_request.head.repo.full_name == github.repository<open>
  runs-on: <runner>
  timeout-minutes: <minutes>
  permissions:
    contents: read
  concurrency:
    group: <group>-plan-${{ github.event.pull_request.number }}
    cancel-in-progress: true
<defaults>  outputs:
    comment: ${{ steps.plan.outputs.comment }}
  steps:
<setup><previews>    - name: Plan
      id: plan
      env:
<secrets>      run: |
        status=0
        trailboss ci comment <environments> --previews "$RUNNER_TEMP" > "$RUNNER_TEMP/comment.md" || status=$?
        end=$(openssl rand -hex 16)
        { echo "comment<<$end"; cat "$RUNNER_TEMP/comment.md"; echo "$end"; } >> "$GITHUB_OUTPUT"
        exit "$status"
<tests>
comment:
  name: Comment
  needs: plan
  if: ${{ !cancelled() && needs.plan.outputs.comment != '' }}
  runs-on: <runner>
  timeout-minutes: 5
  permissions:
    pull-requests: write
  concurrency:
    group: <group>-comment-${{ github.event.pull_request.number }}
    cancel-in-progress: false
  steps:
    - name: Write the comment, or update the one that is there
      env:
        GH_TOKEN: ${{ github.token }}
        BODY: ${{ needs.plan.outputs.comment }}
        NUMBER: ${{ github.event.pull_request.number }}
      run: |
        printf '%s\\n' "$BODY" > comment.md
        comments="repos/$GITHUB_REPOSITORY/issues"
        found=$(gh api --paginate "$comments/$NUMBER/comments" --jq \\
          '.[] | select(.user.type == "Bot" and (.body | startswith("<marker>"))) | .id')
        if [ -n "$found" ]; then
          gh api --silent --method PATCH "$comments/comments/${found%%[!0-9]*}" --field body=@comment.md
        else
          gh api --silent "$comments/$NUMBER/comments" --field body=@comment.md
        fi
"""
PREVIEW = """\
    - name: Preview of <worker>
      continue-on-error: true
      env:
        ALIAS: pr-${{ github.event.pull_request.number }}
<secrets>      run: |
        trailboss versions upload <flag> --preview-alias "$ALIAS" --json \\
          > "$RUNNER_TEMP/preview-<worker>.json"
"""
ENVIRONMENT = """\
    - name: Preview in an environment of its own
      id: preview
      continue-on-error: true
      env:
        NAME: pr-${{ github.event.pull_request.number }}
<secrets>      run: |
        trailboss preview "$NAME" <source>--expires <expires> --json > "$RUNNER_TEMP/preview-<project>.json"
"""
TESTS = """\
    - name: End-to-end tests
      if: steps.preview.outcome == 'success'
      run: trailboss test e2e --url "$(jq -r .url "$RUNNER_TEMP/preview-<project>.json")"
"""
ENDING = """
close:
  name: End the preview
  if: >-
    github.event_name == 'pull_request' && github.event.action == 'closed' &&
    github.event.pull_request.head.repo.full_name == github.repository
  runs-on: <runner>
  timeout-minutes: <minutes>
  permissions:
    contents: read
  concurrency:
    group: <group>-plan-${{ github.event.pull_request.number }}
    cancel-in-progress: true
<defaults>  steps:
<setup>    - name: Delete what it had
      env:
        NAME: pr-${{ github.event.pull_request.number }}
<secrets>      run: trailboss preview delete "$NAME" <source>--yes

reap:
  name: End forgotten previews
  if: github.event_name == 'schedule'
  runs-on: <runner>
  timeout-minutes: <minutes>
  permissions:
    contents: read
  concurrency:
    group: <group>-reap
    cancel-in-progress: false
<defaults>  steps:
<setup>    - name: Take away every environment whose time has come
      env:
<secrets>      run: trailboss environments reap --yes
"""
DEPLOY = """
<id>:
  name: <name>
<condition>  runs-on: <runner>
  timeout-minutes: <minutes>
  environment: <environment>
  permissions:
    contents: read
  concurrency:
    group: <group>-<environment>
    cancel-in-progress: false
<defaults>  steps:
<setup>    # Ends with 4 when the gates said no: then all traffic is back on the version before.
    - name: <name>
      env:
<secrets>      run: <command>
    - name: Give traffic back when this is cancelled
      if: cancelled()
      env:
<secrets>      run: trailboss release abort <flag> --yes --message "the pipeline was cancelled"
"""
SETUP = """\
    - uses: <checkout>
      with:
        persist-credentials: false
    - name: Install Trailboss
      run: <install>
"""
DEPENDENCIES = """\
    - name: Install dependencies
      run: <dependencies>
"""
DEFAULTS = """\
  defaults:
    run:
      working-directory: <folder>
"""


def workflow(pipeline: Pipeline) -> str:
    """The text of the workflow file."""
    jobs = [_plan(pipeline), *([_ending(pipeline)] if pipeline.expires else [])]
    for before, stage in zip((None, *pipeline.stages), pipeline.stages, strict=False):
        jobs.append(_deploy(pipeline, stage, before))
    title = f"Trailboss: {pipeline.project}" if pipeline.folder else "Trailboss"
    top = fill(
        TOP,
        title=json.dumps(title),
        branch=json.dumps(pipeline.branch),
        types=TYPES if pipeline.expires else "",
        schedule=SCHEDULE if pipeline.expires else "",
    )
    return sign(HEAD, top + indent("".join(jobs), "  "))


def path(pipeline: Pipeline) -> str:
    """Where it is written: one file for each project of the repository."""
    name = f"trailboss-{pipeline.project}" if pipeline.folder else "trailboss"
    return pipeline.file or f".github/workflows/{name}.yml"


def fill(text: str, **values: object) -> str:
    """`text` with `<name>` replaced by the value of that name."""
    for name, value in values.items():
        text = text.replace(f"<{name}>", str(value))
    return text


def scalar(text: str) -> str:
    """`text` as one value of YAML: as it is where that cannot be misread, else quoted."""
    return text if re.fullmatch(r"[A-Za-z][\w ./=@+-]*", text) else json.dumps(text)


def marker(project: str) -> str:
    """The first line of a comment, by which it is found again."""
    return f"<!-- trailboss {project} -->"


def flag(stage: Stage) -> str:
    """The option that chooses its environment, whatever branch or variables say."""
    return f"--env {stage.name}" if stage.name else '--env=""'


def copying(source: str) -> str:
    """The option that makes an environment a copy of this one."""
    return f"--from {source} " if source else ""


def choosing(stage: Stage, key: str) -> str:
    """The options that choose one Worker of an environment."""
    return f"{flag(stage)} --name {key}" if key else flag(stage)


def deploying(stage: Stage, before: Stage | None) -> str:
    """The command that brings a commit into `stage`: built once, then the same bytes."""
    said = f"promote {before.name} {stage.name}" if before else f"deploy {flag(stage)}"
    return f"trailboss {said} --strategy {stage.strategy}" if stage.strategy else f"trailboss {said}"


def _plan(pipeline: Pipeline) -> str:
    first = pipeline.stages[0]
    names = dict.fromkeys(name for stage in pipeline.stages for name in stage.secrets)
    previews = _environment(pipeline) + "".join(
        fill(PREVIEW, worker=worker, flag=choosing(first, key), secrets=_secrets(first.secrets))
        for worker, key in pipeline.previews
    )
    return fill(
        PLAN,
        setup=_setup(pipeline),
        previews=previews,
        open=" &&\n    github.event.action != 'closed'" if pipeline.expires else "",
        defaults=_defaults(pipeline),
        secrets=_secrets(tuple(names)),
        tests=fill(TESTS, project=pipeline.project) if pipeline.expires and pipeline.tests else "",
        environments=" ".join(stage.name or '""' for stage in pipeline.stages),
        runner=RUNNER,
        minutes=SHORT,
        group=_group(pipeline),
        marker=marker(pipeline.project),
    )


def _environment(pipeline: Pipeline) -> str:
    """The step that gives a pull request an environment; nothing where it gets none."""
    if not pipeline.expires:
        return ""
    first, project = pipeline.stages[0], pipeline.project
    return fill(
        ENVIRONMENT,
        secrets=_secrets(first.secrets),
        project=project,
        expires=pipeline.expires,
        source=copying(pipeline.source),
    )


def _ending(pipeline: Pipeline) -> str:
    """The jobs that take previews away: with their pull request, and when their time has come."""
    first = pipeline.stages[0]
    return fill(
        ENDING,
        source=copying(pipeline.source),
        setup=_setup(pipeline),
        secrets=_secrets(first.secrets),
        defaults=_defaults(pipeline),
        runner=RUNNER,
        minutes=SHORT,
        group=_group(pipeline),
    )


def _deploy(pipeline: Pipeline, stage: Stage, before: Stage | None) -> str:
    condition = f"  needs: {before.title}\n" if before else "  if: github.event_name == 'push'\n"
    return fill(
        DEPLOY,
        setup=_setup(pipeline),
        secrets=_secrets(stage.secrets),
        defaults=_defaults(pipeline),
        condition=condition,
        id=stage.title,
        name=f"Promote to {stage.title}" if before else f"Deploy to {stage.title}",
        runner=RUNNER,
        minutes=stage.minutes,
        environment=stage.title,
        group=_group(pipeline),
        command=deploying(stage, before),
        flag=flag(stage),
    )


def _group(pipeline: Pipeline) -> str:
    return f"trailboss-{pipeline.project}"


def _setup(pipeline: Pipeline) -> str:
    text = fill(SETUP, checkout=CHECKOUT, install=scalar(f"pipx install {shlex.quote(pipeline.install)}"))
    return text + (fill(DEPENDENCIES, dependencies=pipeline.dependencies) if pipeline.dependencies else "")


def _defaults(pipeline: Pipeline) -> str:
    return fill(DEFAULTS, folder=json.dumps(pipeline.folder)) if pipeline.folder else ""


def _secrets(names: tuple[str, ...]) -> str:
    kinds = {name: "vars" if name in VARIABLES else "secrets" for name in names}
    return "".join(f"        {name}: ${{{{ {kind}.{name} }}}}\n" for name, kind in kinds.items())
