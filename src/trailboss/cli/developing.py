"""What `trailboss dev` is asked for, gathered from flags, files and the target; and how its log looks."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.cli.options import Options
from trailboss.cli.run import Run
from trailboss.errors import AuthenticationError, SandboxError, UsageError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud, Target
    from trailboss.config import Project, Worker
    from trailboss.develop.files import Files
    from trailboss.develop.keeper import Crashed
    from trailboss.develop.lines import Said
    from trailboss.develop.session import Beside, Ended
    from trailboss.develop.settings import DevSettings, TestSettings
    from trailboss.develop.setup import Wish
    from trailboss.develop.testing import Command
    from trailboss.develop.variables import Resolvers
    from trailboss.secrets.dotenv import Entry

WHERE = frozenset({"-r", "--remote", "-l", "--local", "--no-remote", "--no-local"})
_COLOURS = {"worker": "36", "tunnel": "35", "test": "34", "dev": "2"}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LEVELS = {"error": "31", "warn": "33", "debug": "2", "info": "0"}


@dataclass(frozen=True, slots=True)
class Unsaid:
    """`[dev]` when trailboss.toml has none: then pydantic, a third of the way to wrangler, is not loaded."""

    port: int | None = None
    ip: str | None = None
    local_protocol: str | None = None
    inspector_port: int | None = None
    require_trusted: bool = False
    persist_to: str | None = None
    primary: str | None = None
    tunnel: str | None = None
    hostname: str | None = None


def dev_settings(run: Run) -> DevSettings | Unsaid:
    """`[dev]` of trailboss.toml."""
    if not run.project.tables.get("dev"):
        return Unsaid()
    from trailboss.develop.settings import DevSettings

    return run.project.section("dev", DevSettings)


def workers_of(run: Run) -> tuple[Worker, ...]:
    """The Workers to run, the one that answers on the port first. Several --config are several Workers."""
    if len(run.options.config) > 1:
        found = [worker for name in run.options.config for worker in _load(run, Path(name)).workers]
        return tuple(found)
    if not run.project.workers:
        return ()
    primary = dev_settings(run).primary
    first = run.project.worker(primary) if primary else run.project.here or run.project.workers[0]
    return (first, *(worker for worker in run.project.workers if worker is not first))


def _load(run: Run, config: Path | None) -> Project:
    from trailboss.config import Project

    return Project.load(environment=run.options.env, config=config, environ=run.environ)


def again(run: Run) -> tuple[Worker, ...]:
    """The Workers as the files have them now."""
    return workers_of(Run(same_folder(run.options), run.output))


def same_folder(options: Options) -> Options:
    """The options of a run that is in its folder already."""
    return replace(options, cwd=None)


def target_of(run: Run) -> Target | None:
    """The account that bindings marked remote would use, where there is one."""
    try:
        return run.target
    except (AuthenticationError, SandboxError):
        return None


def announce(run: Run, workers: tuple[Worker, ...], target: Target | None) -> None:
    """One line: what runs, in which environment, and whose account it may reach."""
    names = ", ".join(worker.name or "(unnamed)" for worker in workers) or "the Worker"
    if target is not None:
        run.announce(names)
        return
    if not run.output.as_json:
        environment = run.project.environment.name or "(top level)"
        run.output.note(f"{run.output.style(names, '1')} · environment {environment} · on this machine")


def wish_of(run: Run, words: tuple[str, ...], asked: dict[str, Any], target: Target | None) -> Wish:
    """The session that flags and files ask for; a flag wins."""
    from trailboss.build.wrangler import find, with_compiled
    from trailboss.develop.setup import Wish
    from trailboss.toolchain.folders import with_programs

    wrangler = find(Path.cwd(), run.output.progress)
    settings = dev_settings(run)
    persist = asked["persist_to"]
    kept = settings.persist_to and run.project.root / settings.persist_to
    return Wish(
        command=[str(wrangler.node), "--no-warnings", str(wrangler.entry)],
        words=_words(run, words, target),
        environ=with_programs(with_compiled(_environ(run, target)), Path.cwd()),
        folder=Path.cwd(),
        environment=run.project.environment.name,
        port=_first(asked["port"], settings.port),
        address=asked["address"] or settings.ip,
        protocol=asked["protocol"] or settings.local_protocol,
        persist_to=Path(persist).absolute() if persist else kept or None,
        inspector_port=_first(asked["inspector_port"], settings.inspector_port),
        env_files=run.options.env_file,
    )


def _first(asked: int | None, said: int | None) -> int | None:
    """What was asked for, 0 too, else what the file says."""
    return said if asked is None else asked


def _words(run: Run, words: tuple[str, ...], target: Target | None) -> list[str]:
    """wrangler's words. What it cannot reach anyway it is told to leave alone: then it starts."""
    found = list(words)
    if not run.project.workers and len(run.options.config) < 2:
        found += ["--env", run.options.env] if run.options.env else []
        found += [word for name in run.options.env_file for word in ("--env-file", name)]
    unreachable = target.is_sandbox if target is not None else not sys.stdin.isatty()
    if unreachable and not WHERE & {word.partition("=")[0] for word in words}:
        found.append("--local")
    return found


