"""Step 11, run as written in a shell like a container's: only what a pipeline gives is in its environment.
Then the jobs of the pipeline that it wrote."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.commands import step
from tests.conftest import Sandbox
from tests.export.conftest import valid
from trailboss.toolchain.folders import cache_root

EXAMPLE = Path(__file__).parents[2] / "examples" / "agency"
KINDS = (
    "workers/scripts",
    "d1/database",
    "storage/kv/namespaces",
    "r2/buckets",
    "queues",
    "vectorize/v2/indexes",
)
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")


class Container:
    """A checkout of the example at a commit, and the shell of a job."""

    def __init__(self, folder: Path, account: Sandbox) -> None:
        self.folder = folder
        self.account = account
        programs = folder.parent / "bin"
        programs.mkdir()
        (programs / "trailboss").write_text(f'#!/bin/sh\nexec {sys.executable} -m trailboss "$@"\n')
        (programs / "trailboss").chmod(0o755)
        home = folder.parent / "home"
        home.mkdir()
        cache = folder.parent / "cache"
        cache.mkdir()
        (cache / "toolchain").symlink_to(cache_root() / "toolchain")
        self.environ = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "CI": "true",
            "TRAILBOSS_CACHE_DIR": str(cache),
            "WRANGLER_SEND_METRICS": "false",
            "TRAILBOSS_SANDBOX_HOME": str(account.home),
            "TRAILBOSS_TARGET": "sandbox:test",
        }

    def commit(self, message: str) -> str:
        """A commit of everything here, which the job's variables name from now on."""
        subprocess.run([*GIT, "add", "-A"], cwd=self.folder, check=True)
        subprocess.run([*GIT, "commit", "-qm", message], cwd=self.folder, check=True)
        sha = subprocess.run(
            [*GIT, "rev-parse", "HEAD"], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()
        self.environ["GITHUB_SHA"] = sha
        return sha

    def start(self, line: str) -> subprocess.Popen[str]:
        """One line of the job."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            ["/bin/sh", "-c", line],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )

    def run(self, line: str) -> str:
        """One line to its end."""
        child = self.start(line)
        try:
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
        assert child.returncode == 0, f"{line}\n{out}\n{err}"
        return out + err

    def kill(self, line: str, at: str) -> None:
        """One line, ended by SIGKILL when it says `at`."""
        child = self.start(f"exec {line}")
        assert child.stderr is not None
        assert any(at in said for said in child.stderr)
        child.kill()
        child.communicate(timeout=10)
        assert child.returncode == -signal.SIGKILL

    def job(self, steps: list[dict[str, Any]], **more: str) -> str:
        """The commands of a pipeline's job, with `more` in their environment; installing is done already."""
        commands = [step["run"] for step in steps if "run" in step and "if" not in step]
        before, self.environ = self.environ, {**self.environ, **more}
        said = "".join(self.run(line) for line in commands if not line.startswith("pipx install"))
        self.environ = before
        return said

    def tail(self, line: str, script: str) -> None:
        """A tail in the background, which ends by itself; one request meanwhile."""
        child = self.start(line.replace(" tail ", " tail --for 3 "))
        assert child.stderr is not None
        assert any("Connected" in said for said in child.stderr)
        self.account.worker(script, "/seen-by-the-tail")
        _, err = child.communicate(timeout=30)
        assert child.returncode == 0, err


@pytest.fixture
def container(account: Sandbox, tmp_path: Path) -> Container:
    folder = tmp_path / "agency"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".wrangler", ".trailboss", "node_modules"))
    (folder / ".gitignore").write_text(".wrangler/\n.trailboss/\nlogs.json\n")
    subprocess.run(["git", "init", "-qb", "main"], cwd=folder, check=True)
    made = Container(folder, account)
    made.commit("as it was")
    return made


def whole(account: Sandbox, script: str) -> dict[str, Any]:
    """The version that has all traffic."""
    path = f"{account.account}/workers/scripts/{script}"
    [share] = account.call("GET", f"{path}/deployments")["deployments"][0]["versions"]
    assert share["percentage"] == 100
    found: dict[str, Any] = account.call("GET", f"{path}/versions/{share['version_id']}")
    return found


def held(account: Sandbox) -> str:
    """All that the account has of the kinds of the example, and what it notes of environments."""
    own = account.connection.account_id
    tags = account.call("GET", f"{account.account}/tags?resource_type=account&resource_id={own}")["tags"]
    return json.dumps([tags, *(account.call("GET", f"{account.account}/{path}") for path in KINDS)])


