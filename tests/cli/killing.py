"""A command in a process of its own that is killed at one known API call, with no say in it."""

from __future__ import annotations

import fnmatch
import os
import signal
from collections.abc import Callable
from typing import Any

from trailboss.cloud import Cloud

Arrange = Callable[[], None]


def at_call(method: str, path: str, *, after: bool = False, number: int = 1) -> Arrange:
    """Dies at the `number`-th call of this kind: before it is sent, or when its answer is there."""

    def arrange() -> None:
        usual, seen = Cloud.call, 0

        async def call(self: Cloud, verb: str, place: str, **options: Any) -> Any:
            nonlocal seen
            struck = verb == method and fnmatch.fnmatchcase(place, path)
            seen += struck
            if struck and seen == number and not after:
                die()
            reply = await usual(self, verb, place, **options)
            if struck and seen == number:
                die()
            return reply

        Cloud.call = call  # type: ignore[method-assign]

    return arrange


def die() -> None:
    """As by the kernel: nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed(arrange: Arrange, *words: str) -> int | None:
    """`trailboss …` in a child of this process; its exit status, None when it was killed."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            quiet = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(quiet, number)
            arrange()
            from trailboss.cli.main import main

            status = main(list(words))
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(ended) else os.waitstatus_to_exitcode(ended)
