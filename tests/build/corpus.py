"""The projects under corpus/, and what real wrangler makes of each; kept between test runs."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailboss.build import Options
from trailboss.build.wrangler import Wrangler
from trailboss.config import Project, Worker

SOURCE = Path(__file__).parent / "corpus"
NAMES = sorted(path.name for path in SOURCE.iterdir() if path.is_dir())


@dataclass(frozen=True)
class Case:
    """One project of the corpus, copied to where it may be built."""

    folder: Path

    @property
    def facts(self) -> dict[str, Any]:
        """`env`, `flags` for wrangler and `options` for us; see any case.json."""
        path = self.folder / "case.json"
        return json.loads(path.read_text()) if path.exists() else {}

    @property
    def worker(self) -> Worker:
        return Project.load(self.folder, environment=self.facts.get("env", ""), environ={}).worker()

    @property
    def options(self) -> Options:
        values = dict(self.facts.get("options", {}))
        if "compatibility_flags" in values:
            values["compatibility_flags"] = tuple(values["compatibility_flags"])
        return Options(**values)

    @property
    def arguments(self) -> list[str]:
        return ["--env", self.facts.get("env", ""), *self.facts.get("flags", [])]


def digest(*more: str) -> str:
    """The identity of the whole corpus and of `more`."""
    hasher = hashlib.sha256("\0".join(more).encode())
    for path in sorted(SOURCE.rglob("*")):
        if path.is_file():
            hasher.update(str(path.relative_to(SOURCE)).encode() + path.read_bytes())
    return hasher.hexdigest()[:16]


def copy_project(name: str, target: Path) -> Case:
    """`corpus/<name>` at `target`, its packages installed."""
    shutil.copytree(SOURCE / name, target)
    if (target / "packages").is_dir():
        (target / "packages").rename(target / "node_modules")
    return Case(target)


def run(wrangler: Wrangler, case: Case, arguments: list[str], environ: dict[str, str]) -> None:
    """Real wrangler in a project, quietly."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(case.folder.parent),
        "CI": "true",
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_HIDE_BANNER": "true",
        "WRANGLER_LOG_PATH": str(case.folder.parent / "logs"),
        **environ,
    }
    command = [str(wrangler.node), "--no-warnings", str(wrangler.script), *arguments]
    done = subprocess.run(command, cwd=case.folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{case.folder.name}: {done.stdout}\n{done.stderr}"


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Keeps a second test process out of `folder` while it is being filled."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def dry_runs(home: Path, wrangler: Wrangler) -> dict[str, Case]:
    """Every project with wrangler's dry run beside it: `form` and `meta.json`. Two run at a time."""
    root = home / digest(wrangler.version, str(wrangler.script))
    with one_at_a_time(home):
        if not (root / "complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            cases = {name: copy_project(name, root / name / "project") for name in NAMES}
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda case: _dry_run(wrangler, case), cases.values()))
            (root / "complete").touch()
    return {name: Case(root / name / "project") for name in NAMES}


def _dry_run(wrangler: Wrangler, case: Case) -> None:
    out = case.folder.parent
    arguments = ["deploy", "--dry-run", "--outfile", str(out / "form"), "--metafile", str(out / "meta.json")]
    run(wrangler, case, [*arguments, *case.arguments], {})