def _environ(run: Run, target: Target | None) -> dict[str, str]:
    from trailboss.cli.passthrough import pointed_at

    environ = dict(os.environ)
    coloured = run.output.color and run.output.out.isatty() and not run.output.as_json
    environ.update({"FORCE_COLOR": "1"} if coloured else {"NO_COLOR": "1", "FORCE_COLOR": "0"})
    environ.setdefault("WRANGLER_HIDE_BANNER", "true")
    return pointed_at(target, environ) if target is not None else environ


def resolvers_of(run: Run) -> Resolvers:
    """Where references of dotenv files resolve. The vault is thought of only when something asks for it."""
    from trailboss.secrets import Resolver

    def make(entries: Mapping[str, Entry]) -> Resolver:
        asks = any(mark in entry.value for entry in entries.values() for mark in ("op:", "$", "{{"))
        return Resolver(run.environ, None, entries, run.vaults if asks else None)

    return make


def tests_of(run: Run) -> tuple[Command, TestSettings]:
    """The project's end-to-end tests.

    Raises:
        UsageError: TB9466 the project does not say what they are.
    """
    from trailboss.develop.settings import TestSettings
    from trailboss.develop.testing import Command

    settings = run.project.section("test", TestSettings)
    if not settings.command:
        raise UsageError(
            "TB9466",
            "the project does not say how its end-to-end tests are run",
            hint='Write `command = "npm run e2e"` under [test] in trailboss.toml.',
            where=run.project.locate("test"),
        )
    return Command(settings.command, (), run.project.root, dict(os.environ), settings.timeout), settings


@dataclass(frozen=True, slots=True)
class Public:
    """A tunnel and the host name at it."""

    tunnel: str
    hostname: str


def public_of(run: Run, asked: dict[str, Any]) -> Public | None:
    """Where the server is to be seen from outside; None when nobody asked for that.

    Raises:
        UsageError: TB9467 only one of the two was given.
    """
    tunnel, hostname = asked.pop("tunnel"), asked.pop("hostname")
    settings = dev_settings(run)
    if tunnel is None and hostname is None and settings.tunnel is None:
        return None
    tunnel, hostname = tunnel or settings.tunnel, hostname or settings.hostname
    if tunnel is None or hostname is None:
        missing = "--hostname HOST" if hostname is None else "--tunnel NAME"
        raise UsageError(
            "TB9467",
            f"a tunnel leads to a host name: {missing} is missing",
            hint="Give both, or write `tunnel` and `hostname` under [dev] in trailboss.toml.",
        )
    return Public(tunnel, hostname)


def files_of(run: Run, doing: str) -> Files | None:
    """Where what the command makes for good is written; None where there is no project."""
    from trailboss.develop.files import Files

    def wrote(file: Path) -> None:
        shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
        if not run.output.as_json:
            run.output.note(f"  written into {shown}")

    if run.project.file is None and not run.project.workers:
        return None
    return Files(lambda: Run(same_folder(run.options), run.output).project, doing, wrote)


Session = Callable[["Cloud | None", "Public | None"], Coroutine[Any, Any, "Ended"]]


def session_of(
    run: Run, wish: Wish, workers: tuple[Worker, ...], tests: Command | None, patience: float | None
) -> Session:
    """The whole session, to be run with or without a connection to the account."""
    from trailboss.develop.dev import dev
    from trailboss.develop.exposed import Exposure
    from trailboss.develop.setup import check

    log, also = Log(run), (run.project.file,) if run.project.file else ()

    async def session(cloud: Cloud | None, public: Public | None) -> Ended:
        beside: tuple[Beside, ...] = ()
        if cloud is not None and public is not None:
            check(wish, workers)  # nothing is made for a server that could not start
            files = files_of(run, "dev --tunnel")
            found = await Exposure.prepare(cloud, public.tunnel, public.hostname, log, files)
            beside = (found.run,)
        return await dev(
            wish,
            workers,
            resolvers_of(run),
            log,
            reload=lambda: again(run),
            also=also,
            beside=beside,
            tests=tests,
            patience=patience,
        )

    return session


class Log:
    """The merged log: a line for a person, or an event for a program."""

    def __init__(self, run: Run) -> None:
        self._output = run.output

    def __call__(self, said: Said | Crashed) -> None:
        from trailboss.develop.keeper import Crashed
        from trailboss.develop.lines import Entry, Ready, Reloaded
        from trailboss.develop.session import seconds

        self._output.settle()
        if self._output.as_json:
            self._output.event({"event": type(said).__name__.lower(), "time": time.time(), **_fields(said)})
        elif isinstance(said, Ready):
            self._line("dev", f"ready at {said.url} in {seconds(said)}", "1")
        elif isinstance(said, Reloaded):
            self._line("dev", f"reloaded in {seconds(said)}", "32")
        elif isinstance(said, Crashed):
            entry = said.entry()
            self._line(entry.source, entry.text, _LEVELS[entry.level])
        elif isinstance(said, Entry) and (said.level != "debug" or self._output.verbose):
            self._line(said.source, said.text, _LEVELS[said.level])

    def _line(self, source: str, text: str, style: str) -> None:
        output = self._output
        text = text if output.color and output.out.isatty() else _ANSI.sub("", text)
        clock = output.style(time.strftime("%H:%M:%S"), "2", output.out)
        name = output.style(f"{source:6}", _COLOURS.get(source, "0"), output.out)
        said = text if style == "0" else output.style(text, style, output.out)
        output.line(f"{clock} {name} {said}")


def _fields(said: Any) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(said)
