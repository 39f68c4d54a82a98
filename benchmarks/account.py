"""A sandbox of the benchmark's own, and the two command lines that are compared against it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailboss.sandbox import process
from trailboss.toolchain import ensure

EXAMPLES = Path(__file__).parent.parent / "examples"


@dataclass
class Account:
    """One running sandbox; `environ` points both command lines at it."""

    connection: process.Connection
    environ: dict[str, str]
    scratch: Path

    def project(self, name: str, example: str = "hello") -> Path:
        """A copy of an example under a Worker name of its own."""
        folder = self.scratch / name
        shutil.copytree(EXAMPLES / example, folder, ignore=shutil.ignore_patterns(".wrangler", ".trailboss"))
        config = folder / "wrangler.jsonc"
        config.write_text(config.read_text().replace(f'"{example}"', f'"{name}"'))
        return folder

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the sandbox's own control plane."""
        request = urllib.request.Request(
            f"{self.connection.control_url}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.connection.token}"},
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)["result"]

    def latency(self, milliseconds: float) -> None:
        """Let every API call take this much longer."""
        rules = [{"effect": "latency", "latency_ms": milliseconds}] if milliseconds else []
        self.control("PUT", "faults", rules)

    def calls(self) -> int:
        """How many API calls were made since the last time this was asked."""
        seen = self.control("GET", "journal?limit=100000")
        count = sum(not entry["path"].startswith("/_sandbox") for entry in seen)
        self.control("DELETE", "journal")
        return count

    def trailboss(self, folder: Path, *words: str) -> str:
        """What trailboss printed; a failure shows what it said."""
        return self._run(folder, [sys.executable, "-m", "trailboss", *words])

    def wrangler(self, folder: Path, *words: str) -> str:
        """What the pinned wrangler printed; a failure shows what it said."""
        tools = ensure()
        return self._run(folder, [str(tools.node), "--no-warnings", str(tools.wrangler), *words])

    def ask(self, path: str, headers: dict[str, str]) -> int:
        """The status of one request to a Worker, by the sandbox's edge."""
        request = urllib.request.Request(f"{self.connection.edge_url}{path}", headers=headers)
        with urllib.request.urlopen(request) as response:
            return int(response.status)

    def _run(self, folder: Path, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=folder, env=self.environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command[-4:])} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout


@contextmanager
def account() -> Iterator[Account]:
    """A fresh sandbox on ports of its own, stopped and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="trailboss-benchmark-") as name:
        scratch = Path(name)
        home = scratch / "sandbox"
        connection = process.start(home=home, port=0, edge_port=0)
        try:
            yield Account(connection, _environ(connection, home), scratch)
        finally:
            process.stop(home=home)


def _environ(connection: process.Connection, home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "TRAILBOSS_SANDBOX_HOME": str(home),
        "TRAILBOSS_TARGET": "sandbox",
        "CLOUDFLARE_API_BASE_URL": connection.api_url,
        "CLOUDFLARE_API_TOKEN": connection.token,
        "CLOUDFLARE_ACCOUNT_ID": connection.account_id,
        "WRANGLER_SEND_METRICS": "false",
        "CI": "true",
    }
