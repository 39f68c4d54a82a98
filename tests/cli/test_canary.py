"""A marked secret goes through every command that can meet it, well and badly, and is found nowhere: not in
what is printed, logged, written or started. Only the upload's request and the runtime have it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Done, Trailboss
from tests.conftest import Sandbox
from tests.secrets.conftest import Op, op
from trailboss.toolchain import cache_root

__all__ = ["op"]
CANARY = "canary-c4a1e7"
VAULTS = {
    "Agency": [
        {
            "title": "api-staging",
            "fields": [{"label": name, "value": f"{CANARY}-{name}"} for name in ("KEY", "URL", "MORE")],
        }
    ]
}
PLACES = ("TMPDIR", "HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")


class Watch(threading.Thread):
    """Looks at the arguments and variables of every process below this one, until it is told to end."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.found: set[str] = set()
        self.seen: set[str] = set()
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.03):
            for pid in self._below(str(os.getpid())):
                for part in ("cmdline", "environ"):
                    with suppress(OSError):
                        data = Path(f"/proc/{pid}/{part}").read_bytes()
                        self.seen.add(
                            data.split(b"\0")[0].decode(errors="replace") if part == "cmdline" else ""
                        )
                        if CANARY.encode() in data:
                            self.found.add(f"{pid} {part}")

    def _below(self, pid: str) -> Iterator[str]:
        with suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                    yield child
                    yield from self._below(child)

    def end(self) -> set[str]:
        """Stop; where the value was seen."""
        self._over.set()
        self.join()
        return self.found


class Scene:
    """A project whose secrets are marked, and every place where something could be left."""

    def __init__(self, trailboss: Trailboss, folder: Path, places: Path, target: Sandbox) -> None:
        self.folder, self._trailboss, self._places, self._target = folder, trailboss, places, target
        self.journal = 0

    def run(self, *words: str, stdin: str | None = None, status: int = 0) -> Done:
        """A command that ends with `status` and shows nothing of the value."""
        done = self._trailboss(*words, stdin=stdin)
        assert done.status == status, f"{words}: {done.out}\n{done.err}"
        assert CANARY not in done.out + done.err, words
        return done

    def leaks(self) -> list[str]:
        """Files with the value: project, temporary files, caches, logs of the sandbox and of this process."""
        folders = os.walk(self._target.home)  # passes over what the sandbox removes meanwhile
        logs = [Path(at, name) for at, _, names in folders for name in names if name.endswith(".log")]
        files = [file for root in (self._places, self.folder) for file in root.rglob("*")]
        journal = json.dumps(self._target.control("GET", "journal?limit=1000"))
        found = [str(f) for f in (*files, *logs) if f.is_file() and CANARY.encode() in f.read_bytes()]
        return [*found, *(["the sandbox's journal"] if CANARY in journal else [])]


@pytest.fixture
def scene(
    op: Op, target: Sandbox, trailboss: Trailboss, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    folder, places = tmp_path / "project", tmp_path / "places"
    folder.mkdir()
    toolchain = cache_root() / "toolchain"
    for name in PLACES:
        (places / name).mkdir(parents=True)
        monkeypatch.setenv(name, str(places / name))
    monkeypatch.setattr("tempfile.tempdir", None)
    (places / "cache").mkdir()
    (places / "cache" / "toolchain").symlink_to(toolchain)
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(places / "cache"))
    monkeypatch.setenv("PATH", f"{op.folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TRAILBOSS_ENV", "staging")
    op.set(vaults=VAULTS)
    (folder / "wrangler.jsonc").write_text(
        '{"name": "api", "main": "i.js", "compatibility_date": "2026-01-01",'
        ' "secrets": {"required": ["KEY", "URL"]}}'
    )
    (folder / "i.js").write_text("export default { fetch(_, env) { return new Response(env.KEY) } }")
    (folder / "trailboss.toml").write_text("[environments.staging]\n")
    monkeypatch.chdir(folder)
    handler = logging.FileHandler(places / "log")
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    watch = Watch()
    watch.start()
    made = Scene(trailboss, folder, places, target)
    yield made
    handler.flush()
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()
    assert not watch.end()
    assert any("node" in word for word in watch.seen), "nothing was watched"
    assert CANARY not in json.dumps(op.calls)
    assert not made.leaks()


