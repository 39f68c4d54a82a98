"""An event loop whose time passes only while everybody waits, and then at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from trailboss.plan.clock import Clock

NOW = 1_800_000_000.0
"""The moment at which every story begins."""
T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: the time until the next timer has passed already."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("everything waits, and nothing would ever wake it")
        self.passed += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and jumps to the next timer."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """At once: a thread would be overtaken by the time that jumps."""
        done = self.create_future()
        done.set_result(func(*args))
        return done


def clock(start: float = NOW) -> Clock:
    """The time of the running loop, as leases are compared in it."""
    return Clock(lambda: start + asyncio.get_running_loop().time(), asyncio.sleep)


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """`main` in a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.get_loop().set_exception_handler(lambda *_: None)
        return runner.run(main())
