"""The account is read while the bundler works: whatever fails, the other half is called off or waited for."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from tests.release.conftest import Desk
from trailboss.errors import BuildError, ConfigError
from trailboss.release import stages
from trailboss.release.deploy import begin
from trailboss.release.outcomes import DeployOptions
from trailboss.release.passing import Pass


class Halves:
    """A build and a look that end as they are told, once both have begun."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, build: Any, look: Any) -> None:
        self.ended: list[str] = []
        self._begun = 0
        monkeypatch.setattr("trailboss.build.build_async", self._half("build", build), raising=False)
        monkeypatch.setattr(stages, "look_at", self._half("look", look))

    def _half(self, name: str, result: Any) -> Any:
        async def run(*_: Any, **__: Any) -> Any:
            self._begun += 1
            while self._begun < 2:
                await asyncio.sleep(0)
            try:
                if result == "never":
                    await asyncio.Event().wait()
                if isinstance(result, Exception):
                    raise result
                return result
            finally:
                self.ended.append(name)

        return run


def step(desk: Desk) -> Pass:
    desk.write()
    (worker,) = desk.project().workers
    account: Any = object()
    return begin(worker, account, DeployOptions(), lambda _: None)


def test_a_failed_build_calls_the_reading_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = Halves(monkeypatch, build=BuildError("TB3101", "broken"), look="never")
    with pytest.raises(BuildError):
        asyncio.run(stages.build(step(desk)))
    assert sorted(halves.ended) == ["build", "look"]


def test_a_failed_build_is_told_before_a_failed_reading(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Halves(monkeypatch, build=BuildError("TB3101", "broken"), look=ConfigError("TB1901", "no account"))
    with caplog.at_level(logging.ERROR), pytest.raises(BuildError):
        asyncio.run(stages.build(step(desk)))
    assert caplog.records == []


def test_an_interrupt_ends_both(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = Halves(monkeypatch, build="never", look="never")

    async def main() -> None:
        task = asyncio.ensure_future(stages.build(step(desk)))
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert sorted(halves.ended) == ["build", "look"]