def test_what_looks_for_it_finds_it(target: Sandbox, trailboss: Trailboss, tmp_path: Path) -> None:
    scene = Scene(trailboss, tmp_path, tmp_path / "nothing", target)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"\0" + CANARY.encode())
    assert scene.leaks() == [str(tmp_path / "deep" / "file")]
    idle = "import os; os.read(0, 1)"
    for words, environ in (([CANARY], {}), ([], {"X": CANARY})):
        watch = Watch()
        watch.start()
        command = [sys.executable, "-c", idle, *words]
        with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE) as child:
            while not watch.found:
                watch.join(0.02)
            child.kill()
        assert watch.end()


def test_every_command_that_meets_it(scene: Scene, target: Sandbox) -> None:
    scene.run("op", "init", "--vault", "Agency", "--json")
    scene.run("op", "init", "--verbose")
    scene.run("secret", "bulk", ".env.staging", "--verbose", "--stats")
    scene.run("secret", "put", "MORE", "--value-from", "op://Agency/api-staging/MORE", "--json")
    scene.run("deploy", "--dry-run", "--secrets-file", ".env.staging", "--json")
    scene.run("deploy", "--outdir", "out", "--verbose", "--secrets-file", ".env.staging")
    assert target.worker("api-staging").text == f"{CANARY}-KEY"
    scene.run("versions", "upload", "--json", "--message", "again", "--secrets-file", ".env.staging")
    for words in (("secret", "list"), ("versions", "list"), ("versions", "view", "latest"), ("whoami",)):
        scene.run(*words)
        scene.run(*words, "--json")
    scene.run("versions", "secret", "bulk", ".env.staging", "--json")
    scene.run("versions", "secret", "put", "KEY", "--value-from", "op://Agency/api-staging/KEY")
    scene.run("versions", "deploy", "v3@90", "latest@10", "--yes")
    scene.run("secret", "status", "--json")
    scene.run("secret", "rotate", "KEY", "URL", "--verbose")
    scene.run("deployments", "list", "--json")
    scene.run("rollback", "--yes", "--json")
    scene.run("environments", "show", "staging", "--json")
    scene.run("doctor", "--verbose")
    scene.run("secret", "delete", "MORE", "--yes")


def test_every_way_it_can_fail(
    scene: Scene, target: Sandbox, op: Op, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scene.folder / ".env.staging").write_text(
        "KEY=op://Agency/api-staging/KEY\nURL=op://Agency/api-staging/URL\n"
    )
    scene.run("secret", "put", "A", "--value-from", f"{CANARY}", "--json", status=2)
    wrong = scene.folder / "wrong"
    for text in ("B=op://Agency/api-staging/NOPE", "B=op://No/a/b", "B=${NOPE}", "B=op://Agency/api-staging"):
        wrong.write_text(f"KEY=op://Agency/api-staging/KEY\n{text}\n")
        scene.run("secret", "bulk", "wrong", "--verbose", status=1)
        scene.run("deploy", "--secrets-file", "wrong", "--json", status=1)
    for rule in (
        {"effect": "status", "status": 400, "path": "*/secrets-bulk"},
        {"effect": "drop-after", "path": "*/secrets-bulk"},
        {"effect": "truncate", "path": "*/secrets-bulk"},
        {"effect": "status", "status": 403, "path": "*/tags"},
    ):
        target.control("PUT", "faults", [rule])
        for voice in ("--verbose", "--json"):
            done = scene._trailboss("secret", "bulk", ".env.staging", voice)
            assert CANARY not in done.out + done.err
        target.control("DELETE", "faults")
    (scene.folder / "i.js").write_text("export default {{{")
    scene.run("deploy", "--secrets-file", ".env.staging", "--verbose", status=1)
    op.set(vaults=VAULTS, says=f"(401) Unauthorized: ops_{CANARY}token has expired")
    scene.run("secret", "bulk", ".env.staging", "--json", status=1)
    op.set(vaults=VAULTS)
    _crash(monkeypatch)
    for voice in ("--verbose", "--json"):
        done = scene.run("secret", "bulk", ".env.staging", voice, status=1)
        assert "TB9999" in done.out + done.err
    assert "Traceback" in scene.run("secret", "bulk", ".env.staging", "--verbose", status=1).err


def _crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something inside breaks while the values are in the hands of the code."""

    def broken(values: object) -> None:
        raise ValueError(f"cannot handle {values!r}")

    monkeypatch.setattr("trailboss.release.secret.check_all", broken)
