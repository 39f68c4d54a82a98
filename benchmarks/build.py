"""How long a build takes: from the cache, and afresh, against wrangler's dry run of the same project.

Each of ours is a call in this process, as a command makes it after loading; wrangler's is a process, for
that is how it is had. The second table has 20,000 static assets: read first, and when nothing changed.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import ms, once, pairs, table
from trailboss.build import BuildCache, build
from trailboss.build.assets import scan
from trailboss.build.wrangler import Wrangler, environment, find
from trailboss.config import Project, Worker

ROOT = Path(__file__).parent.parent
PROJECTS = ("tests/build/corpus/typescript", "tests/build/corpus/nodejs-compat", "examples/agency")
FILES = 20_000


def _dry_run(wrangler: Wrangler, worker: Worker, scratch: Path) -> None:
    command = [str(wrangler.node), "--no-warnings", str(wrangler.script), "deploy", "--dry-run"]
    subprocess.run(
        [*command, "--env", "", "--outfile", str(scratch / "form")],
        cwd=worker.directory,
        env=environment(scratch / "logs", os.environ),
        check=True,
        capture_output=True,
    )


def _projects(scratch: Path) -> None:
    rows = []
    for name in PROJECTS:
        folder = scratch / Path(name).name
        shutil.copytree(ROOT / name, folder, ignore=shutil.ignore_patterns("node_modules", ".wrangler"))
        worker = Project.load(folder, environment="", environ={}).workers[0]
        wrangler = find(worker.directory)
        cache = BuildCache(scratch / "cache")
        hit = pairs(
            lambda w=worker, c=cache: build(w, cache=c),
            lambda w=worker, tool=wrangler: _dry_run(tool, w, scratch),
        )
        fresh = once(lambda w=worker: build(w, cache=BuildCache(scratch / "empty"), use_cache=False))
        rows.append((Path(name).name, ms(hit.ours), ms(fresh), ms(hit.peer), f"{hit.ratio:.0f} x"))
    table(("project", "from the cache", "afresh", "wrangler --dry-run", "cache against wrangler"), rows)


def _assets(scratch: Path) -> None:
    folder = scratch / "assets"
    for number in range(200):
        (folder / str(number)).mkdir(parents=True)
        for other in range(FILES // 200):
            (folder / str(number) / f"{other}.html").write_text(f"<p>{number} {other}</p>" * 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first = once(lambda: scan(folder, {}, index=scratch / "index"))
    again = min(once(lambda: scan(folder, {}, index=scratch / "index")) for _ in range(3))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print()
    table(("assets", "first", "unchanged", "memory"), [(FILES, ms(first), ms(again), f"+{grown:.0f} MiB")])


def main() -> None:
    """Print one row per project, then the assets."""
    with tempfile.TemporaryDirectory() as folder:
        _projects(Path(folder))
        _assets(Path(folder))


if __name__ == "__main__":
    main()
