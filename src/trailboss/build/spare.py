"""A spare wrangler: loaded ahead, it makes the next bundle of a project in a quarter of the time.

Loading its 15 MB takes wrangler most of a run. So a bundling leaves one wrangler behind that loads and waits,
just before it would read its arguments, for a job over a socket of the user's own. It takes one job and ends
with it: every bundle still comes from a fresh wrangler process, and whatever does not go well is done again
by one that starts cold. Unneeded, it ends by itself after `PATIENCE`. It knows the variables in `PASSED` and
no others, so it holds no secret. `TRAILBOSS_BUNDLER=cold` does without; `=warm` insists where CI is set.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from trailboss.build.wrangler import ROOMY, Output, Stop, Wrangler, plain
from trailboss.toolchain.folders import cache_root

PATIENCE = 300.0
"""Seconds a spare waits for a job."""
DELAY = 1.0
"""Seconds until it begins to load."""
MOST = 2
"""Spares of one user at the same time (some 200 MB each), one for each project."""
STARTING = 60.0
"""Seconds after which a folder without a process is one that never got one."""
LONGEST_SOCKET = 100
_HOLD = Path(__file__).with_name("spare.cjs")

PASSED = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM"),
        *("TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
        *("NODE_ENV", "NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "NODE_COMPILE_CACHE"),
        *("NODE_DISABLE_COMPILE_CACHE", "ESBUILD_BINARY_PATH", "CI", "NO_COLOR", "WRANGLER_HIDE_BANNER"),
        *("WRANGLER_SEND_METRICS", "WRANGLER_SEND_ERROR_REPORTS", "WRANGLER_WRITE_LOGS"),
        *("WRANGLER_BUILD_CONDITIONS", "WRANGLER_BUILD_PLATFORM"),
    )
)
"""Variables that steer Node and the bundler, and carry no secrets."""
_WITHOUT_EFFECT = frozenset(
    (
        *("WRANGLER_LOG_PATH", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_BASE_URL"),
        *("CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL"),
    )
)


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether spares may be used and left behind: not in CI, unless asked for, and not where told so."""
    asked = environ.get("TRAILBOSS_BUNDLER")
    return asked == "warm" if asked else environ.get("CI", "").lower() in ("", "0", "false")


class Spares:
    """The spares for one wrangler run's circumstances: `cwd`, and the variables `env` of a cold run."""

    def __init__(self, wrangler: Wrangler, cwd: Path, env: Mapping[str, str]) -> None:
        self._wrangler = wrangler
        self._cwd = cwd
        self._env = {name: value for name, value in env.items() if name in PASSED}
        self._logs = env.get("WRANGLER_LOG_PATH", "")
        steering = (name for name in env if name.startswith(("WRANGLER_", "CLOUDFLARE_")))
        self._is_plain = all(name in PASSED or name in _WITHOUT_EFFECT for name in steering)
        self.folder = cache_root() / "spare" / self._key()

    def run(self, arguments: list[str], stop: Stop | None = None) -> Output | None:
        """Let a waiting spare do it; None when there is none, or it came to no good end."""
        if not self._is_safe():
            return None
        line = _call(self.folder)
        if line is None:
            return None
        with line:
            if stop is not None:
                stop.attach(partial(line.shutdown, socket.SHUT_RDWR))
            job = {"words": arguments, "variables": {"WRANGLER_LOG_PATH": self._logs}}
            with suppress(OSError):
                line.sendall(json.dumps(job).encode() + b"\n")
                while line.recv(4096):  # nothing is ever sent: the end of the process is the answer
                    pass
        try:
            status = int((self.folder / "status").read_text())
            return Output(status, *(plain((self.folder / name).read_bytes()) for name in ("out", "err")))
        except (OSError, ValueError):
            return None
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def leave_one(self) -> None:
        """Start a spare for the next run, unless there is one. What prevents it is no error."""
        if self._wrangler.entry == self._wrangler.script:  # another program than the one we know to hold
            return
        if not self._is_plain or len(os.fsencode(self.folder)) + len("/socket") > LONGEST_SOCKET:
            return
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._is_safe() and self.folder not in (living := _living(self.folder.parent)):
                for folder in living[: len(living) - MOST + 1]:
                    _end(folder)
                self.folder.mkdir(mode=0o700)
                self._start()
        except OSError:
            return

    def _start(self) -> None:
        asked = {"folder": str(self.folder), "delay": DELAY * 1000, "patience": PATIENCE * 1000}
        flags = ("--no-warnings", *ROOMY, "--require", str(_HOLD))
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            process = subprocess.Popen(
                [str(self._wrangler.node), *flags, str(self._wrangler.entry), "--version"],
                cwd=self._cwd,
                env={**self._env, "TRAILBOSS_SPARE": json.dumps(asked)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        (self.folder / "pid").write_text(str(process.pid))
        process.returncode = 0  # it outlives us: not to be waited for, nor complained of

    def _is_safe(self) -> bool:
        """Whether the folder of all spares is there and only ours."""
        try:
            about = self.folder.parent.lstat()
        except OSError:
            return False
        return about.st_uid == os.geteuid() and not about.st_mode & 0o077

    def _key(self) -> str:
        wrangler = self._wrangler
        described = [str(wrangler.node), str(wrangler.entry), wrangler.version, str(self._cwd), *ROOMY]
        described += [f"{name}={value}" for name, value in sorted(self._env.items())]
        for file in (wrangler.manifest, _HOLD):
            with suppress(OSError):
                described.append(f"{file.stat().st_mtime_ns} {file.stat().st_size}")
        return hashlib.sha256("\0".join(described).encode("utf-8", "surrogateescape")).hexdigest()[:24]


def ready() -> int:
    """How many spares of this user have loaded and wait."""
    return sum(1 for _ in (cache_root() / "spare").glob("*/ready"))


def end_all() -> None:
    """End every spare of this user that waits."""
    for folder in (cache_root() / "spare").glob("*"):
        _end(folder)


def _end(folder: Path) -> None:
    """One whose caller hangs up ends at once. One at work takes no call, and goes on."""
    line = _call(folder)
    if line is not None:
        line.close()
        shutil.rmtree(folder, ignore_errors=True)


def _call(folder: Path) -> socket.socket | None:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.connect(str(folder / "socket"))
    except OSError:
        line.close()
        return None
    return line


def _living(root: Path) -> list[Path]:
    """The folders of spares that live, the oldest first; what dead ones left is dropped."""
    living = []
    for folder in root.iterdir():
        pid, since = _pid(folder), folder.stat().st_mtime
        if is_alive(pid) if pid is not None else time.time() - since < STARTING:
            living.append((since, folder))
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return [folder for _, folder in sorted(living)]


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _pid(folder: Path) -> int | None:
    try:
        return int((folder / "pid").read_text())
    except (OSError, ValueError):
        return None
