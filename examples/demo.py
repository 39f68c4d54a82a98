"""The tour: a real Worker is built, uploaded, versioned, split between two versions and rolled back.

Everything happens in a sandbox account on this machine, in a folder that is removed afterwards.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
TRAILBOSS = [sys.executable, "-m", "trailboss"]
BOLD, DIM, OFF = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


class Tour:
    """One sandbox, one copy of the example Worker, and the commands run against them."""

    def __init__(self, scratch: Path) -> None:
        self.project = scratch / "hello"
        shutil.copytree(
            HERE / "hello", self.project, ignore=shutil.ignore_patterns(".wrangler", ".trailboss")
        )
        self.environ = {
            **os.environ,
            "TRAILBOSS_SANDBOX_HOME": str(scratch / "sandbox"),
            "TRAILBOSS_TARGET": "sandbox",
        }

    def say(self, text: str) -> None:
        print(f"\n{BOLD}{text}{OFF}", flush=True)

    def run(self, *words: str) -> None:
        """Show a command, run it, and let its own output speak."""
        print(f"{DIM}$ trailboss {shlex.join(words)}{OFF}", flush=True)
        subprocess.run([*TRAILBOSS, *words], cwd=self.project, env=self.environ, check=True)

    def ask(self, *words: str) -> dict[str, object]:
        """The JSON a command answers."""
        done = subprocess.run(
            [*TRAILBOSS, *words, "--json"],
            cwd=self.project,
            env=self.environ,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return json.loads(done.stdout)

    def edit(self, old: str, new: str) -> None:
        """Change the Worker's source, and show the change."""
        source = self.project / "src" / "index.ts"
        text = source.read_text()
        assert old in text
        source.write_text(text.replace(old, new))
        print(f"{DIM}  src/index.ts: {old} -> {new}{OFF}")

    def visit(self, times: int = 1) -> Counter[str]:
        """What the Worker answers, from outside, as a browser would ask."""
        connection = self.ask("sandbox", "status")
        address = f"http://hello.{connection['subdomain']}.workers.localhost:{connection['edge_port']}/"
        host = address.removeprefix("http://").rstrip("/")
        answers: Counter[str] = Counter()
        for _ in range(times):
            request = urllib.request.Request(
                f"http://127.0.0.1:{connection['edge_port']}/", headers={"Host": host}
            )
            with urllib.request.urlopen(request, timeout=10) as response:
                answers[response.read().decode().splitlines()[0]] += 1
        print(f"{DIM}$ curl {address}   ({times} times){OFF}" if times > 1 else f"{DIM}$ curl {address}{OFF}")
        for answer, count in answers.most_common():
            print(f"  {count:4d} x {answer}" if times > 1 else f"  {answer}")
        return answers


def tour(scratch: Path) -> None:
    """The story, in order."""
    guide = Tour(scratch)
    guide.say("1. A Cloudflare account, on this machine")
    guide.run("sandbox", "start", "--port", "0", "--edge-port", "0")
    try:
        guide.run("whoami")
        guide.say("2. Build and deploy a Worker (its KV namespace is created on the way)")
        guide.run("deploy")
        assert guide.visit() == {"Hello from version one": 1}
        guide.say("3. Deploy it again, unchanged: nothing to do")
        guide.run("deploy")
        guide.say("4. Upload a second version; nobody sees it yet")
        guide.edit("version one", "version two")
        guide.run("versions", "upload", "--message", "try a new greeting")
        assert guide.visit() == {"Hello from version one": 1}
        guide.run("versions", "list")
        guide.say("5. Send it a fifth of the visitors")
        guide.run("versions", "deploy", "v2@20", "v1@80", "--yes")
        assert len(guide.visit(400)) == 2
        guide.say("6. Roll back")
        guide.run("rollback", "--message", "the old greeting was better", "--yes")
        assert guide.visit(50) == {"Hello from version one": 50}
        guide.run("deployments", "list")
        guide.say("7. The real wrangler sees the same account")
        guide.run("deployments", "status")
        print(
            f"{DIM}$ wrangler deployments status   (with the variables of `trailboss sandbox env`){OFF}",
            flush=True,
        )
        guide.run("wrangler", "deployments", "status")
    finally:
        guide.run("sandbox", "stop")
    guide.say("That was a real workerd, a real upload and a real split. Next: README.md")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="trailboss-demo-") as folder:
        tour(Path(folder))
