"""A program we run and look after: its lines, its end, and that nothing of it stays behind.

It gets a process group of its own, so that a Ctrl-C on the terminal reaches us alone and we can end the
whole group; on Linux the kernel also ends it when we are killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

from trailboss.errors import UsageError

LINE_LIMIT = 1024 * 1024
_PR_SET_PDEATHSIG = 1


class Child:
    """A running program; `lines()` is everything it writes, `ended` its exit status when it is over."""

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        self._process = process
        self._end = asyncio.create_task(asyncio.to_thread(process.wait))
        self.name = name

    @property
    def pid(self) -> int:
        """The id of the process, which is also that of its group."""
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit status (negative: the signal), None while it runs."""
        return self._process.poll()

    async def wait(self) -> int:
        """Its exit status, when its first process has ended; others of the group may go on."""
        return await asyncio.shield(self._end)

    async def lines(self) -> AsyncIterator[str]:
        """Each line it writes as it comes, without line end; a monstrous line comes in parts."""
        stream = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), self._process.stdout
        )
        held = b""
        try:
            while chunk := await stream.read(65536):
                *whole, held = (held + chunk).split(b"\n")
                for line in whole:
                    yield line.decode(errors="replace").rstrip("\r")
                if len(held) > LINE_LIMIT:
                    yield held.decode(errors="replace")
                    held = b""
            if held:
                yield held.decode(errors="replace")
        finally:
            transport.close()

    async def stop(self, patience: float = 5.0) -> None:
        """End the group: a polite signal, `patience` seconds, then by force. Returns when it is gone."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), patience)
        self._signal(signal.SIGKILL)  # also what its first process left behind
        await self.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def start(
    command: Sequence[str], *, name: str, environ: Mapping[str, str], folder: Path | None = None
) -> Child:
    """Start `command`, in a running event loop. Output and errors come out of one pipe, in their order; its
    input is empty.

    Raises:
        UsageError: TB9462 it cannot be started.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            cwd=folder,
            start_new_session=True,
            preexec_fn=_end_with_parent(),  # noqa: PLW1509 - it only calls prctl
        )
    except OSError as error:
        raise UsageError("TB9462", f"{command[0]} cannot be started: {error.strerror}") from error
    return Child(process, name)


def _end_with_parent() -> Callable[[], None] | None:
    """Linux: SIGTERM for the child when we die without having ended it; see prctl(2)."""
    if sys.platform != "linux":
        return None
    library, parent = ctypes.CDLL(None, use_errno=True), os.getpid()

    def ask() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask
