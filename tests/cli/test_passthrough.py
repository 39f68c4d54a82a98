"""What is wrangler's goes to wrangler as it was typed: words, input, exit status, signals, terminal."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sandbox

FAKE = Path(__file__).parent / "fake_wrangler.js"
TRAILBOSS = [sys.executable, "-m", "trailboss"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that brings its own wrangler: the fake one."""
    package = tmp_path / "node_modules" / "wrangler"
    (package / "bin").mkdir(parents=True)
    shutil.copy(FAKE, package / "bin" / "wrangler.js")
    (package / "package.json").write_text(json.dumps({"name": "wrangler", "version": "4.999.0"}))
    return tmp_path


def start(folder: Path, *words: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environ}
    return subprocess.run(
        [*TRAILBOSS, *words], cwd=folder, env=env, input=stdin, capture_output=True, text=True
    )


def told(folder: Path, *words: str, **environ: str) -> dict[str, Any]:
    done = start(folder, *words, **environ)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("pages deploy out --branch main", "pages deploy out --branch main"),
        ("kv:namespace create agency-cache", "kv namespace create agency-cache"),
        ("--env staging d1 list --json", "--env staging d1 list --json"),
        ("types --env-interface E", "types --env-interface E"),
        ("secrets-store store list --remote", "secrets-store store list --remote"),
        ("wrangler deployments status", "deployments status"),
        ("d1 list --no-color --stats --verbose", "d1 list"),
        ("vectorize query i -- --target x", "vectorize query i -- --target x"),
        ("deploy --metafile m.json", "deploy --metafile m.json"),
        ("tail example.com/*", "tail example.com/*"),
        ("a-command-of-next-year --flag", "a-command-of-next-year --flag"),
    ],
)
def test_the_words_arrive_as_typed(folder: Path, words: str, wanted: str) -> None:
    assert told(folder, *words.split())["args"] == wanted.split()


def test_it_says_why_a_command_of_ours_went_to_wrangler(folder: Path) -> None:
    done = start(folder, "deploy", "--metafile", "m.json")
    assert "--metafile is not an option of ours" in done.stderr
    assert "goes to wrangler" in done.stderr


def test_a_folder_without_a_configuration_may_be_set_up_by_wrangler(folder: Path) -> None:
    """Wrangler knows frameworks and static sites; it finds the project's programs as under npx."""
    (folder / "package.json").write_text("{}")
    programs = folder / "node_modules" / ".bin"
    programs.mkdir()
    found = told(folder, "deploy", "--name", "site")
    assert found["args"] == ["deploy", "--name", "site"]
    assert found["env"]["PATH"].startswith(f"{programs}{os.pathsep}")
    refused = start(folder, "deploy", "--json")  # which wrangler does not know here
    assert json.loads(refused.stdout)["error"]["code"] == "TB1001"


def test_a_profile_is_a_login_of_wranglers(folder: Path) -> None:
    assert told(folder, "whoami", "--profile", "work")["args"] == ["whoami", "--profile", "work"]


def test_input_and_status_are_wranglers(folder: Path) -> None:
    done = start(folder, "pages", "deploy", stdin="from a pipe", FAKE_STATUS="7")
    assert done.returncode == 7
    assert json.loads(done.stdout)["stdin"] == "from a pipe"
    assert done.stderr == ""


def test_cwd_is_done_before(folder: Path, tmp_path: Path) -> None:
    (folder / "sub").mkdir()
    found = told(folder, "--cwd", "sub", "pages", "list")
    assert found["cwd"] == str(folder / "sub")
    assert found["args"] == ["pages", "list"]


def test_without_a_target_the_environment_is_left_alone(folder: Path) -> None:
    given = {"CLOUDFLARE_API_KEY": "k", "CLOUDFLARE_EMAIL": "e@example.com", "CLOUDFLARE_ENV": "staging"}
    found = told(folder, "d1", "list", **given)
    assert {name: found["env"].get(name) for name in given} == given
    assert "CLOUDFLARE_API_BASE_URL" not in found["env"]


