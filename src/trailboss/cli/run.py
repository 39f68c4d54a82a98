"""One run of one command: what was asked, and the project, target and output that follow from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Container, Coroutine, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trailboss.cli.options import Options
from trailboss.cli.output import Output, plain

if TYPE_CHECKING:
    from trailboss.cli.dotenv import Environ
    from trailboss.cloud import Cloud, Target
    from trailboss.config import Project, Worker
    from trailboss.secrets import Vaults
    from trailboss.secrets.settings import SecretsSettings
    from trailboss.values import Location, Secret

Result = TypeVar("Result")
_NO_SECRETS = ("name", "sandbox", "base_url", "account_id", "auth", "email")
"""Keys of `[target]` that everything may show."""


class Run:
    """Handed to every command. Project and target are found when first asked for, and never twice."""

    def __init__(self, options: Options, output: Output) -> None:
        self.options = options
        self.output = output
        self._came_from = Path.cwd()
        self._announced: dict[str, Any] = {}
        self._stats: Any = None
        self._seeded = False
        self.said: set[str] = set()
        """Warnings that were shown: once is enough, however often the project is read."""
        if options.cwd:
            os.chdir(options.cwd)

    @classmethod
    def start(cls, options: Options) -> Run:
        """The run for `options`, writing to this process's streams."""
        return cls(options, Output(json=options.json, verbose=options.verbose, color=options.color))

    def end(self) -> None:
        """Take away what moves on the terminal, and go back to where the run started."""
        self.output.settle()
        os.chdir(self._came_from)

    @cached_property
    def environ(self) -> Environ:
        """The process environment over the project's dotenv files, as wrangler reads them."""
        from trailboss.cli.dotenv import with_files

        environment = self.options.env or os.environ.get("TRAILBOSS_ENV") or os.environ.get("CLOUDFLARE_ENV")
        named = self.options.env_file
        return with_files(
            os.environ, Path.cwd(), environment, named, self.output.warn, vaults=lambda: self.vaults
        )

    @cached_property
    def project(self) -> Project:
        """The project around the working folder (or of `--config`), for the environment that was asked for.

        A folder without any configuration gives a project without Workers: an account can be used without
        one.

        Raises:
            ConfigError: a file of the project is wrong.
        """
        from trailboss.config import Project

        config = Path(self.options.config[-1]) if self.options.config else None
        found = Project.load(
            environment=self.options.env, config=config, environ=self.environ, required=False
        )
        for warning in found.warnings:
            if warning not in self.said:
                self.output.warn(str(warning))
        self.said.update(found.warnings)
        return found

    @cached_property
    def target(self) -> Target:
        """The account this run acts on."""
        from trailboss.cloud import resolve_target

        configured = {worker.raw.get("account_id") for worker in self.project.workers} - {None}
        return resolve_target(
            self.project.tables.get("target"),
            flag=self.options.target,
            environ=self.environ,
            account_id=configured.pop() if len(configured) == 1 else None,
            resolve=lambda part: self.resolved(part, "target", plain=_NO_SECRETS),
        )

    @cached_property
    def secrets(self) -> SecretsSettings:
        """Where references to secrets resolve: `[secrets]` of trailboss.toml."""
        from trailboss.secrets.settings import SecretsSettings

        return self.project.section("secrets", SecretsSettings)

    @cached_property
    def vaults(self) -> Vaults:
        """The conversation with 1Password: what one part of a command needs goes with another's question."""
        from trailboss.secrets import Vaults

        return Vaults(self.environ.plain, self.secrets)

    def value(self, text: str, name: str) -> Secret:
        """A value given to the option `name`: `op://…`, `${NAME}` and `{{ op://… }}` resolved, else itself.
        For an item whose field is not obvious a person is asked which one.

        Raises:
            SecretError: TB7003-TB7053, as `Resolver.resolve`.
        """
        from trailboss.cli.shipping import given_value

        return given_value(self, text, name)

    def values(self, wanted: Mapping[str, str]) -> dict[str, Secret]:
        """Several of them, by their names, with one question.

        Raises:
            SecretError: as `value`.
        """
        from trailboss.secrets import Resolver, Wanted, asks

        asking = {name: Wanted(text, name) for name, text in wanted.items() if asks(text)}
        Resolver(self.environ, vaults=self.vaults).expect(asking)
        return {name: self.value(text, name) for name, text in wanted.items()}

    async def reveal(self, wanted: Mapping[str, str]) -> dict[str, Secret]:
        """`values`, for whoever is about to send them while other work goes on."""
        import asyncio

        return await asyncio.to_thread(self.values, wanted)

    def resolved(self, data: Any, *keys: str | int, plain: Container[str] = ()) -> Any:
        """A copy of `data`, which trailboss.toml has under `keys`, with every reference in it resolved: to a
        `Secret`, or to a string where its key is one of `plain`.

        Raises:
            SecretError: as `value`, with the place in the file.
        """
        if not _may_refer(data):
            return data
        from trailboss.secrets import Resolver, resolve_tree_now
        from trailboss.secrets.tree import wanted_in

        def locate(*inner: str | int) -> Location:
            return self.project.locate(*keys, *inner)

        if not wanted_in(data, locate):
            return data
        self.environ.expect()
        resolver = Resolver(self.environ, vaults=self.vaults)
        return resolve_tree_now(data, resolver, locate, secret=lambda inner: inner[-1] not in plain)

    def workers(self, name: str | None = None) -> tuple[Worker, ...]:
        """The Workers to act on: all of the project, or the one called `name`.

        Raises:
            ConfigError: TB1001 when there is no project here, TB1207 when it has no such Worker.
        """
        if not self.project.workers:
            from trailboss.config import Project

            Project.load(
                environment=self.options.env, environ=self.environ
            )  # says what is missing, and where
        return (self.project.worker(name),) if name is not None else self.project.workers

    def worker(self, name: str | None = None) -> Worker:
        """The one Worker to act on.

        Raises:
            ConfigError: as `workers`, and TB1208 when there are several and none was named.
        """
        self.workers(None)
        return self.project.worker(name)

    def script(self, name: str | None = None) -> str:
        """The name the account knows the Worker by. A name that is not in the project is taken as
        wrangler does: with the environment's name behind it.
        """
        if name is None:
            return self.worker().name
        for worker in self.project.workers:
            if name in (worker.key, worker.name, worker.top_level_name):
                return worker.name
        environment = self.project.environment.name
        return f"{name}-{environment}" if environment else name

    def announce(self, what: str) -> None:
        """Say in one line what this run acts on: the Worker, the environment and where it came from, the
        target.
        """
        target = self.target
        environment = self.project.environment
        self._announced = {
            "target": target.name,
            "account_id": target.account_id,
            "environment": environment.name,
        }
        if self.output.as_json:
            return
        shown = self.output.style(environment.name or "(top level)", "1")
        parts = [
            self.output.style(what, "1") if what else "",
            f"environment {shown}{_origin(environment.source, environment.branch)}",
            f"target {self.output.style(target.name, '1')}",
        ]
        self.output.note(" · ".join(part for part in parts if part))

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something asynchronous that needs no connection."""
        import asyncio

        try:
            return asyncio.run(work)
        finally:
            self.output.settle()

    def call(self, verb: Callable[[Cloud], Awaitable[Result]]) -> Result:
        """Run one verb of a room with a connection to the target, and count its requests."""
        from trailboss.cloud import Cloud

        async def go() -> Result:
            async with Cloud(self.target, notify=self.output.warn) as cloud:
                try:
                    if self.target.is_sandbox and not self._seeded:
                        await self._seed(cloud)
                    return await verb(cloud)
                finally:
                    self._stats = cloud.stats

        try:
            return self.wait(go())
        finally:
            if self.options.stats and self._stats is not None and not self.output.as_json:
                self.output.note(self.output.style(str(self._stats), "2"))

    async def _seed(self, cloud: Cloud) -> None:
        self._seeded = True
        if "zones" in self.project.tables:
            from trailboss.cli.seeding import seed, zones_of

            await seed(cloud, zones_of(self.project.tables))

    def confirm(self) -> Callable[[str], bool] | None:
        """How to ask a yes-or-no question: `--yes` says yes, a terminal asks, otherwise nobody is there
        (None).
        """
        if self.options.yes:
            return lambda _question: True
        return self.output.confirm if sys.stdin.isatty() and not self.output.as_json else None

    def result(self, value: Any, show: Callable[[Output], None]) -> None:
        """The end of a command: `value` as JSON, or `show` for a person."""
        self.output.settle()
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from trailboss.cli.pipelines import ended

            ended(
                self.output, {**self._announced, **whole} if isinstance(whole := plain(value), dict) else {}
            )
        if not self.output.as_json:
            show(self.output)
            return
        document = plain(value)
        if isinstance(document, dict):
            document = {**self._announced, **document}
            if self.options.stats and self._stats is not None:
                document["stats"] = self._stats.as_json()
        self.output.document(document)


def _may_refer(data: Any) -> bool:
    """Whether a string in `data` may hold a reference; a no is certain, and costs no import."""
    if isinstance(data, str):
        return "${" in data or "op://" in data
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return any(map(_may_refer, inner))


def _origin(source: str, branch: str | None) -> str:
    if source in ("flag", "default"):
        return ""
    return f" (branch {branch})" if branch else f" (from {source})"
