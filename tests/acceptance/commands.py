"""The user's own list of commands: read from beside the project when it is there, else nothing to run."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).parents[3] / "shared" / "acceptance" / "commands.toml"


def step(number: int) -> list[str]:
    """The commands of one step, as written; empty where the list is not beside the project."""
    if not LIST.exists():
        return []
    found = [item for item in tomllib.loads(LIST.read_text())["step"] if item["n"] == number]
    return list(found[0]["commands"])


@dataclass
class Shell:
    """A shell in the project's folder, as in a pipeline: no terminal, variables given."""

    folder: Path
    environ: dict[str, str]

    def run(self, command: str) -> str:
        """Run one command of the list, `trailboss` being this one; what it printed.

        A tail is ended by Ctrl-C as soon as it is connected."""
        words = shlex.split(command)
        assert words[0] == "trailboss", command
        child = subprocess.Popen(
            [sys.executable, "-m", "trailboss", *words[1:]],
            cwd=self.folder,
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if "tail" in words:
            return self._until_connected(child, command)
        out, err = child.communicate(timeout=120)
        assert child.returncode == 0, f"{command}\n{out}\n{err}"
        return out + err

    def _until_connected(self, child: subprocess.Popen[str], command: str) -> str:
        assert child.stderr is not None
        said = ""
        for line in child.stderr:
            said += line
            if "Connected" in line:
                break
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
        assert child.returncode == 130, f"{command}\n{said}\n{out}\n{err}"
        return said + out + err
