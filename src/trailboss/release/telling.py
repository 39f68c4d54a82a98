"""Who is told what a guard sees: `[notifications.<name>]`, a webhook or a program of yours.

A webhook gets one POST of JSON: the event's fields, and its line again as `text` and `content`, which chat
services show as it is. A program gets the same in its environment. Who cannot be reached is said, and stops
nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.release.guarded import Guarded

GRAVE = ("burning", "rolled-back", "not-the-release", "cannot", "abandoned")
"""What is told where a table does not say."""
TIMEOUT = 15.0


@dataclass(frozen=True, slots=True)
class Recipient:
    """`url` is a webhook, `run` a command for the shell; `alarms` what it is told."""

    name: str
    url: Secret | None = None
    run: str | None = None
    alarms: tuple[str, ...] = GRAVE


async def notify(
    recipients: Sequence[Recipient], event: Guarded, environment: str | None, folder: str | None
) -> tuple[str, ...]:
    """Tell everybody who wants to know, at the same time; a line for each who could not be told."""
    wanted = [one for one in recipients if event.alarm.value in one.alarms]
    failed = await asyncio.gather(*(_tell(one, event, environment, folder) for one in wanted))
    return tuple(f"{one.name} was not told: {why}" for one, why in zip(wanted, failed, strict=True) if why)


def message(event: Guarded, environment: str | None) -> dict[str, Any]:
    """What a webhook is sent."""
    place = f" ({environment})" if environment else ""
    line = f"{event.worker}{place}: {event.alarm.value}: {event.text}"
    return {**asdict(event), "environment": environment, "text": line, "content": line}


async def _tell(one: Recipient, event: Guarded, environment: str | None, folder: str | None) -> str:
    said = message(event, environment)
    return await (_post(one.url, said) if one.url is not None else _run(one.run or "", said, folder))


async def _post(url: Secret, said: dict[str, Any]) -> str:
    import httpx

    try:
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            reply = await client.post(url.reveal(), json=said)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
    return "" if reply.is_success else f"status {reply.status_code}"


async def _run(command: str, said: dict[str, Any], folder: str | None) -> str:
    """By the shell, in the project's folder."""
    told = {
        f"TRAILBOSS_{key.upper()}": "" if value is None else str(value)
        for key, value in said.items()
        if key != "content"
    }
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", command),
        cwd=folder,
        env={**os.environ, **told},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = await asyncio.wait_for(process.wait(), TIMEOUT)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        await process.wait()
        return f"not done within {TIMEOUT:g} s"
    return "" if status == 0 else f"exit {status}"
