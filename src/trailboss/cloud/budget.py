"""One rate budget for all processes of the user: `Allowance` in a small locked file.

The file is `<cache>/budget/<hash>`; the hash is keyed by a random salt of this machine over base URL and
credential, so it says nothing about the token. A read takes some ten microseconds. A damaged file starts
afresh; a folder that cannot be written leaves each process its own budget, with a warning.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from trailboss.cloud.allowance import UNHURRIED, Allowance, Limits
from trailboss.cloud.target import GlobalKey, Target
from trailboss.toolchain import cache_root

DEFAULT = Limits()
LOCK_ATTEMPTS = 20
LOCK_PAUSE = 0.005  # seconds to the next round of attempts
LOCK_PATIENCE = 2.0  # seconds; the lock is held for microseconds, except by a stopped process


class Budget:
    """Takes and blocks for all processes that share `file`; with `file=None` for this process only."""

    def __init__(
        self,
        file: Path | None,
        limits: Limits = DEFAULT,
        *,
        clock: Callable[[], float] = time.time,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.limits = limits
        self.used = 0
        self._clock = clock
        self._warn = warn
        self._own: Allowance | None = None
        self._fd = -1
        self._size = len(Allowance.fresh(limits, 0.0).pack())
        self._block_until = 0.0
        self._busy_since = 0.0
        if file is not None:
            self._open(file)

    def take(self) -> float:
        """Take one request: 0 when it may be sent now, else seconds to wait before asking again."""
        now = self._clock()
        if self._fd >= 0 and not self._lock() and self._still_shared():
            return LOCK_PAUSE
        with self._state(now) as state:
            if self._block_until:
                state.block(self._block_until)
                self._block_until = 0.0
            wait = state.take(now)
            self.used = state.used
        return wait

    def block(self, seconds: float) -> None:
        """Stop all processes for `seconds` from now (at the next `take` when the file is busy just now)."""
        now = self._clock()
        if self._fd >= 0 and not self._lock():
            self._block_until = max(self._block_until, now + seconds)
            return
        with self._state(now) as state:
            state.block(now + seconds)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._alone(f"{file.parent} cannot be written ({error.strerror})")

    def _alone(self, reason: str) -> None:
        self.close()
        self._warn(f"the rate budget is not shared with other processes: {reason}")

    @contextlib.contextmanager
    def _state(self, now: float) -> Iterator[Allowance]:
        """The state to change; the file's when it is open, and then it is locked already."""
        if self._fd < 0:
            self._own = self._own or Allowance.fresh(self.limits, now)
            yield self._own
            return
        try:
            state = Allowance.unpack(os.pread(self._fd, self._size + 1, 0), self.limits)
            state = state or Allowance.fresh(self.limits, now)
            yield state
            self._write(state.pack())
        finally:
            if self._fd >= 0:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _write(self, data: bytes) -> None:
        try:
            os.pwrite(self._fd, data, 0)
            if os.fstat(self._fd).st_size != len(data):
                os.ftruncate(self._fd, len(data))
        except OSError as error:  # a full disk
            self._alone(f"its file cannot be written ({error.strerror})")

    def _lock(self) -> bool:
        """Whether the file is ours now: a handful of attempts, as it is held for microseconds."""
        for _ in range(LOCK_ATTEMPTS):
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.sched_yield()
            except OSError as error:  # a file system without locks
                self._alone(f"its file cannot be locked ({error.strerror})")
                return False
            else:
                self._busy_since = 0.0
                return True
        return False

    def _still_shared(self) -> bool:
        """Whether to keep asking for the lock: a process stopped while it held it must not stop us."""
        if self._fd < 0:
            return False
        now = time.monotonic()
        self._busy_since = self._busy_since or now
        if now - self._busy_since > LOCK_PATIENCE:
            self._alone("another process holds it and does not let go")
            return False
        return True


def shared_budget(
    target: Target,
    limits: Limits | None = None,
    *,
    clock: Callable[[], float] = time.time,
    warn: Callable[[str], None] = lambda _: None,
) -> Budget:
    """The budget of `target`'s credential; a sandbox has limits that never slow a test."""
    limits = limits or (UNHURRIED if target.is_sandbox else Limits())
    folder = cache_root() / "budget"
    try:
        name = fingerprint(target, _salt(folder))
    except OSError as error:
        warn(
            f"the rate budget is not shared with other processes: {folder} cannot be used ({error.strerror})"
        )
        return Budget(None, limits, clock=clock, warn=warn)
    return Budget(folder / name, limits, clock=clock, warn=warn)


def fingerprint(target: Target, salt: bytes) -> str:
    """A name for base URL and credential from which neither can be found.

    A sandbox that is addressed as if it were an account has another one: its own counts have no limit."""
    token = target.token
    secret = f"{token.email}:{token.key.reveal()}" if isinstance(token, GlobalKey) else token.reveal()
    text = f"{target.base_url}\n{secret}\n{target.is_sandbox}"
    return hashlib.blake2b(text.encode(), key=salt, digest_size=16).hexdigest()


def _salt(folder: Path) -> bytes:
    """This machine's salt, made once; whoever comes second takes the first one's."""
    file = folder / "salt"
    with contextlib.suppress(FileNotFoundError):
        found = file.read_bytes()
        if len(found) == 32:
            return found
        file.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = folder / f"salt.{os.getpid()}.{secrets.token_hex(4)}"
    fresh.write_bytes(secrets.token_bytes(32))
    fresh.chmod(0o600)
    try:
        os.link(fresh, file)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return file.read_bytes()
