"""Which wrangler bundles a project: its own when it is new enough, else the pinned one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trailboss.errors import BuildError
from trailboss.toolchain import cache_root, ensure, node_binary
from trailboss.toolchain.install import Toolchain, installed

OLDEST_MAJOR = 4
ROOMY = ("--min-semi-space-size=64", "--max-semi-space-size=64")
"""Flags for Node: MiB for young objects, so that a run this short collects almost nothing (a sixth of its
processor time otherwise)."""
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Wrangler:
    """A wrangler to run: `script` under `node`, with what is known of it."""

    node: Path
    script: Path
    version: str
    is_own: bool

    @property
    def root(self) -> Path:
        """The folder that holds the `node_modules` this wrangler lives in."""
        return self.script.parents[3]

    @property
    def entry(self) -> Path:
        """What is run: the program itself where `script` does nothing but start it in a second Node, else
        `script`."""
        program = self.script.parents[1] / "wrangler-dist" / "cli.js"
        try:
            starter = self.script.read_text(errors="replace")
        except OSError:
            return self.script
        starts_it = '"../wrangler-dist/cli.js"' in starter and "--experimental" not in starter
        return program if starts_it and program.is_file() else self.script

    @property
    def manifest(self) -> Path:
        """Its package.json, which changes when it is upgraded."""
        return self.script.parents[1] / "package.json"


@dataclass(frozen=True, slots=True)
class Output:
    """What a finished wrangler left: exit status and its two streams without colours."""

    status: int
    stdout: str
    stderr: str


class Stop:
    """Ends a running wrangler from another thread; safe to call at any time, more than once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], object] | None = None
        self._stopped = False

    def attach(self, end: Callable[[], object]) -> None:
        """From now on `end` is what ends it; called at once when `stop()` came first."""
        with self._lock:
            self._end = end
            if self._stopped:
                end()

    def stop(self) -> None:
        """End the run this is attached to, with everything it started."""
        with self._lock:
            self._stopped = True
            if self._end is not None:
                self._end()


def own_wrangler(directory: Path) -> tuple[Path, str] | None:
    """The nearest wrangler installed for `directory`: (entry script, version), looking upwards."""
    for folder in (directory, *directory.parents):
        package = folder / "node_modules" / "wrangler"
        try:
            manifest = json.loads((package / "package.json").read_bytes())
        except (OSError, ValueError):
            continue
        script = package / "bin" / "wrangler.js"
        if script.exists():
            return script.resolve(), str(manifest.get("version", "0"))
    return None


def find(directory: Path, progress: Callable[[str], None] = lambda _: None) -> Wrangler:
    """The wrangler for a project in `directory`: its own when it is 4 or newer, else the pinned one.

    Raises:
        BuildError: TB3001-TB3004 from the toolchain when neither can be had.
    """
    own = own_wrangler(directory)
    if own is not None:
        script, version = own
        if int(version.split(".")[0]) >= OLDEST_MAJOR:
            return Wrangler(node_binary(), script, version, is_own=True)
        progress(f"the project's wrangler {version} is too old; using the pinned one")
    return _pinned(ensure(progress))


def find_installed(directory: Path) -> Wrangler | None:
    """As `find`, without installing anything: None where that would have to be done, or said."""
    own = own_wrangler(directory)
    if own is None:
        toolchain = installed()
        return _pinned(toolchain) if toolchain is not None else None
    script, version = own
    new_enough = int(version.split(".")[0]) >= OLDEST_MAJOR
    return Wrangler(node_binary(), script, version, is_own=True) if new_enough else None


def _pinned(toolchain: Toolchain) -> Wrangler:
    manifest = toolchain.wrangler.parents[1] / "package.json"
    version = str(json.loads(manifest.read_bytes())["version"])
    return Wrangler(toolchain.node, toolchain.wrangler, version, is_own=False)


def environment(log_folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for a bundling run: nothing asked, nothing reported, nothing written elsewhere."""
    kept = {
        key: value
        for key, value in environ.items()
        if key not in {"FORCE_COLOR", "WRANGLER_LOG", "CLOUDFLARE_ENV"}
        and not key.startswith("WRANGLER_OUTPUT_FILE")
    }
    return kept | {
        "CI": "true",
        "NO_COLOR": "1",
        "WRANGLER_HIDE_BANNER": "true",
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_SEND_ERROR_REPORTS": "false",
        "WRANGLER_LOG_PATH": str(log_folder),
        "WRANGLER_WRITE_LOGS": "false",
    }


def with_compiled(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` in which Node keeps the code it compiled: more than a third of wrangler's start.

    Node itself checks each entry against its source and the V8 that made it, and does without a folder it
    cannot write. What the variables say already stays.
    """
    if "NODE_COMPILE_CACHE" in environ or "NODE_DISABLE_COMPILE_CACHE" in environ:
        return dict(environ)
    return {**environ, "NODE_COMPILE_CACHE": str(cache_root() / "node")}


def run(
    wrangler: Wrangler, arguments: list[str], *, cwd: Path, env: Mapping[str, str], stop: Stop | None = None
) -> Output:
    """Run wrangler to its end; an interrupt here ends it and all it started.

    Raises:
        BuildError: TB3105 when the process cannot be started.
    """
    command = [str(wrangler.node), "--no-warnings", *ROOMY, str(wrangler.entry), *arguments]
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise BuildError(
            "TB3105",
            f"wrangler could not be started with {wrangler.node}: {error.strerror or error}",
            hint="Run `trailboss doctor` to see which Node is used.",
        ) from error
    if stop is not None:
        stop.attach(partial(_end, process))
    try:
        stdout, stderr = process.communicate()
    except BaseException:
        _end(process)
        raise
    return Output(process.returncode, plain(stdout), plain(stderr))


def plain(text: bytes) -> str:
    """Process output as text without colour codes."""
    return _ANSI.sub("", text.decode("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole session of `process` and reap it."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        process.wait()
