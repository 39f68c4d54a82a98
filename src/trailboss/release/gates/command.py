"""command: a program of yours. 0 passes, 75 (EX_TEMPFAIL) and running out of time are undecided, the rest
fails. It is told everything by environment variables."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from trailboss.release.gates.base import Answer, Asking, failed, passed, undecided
from trailboss.release.rollout.policy import Gate

TEMPORARY = 75


async def ask(gate: Gate, asking: Asking) -> Answer:
    """Run it in the project's folder, by the shell."""
    try:
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", gate.target),
            cwd=asking.folder,
            env={**os.environ, **variables(asking)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return undecided(f"it could not be started: {error.strerror or error}")
    try:
        output, _ = await asyncio.wait_for(process.communicate(), gate.timeout)
    except TimeoutError:
        return undecided(f"not done within {gate.timeout:g} s")
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()
    last = (output.decode("utf-8", "replace").strip().splitlines() or [""])[-1][:200]
    if process.returncode == 0:
        return passed(last or "exit 0")
    if process.returncode == TEMPORARY:
        return undecided(last or f"exit {TEMPORARY}: try again later")
    return failed(f"exit {process.returncode}{': ' + last if last else ''}")


def variables(asking: Asking) -> dict[str, str]:
    """`TRAILBOSS_PHASE`, `_SHARE`, `_ROLLOUT`, `_ENVIRONMENT`; and of the Workers, separated by commas:
    `_WORKER`, `_STABLE`, `_CANARY`, `_URL`."""
    workers = asking.workers
    return {
        "TRAILBOSS_PHASE": asking.phase,
        "TRAILBOSS_SHARE": f"{asking.share:g}",
        "TRAILBOSS_ROLLOUT": asking.rollout,
        "TRAILBOSS_ENVIRONMENT": asking.environment or "",
        "TRAILBOSS_WORKER": ",".join(one.worker for one in workers),
        "TRAILBOSS_STABLE": ",".join(one.stable for one in workers),
        "TRAILBOSS_CANARY": ",".join(one.canary for one in workers),
        "TRAILBOSS_URL": ",".join(one.address or "" for one in workers),
    }
