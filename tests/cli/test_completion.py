"""What a shell is told when Tab is pressed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss


def offered(trailboss: Trailboss, *words: str) -> set[str]:
    return {line.split("\t")[0] for line in trailboss("complete", "--", *words).out.splitlines()}


def test_words(trailboss: Trailboss, hello: Path) -> None:
    assert {"deploy", "deployments", "versions"} <= offered(trailboss, "")
    assert offered(trailboss, "vec") == {"vectorize"}
    assert offered(trailboss, "versions", "") == {"upload", "list", "view", "deploy", "secret"}
    assert offered(trailboss, "versions", "--env", "x", "l") == {"list"}
    assert {"--dry-run", "--env", "--no-minify"} <= offered(trailboss, "deploy", "--")
    assert offered(trailboss, "deploy", "--target", "s") == {"sandbox"}
    assert offered(trailboss, "completion", "f") == {"fish"}
    assert offered(trailboss, "pages", "--") == set()


def test_environments_come_from_the_project(trailboss: Trailboss, tmp_path: Path) -> None:
    (tmp_path / "trailboss.toml").write_text("[environments.staging]\n[environments.production]\n")
    assert offered(trailboss, "deploy", "--env", "") == {"production", "staging"}
    (tmp_path / "trailboss.toml").write_text("[broken")
    assert offered(trailboss, "deploy", "--env", "") == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_call_back(trailboss: Trailboss, shell: str) -> None:
    assert "trailboss complete --" in trailboss("completion", shell).out
    assert trailboss("completion", shell, "--json").json["shell"] == shell


def test_bash_completes(trailboss: Trailboss) -> None:
    bash = shutil.which("bash")
    assert bash
    script = trailboss("completion", "bash").out
    asked = (
        f'{script}\nCOMP_WORDS=(trailboss versions li); COMP_CWORD=2; _trailboss; echo "${{COMPREPLY[@]}}"'
    )
    folder = Path(sys.executable).parent
    done = subprocess.run(
        [bash, "-c", asked],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )
    assert done.stdout.strip() == "list"
