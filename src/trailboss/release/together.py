"""Reads at the same time: all answers, or the first failure with the others called off."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
    """The results in order. Raises the first failure itself, never an exception group."""
    tasks: list[asyncio.Task[Any]] = []
    first: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except BaseExceptionGroup as failures:
        first = failures.exceptions[0]
    if first is not None:
        raise first
    return [task.result() for task in tasks]