def edit(container: Container, answer: str) -> str:
    """Another commit: the Worker answers `/which` with `answer`."""
    source = container.folder / "src" / "index.ts"
    line = "async fetch(request, env, context): Promise<Response> {"
    text = re.sub(r"\n *if \(request.url.endsWith\(./which.*", "", source.read_text())
    assert line in text
    more = f'if (request.url.endsWith("/which")) return new Response("{answer}");'
    source.write_text(text.replace(line, f"{line}\n    {more}"))
    return container.commit(answer)


def test_step_11_a_pull_request_with_an_environment_of_its_own(
    container: Container, account: Sandbox, tmp_path: Path
) -> None:
    with (container.folder / "trailboss.toml").open("a") as settings:
        settings.write('\n[ci]\npreview = "environment"\n')
    container.run("trailboss ci init github")
    file = container.folder / ".github" / "workflows" / "trailboss.yml"
    jobs = valid("github", file.read_text())["jobs"]
    edit(container, "tried")
    runner = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "output"), "NAME": "pr-7"}
    container.job(jobs["plan"]["steps"], **runner)
    assert account.worker("agency-pr-7", "/which").text == "tried"
    assert "agency-pr-7." in (tmp_path / "comment.md").read_text()
    assert held(account).count("-pr-7") >= len(KINDS)
    changed = subprocess.run(
        ["git", "status", "--short"], cwd=container.folder, capture_output=True, text=True
    )
    assert "??" not in changed.stdout and "M" not in changed.stdout, "a preview changes no file"
    container.job(jobs["close"]["steps"], **runner)
    assert "pr-7" not in held(account)


def test_step_12_a_performance_test_in_an_environment_of_its_own(
    container: Container, account: Sandbox
) -> None:
    with (container.folder / "trailboss.toml").open("a") as settings:
        settings.write('\n[performance]\npaths = ["/"]\nround = 0.3\nrounds = 5\nmargin = 20\n')
    commands = step(12)[1:]
    for command in commands:
        if " test performance " in command:
            container.kill(command, "round 2 of")
        container.run(command)
        if " test performance " in command:
            assert (container.folder / "performance" / "performance-testing.json").is_file()
            assert "No regression can be shown" in container.run(command)
        if " test performance " in command or " deploy " in command:
            assert held(account).count("performance-testing") >= len(KINDS)
    assert "performance-testing" not in held(account), "nothing of it is left"


def test_step_11_as_written(container: Container, account: Sandbox) -> None:
    commands = step(11)
    if not commands:
        return
    for environment in ("staging", "production"):
        container.run(f"trailboss deploy --env {environment}")
    edit(container, "new")
    for command in commands:
        if " tail " in command:
            container.tail(command, "agency-staging")
        else:
            container.run(command)
    valid("github", (container.folder / ".github" / "workflows" / "trailboss.yml").read_text())
    events = [json.loads(line) for line in (container.folder / "logs.json").read_text().splitlines()]
    assert [event["event"]["request"]["url"].endswith("/seen-by-the-tail") for event in events] == [True]
    for script in ("agency-staging", "agency-production"):
        assert account.worker(script, "/which").text == "new"


def test_step_11_the_pipeline_it_wrote(container: Container, account: Sandbox, tmp_path: Path) -> None:
    for environment in ("staging", "production"):
        container.run(f"trailboss deploy --env {environment}")
    with (container.folder / "trailboss.toml").open("a") as settings:
        settings.write('\n[environments.production.release]\nstrategy = "at-once"\nafter = ["staging"]\n')
    container.run("trailboss ci init github")
    file = container.folder / ".github" / "workflows" / "trailboss.yml"
    jobs = valid("github", file.read_text())["jobs"]
    edit(container, "first")
    container.job(jobs["staging"]["steps"])
    container.job(jobs["production"]["steps"])
    digests = {
        re.findall(r"\[(sha256:\w+)", json.dumps(whole(account, f"agency-{name}")))[0]
        for name in ("staging", "production")
    }
    assert len(digests) == 1
    assert account.worker("agency-production", "/which").text == "first"
    edit(container, "second")
    runner = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "output"), "ALIAS": "pr-7"}
    container.job(jobs["plan"]["steps"], **runner)
    comment = (tmp_path / "comment.md").read_text()
    assert comment in (tmp_path / "output").read_text()
    assert "No changes" in comment and "pr-7-agency-staging." in comment
    assert account.worker("pr-7-agency-staging", "/which").text == "second"
    assert account.worker("agency-staging", "/which").text == "first", "a pull request gets no traffic"
