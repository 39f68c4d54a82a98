"""One short-lived program with text on its standard input; nothing of it in arguments or files."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trailboss.values import Secret


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its status, its output (which may be all secrets), what it complained about."""

    status: int
    output: Secret
    complaint: str


async def run(command: Sequence[str], given: str, environ: Mapping[str, str], seconds: float) -> Ended | None:
    """Runs `command`; None when it has not ended after `seconds`, and then it is killed.

    Raises FileNotFoundError or PermissionError when it cannot be started. A cancelled call leaves no
    process behind."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(environ)
    )
    try:
        async with asyncio.timeout(seconds):
            return _ended(await process.communicate(given.encode()), process.returncode)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _ended(streams: tuple[bytes, bytes], status: int | None) -> Ended:
    output, complaint = streams
    # Bytes that are no text are kept apart, for the caller to notice.
    text = Secret(output.decode("utf-8", "surrogateescape"))
    return Ended(status or 0, text, complaint.decode("utf-8", "replace"))
