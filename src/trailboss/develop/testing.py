"""`dev --test`: the project's end-to-end tests against the server that was just started."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from trailboss.develop import child
from trailboss.develop.lines import Entry
from trailboss.develop.session import Tell
from trailboss.errors import BuildError


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: a shell line or words, with `extra` behind; where, with what, and how long at most."""

    line: str | list[str]
    extra: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str]
    timeout: float

    def with_variables(self, more: Mapping[str, str]) -> Command:
        """The same with `more` in its environment, where that does not say something else already."""
        return replace(self, environ={**more, **self.environ})

    @property
    def words(self) -> list[str]:
        """The words to start."""
        if isinstance(self.line, list):
            return [*self.line, *self.extra]
        return ["/bin/sh", "-c", " ".join([self.line, *map(shlex.quote, self.extra)])]


async def run_tests(command: Command, url: str, tell: Tell) -> int:
    """Run it with the server's URL in TRAILBOSS_URL and BASE_URL; its exit status (128 + the signal).

    Raises:
        BuildError: TB3603 it took longer than it may.
        UsageError: TB9462 it cannot be started.
    """
    environ = {**command.environ, "TRAILBOSS_URL": url, "BASE_URL": url}
    running = child.start(command.words, name="test", environ=environ, folder=command.folder)

    async def read() -> None:
        async for line in running.lines():
            tell(Entry("test", line))

    reading = asyncio.create_task(read())
    try:
        status = await asyncio.wait_for(running.wait(), command.timeout)
    except TimeoutError:
        raise BuildError(
            "TB3603",
            f"the tests did not end within {command.timeout:g} s",
            hint="`timeout` under [test] in trailboss.toml says how long they may take.",
        ) from None
    finally:
        await running.stop()
        await reading
    return status if status >= 0 else 128 - status
