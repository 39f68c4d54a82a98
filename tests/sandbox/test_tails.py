"""Who listens is told to the side-car: before the tail is answered, and again when nobody is left."""

from __future__ import annotations

import asyncio
from typing import Any

from trailboss.sandbox.runtime import Runtime
from trailboss.sandbox.tails import Tail, Tails


class Recorder(Runtime):
    """A runtime whose side-car only keeps what it is told."""

    def __init__(self, supervisor: Any) -> None:
        super().__init__(supervisor, "token")
        self.told: list[list[str]] = []

    async def call(self, method: str, path: str, body: Any = None, **_: Any) -> tuple[int, Any]:
        assert (method, path) == ("PUT", "trace")
        self.told.append(body["scripts"])
        return 200, {}


class Supervisor:
    on_ready: Any = None


def test_only_watched_scripts_are_traced() -> None:
    async def main() -> list[list[str]]:
        now = [0.0]
        tails = Tails(lambda: now[0], lambda: 0.0)
        supervisor = Supervisor()
        runtime = Recorder(supervisor)
        runtime.watched, tails.fewer = tails.scripts, runtime.listen_soon
        await supervisor.on_ready()
        tails.add(Tail("a", "one", [], expires=10))
        await runtime.listen()
        tails.add(Tail("b", "one", [], expires=20))
        await runtime.listen()
        tails.remove("a")
        await settle(runtime)
        assert tails.publish({"script": "one"}) == 1
        now[0] = 21
        assert tails.publish({"script": "one"}) == 0
        await settle(runtime)
        await supervisor.on_ready()
        return runtime.told

    assert asyncio.run(main()) == [[], ["one"], [], []]


async def settle(runtime: Runtime) -> None:
    assert runtime._told is not None
    await runtime._told