def test_a_target_is_put_into_the_environment(folder: Path, target: Sandbox) -> None:
    given = {"CLOUDFLARE_API_KEY": "k", "CLOUDFLARE_EMAIL": "e@example.com", "CF_API_TOKEN": "old"}
    found = told(folder, "d1", "list", "--target", "sandbox:test", **given)
    assert found["args"] == ["d1", "list"]
    assert found["env"].pop("PATH")
    assert found["env"] == {
        "CLOUDFLARE_API_BASE_URL": target.connection.api_url,
        "CLOUDFLARE_API_TOKEN": target.connection.token,
        "CLOUDFLARE_ACCOUNT_ID": target.connection.account_id,
        "NO_COLOR": "1",
    }


def test_an_environment_that_was_detected_is_handed_on(folder: Path, target: Sandbox) -> None:
    (folder / "wrangler.jsonc").write_text('{"name": "w", "env": {"staging": {}}}')
    found = told(folder, "d1", "list", TRAILBOSS_ENV="staging")
    assert found["env"]["CLOUDFLARE_ENV"] == "staging"


def test_an_environment_of_trailboss_toml_is_written_out(folder: Path, target: Sandbox) -> None:
    (folder / "wrangler.jsonc").write_text(
        '{"name": "w", "main": "src/x.ts", "d1_databases": [{"binding": "DB", "database_name": "db"}]}'
    )
    (folder / "trailboss.toml").write_text("[environments.staging]\n")
    found = told(folder, "d1", "migrations", "apply", "db-staging", "--remote", "-e", "staging")
    assert found["args"][:-1] == ["d1", "migrations", "apply", "db-staging", "--remote", "--config"]
    flat = json.loads(Path(found["args"][-1]).read_text())
    assert (flat["name"], flat["main"]) == ("w-staging", str(folder / "src" / "x.ts"))
    assert flat["d1_databases"][0]["database_name"] == "db-staging"
    assert flat["d1_databases"][0]["migrations_dir"] == str(folder / "migrations")
    detected = told(folder, "triggers", "deploy", TRAILBOSS_ENV="staging")
    assert detected["args"][:3] == ["triggers", "deploy", "--config"]
    assert "CLOUDFLARE_ENV" not in detected["env"]
    assert told(folder, "types", "--env", "staging")["args"] == ["types", "--env", "staging"]
    assert told(folder, "triggers", "deploy")["args"] == ["triggers", "deploy"]
    (folder / "wrangler.jsonc").write_text('{"name": "w", "main": "src/x.ts", "env": {"other": {}}}')
    assert told(folder, "types", "--env", "staging", "--x")["args"] == ["types", "--x"]


def test_a_sandbox_that_is_not_running_stops_only_what_needs_it(folder: Path, tmp_path: Path) -> None:
    home = {"TRAILBOSS_SANDBOX_HOME": str(tmp_path / "none"), "TRAILBOSS_TARGET": "sandbox"}
    done = start(folder, "d1", "list", **home)
    assert done.returncode == 1
    assert "TB5901" in done.stderr
    assert told(folder, "types", **home)["args"] == ["types"]
    assert told(folder, "d1", "list", "--help", **home)["args"] == ["d1", "list", "--help"]


def test_ctrl_c_reaches_wrangler(folder: Path) -> None:
    process = subprocess.Popen([*TRAILBOSS, "wait"], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 42
    process.stdout.close()


def test_wrangler_keeps_the_terminal(folder: Path) -> None:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*TRAILBOSS, "pages", "list"], cwd=folder, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    assert process.wait(timeout=20) == 0
    text = os.read(controller, 65536).decode()
    os.close(controller)
    assert json.loads(text)["tty"] is True


def test_the_pinned_wrangler_answers_where_a_project_has_none(tmp_path: Path) -> None:
    done = start(tmp_path, "wrangler", "--version")
    assert done.returncode == 0
    assert done.stdout.strip() == "4.164.0"
