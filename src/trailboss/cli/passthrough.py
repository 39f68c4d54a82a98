"""Hand a command line to wrangler: same words, same terminal, same exit status; our environment and target.

This process becomes wrangler (exec), so that standard input, colours, signals and the exit status are
wrangler's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Never

from trailboss.cli.flatten import flat_config, is_unknown, without_environment
from trailboss.cli.options import peek, without_ours
from trailboss.cli.words import Line
from trailboss.errors import AuthenticationError, SandboxError, UsageError

if TYPE_CHECKING:
    from trailboss.cli.run import Run
    from trailboss.cloud import Target

OFFLINE = frozenset({"types", "docs", "setup", "dev", "telemetry", "login", "logout", "auth", "init"})
"""wrangler's commands that work without any account, so also while the sandbox is not running."""

DISPLACING = (
    "CLOUDFLARE_EMAIL",
    "CLOUDFLARE_API_KEY",
    "CF_EMAIL",
    "CF_API_KEY",
    "CF_API_TOKEN",
    "CF_ACCOUNT_ID",
)
"""Variables that would win over the target's token in wrangler."""


def hand_over(line: Line, notice: str = "") -> Never:
    """Become wrangler for `line`; `notice` is said first.

    Raises:
        UsageError: TB9007 when the program cannot be replaced by wrangler.
        TrailbossError: what finding the target or the toolchain raises.
    """
    from trailboss.cli.run import Run
    from trailboss.toolchain.folders import with_programs

    run = Run.start(replace(peek(line.arguments), json=False))  # from here on we are in the folder of --cwd
    command = find(Path.cwd(), run.output.progress)
    run.output.settle()
    environ = environment(run, line)
    command += _resolved(run, line, environ)
    if notice:
        run.output.note(run.output.style(notice, "33"))
    _become(command, with_programs(environ, Path.cwd()))


def arguments(line: Line) -> list[str]:
    """The words wrangler gets: today's spelling of the command, and every option in the order it was
    written.
    """
    command = [] if line.words == "wrangler" else list(line.command)
    return [*without_ours(line.leading), *command, *without_ours(line.rest)]


def _resolved(run: Run, line: Line, environ: dict[str, str]) -> list[str]:
    """The words for wrangler; with a flat configuration where the environment is more than wrangler knows."""
    words = arguments(line)
    if line.words == "wrangler" or not line.command or not _has_a_say(run) or _asks_for_help(line):
        return words
    file = flat_config(run.project, line)
    if file is None and not is_unknown(run.project, line):
        return words
    environ.pop("CLOUDFLARE_ENV", None)
    if file is None:
        return without_environment(words)
    return [*without_environment(words), "--config", str(file)]


def _asks_for_help(line: Line) -> bool:
    return any(word in ("-h", "--help") for word in line.arguments)


def find(here: Path, progress: Callable[[str], None]) -> list[str]:
    """`[node, wrangler]`: the project's own wrangler, else the pinned one; always on a Node that can run
    it.
    """
    from trailboss.toolchain import ensure, node_binary

    for up in (here, *here.parents):
        own = up / "node_modules" / "wrangler" / "bin" / "wrangler.js"
        if own.is_file():
            return [str(node_binary()), str(own)]
    toolchain = ensure(progress)
    return [str(toolchain.node), str(toolchain.wrangler)]


def environment(run: Run, line: Line) -> dict[str, str]:
    """The variables wrangler gets: this process's, with the target's account and the environment's name."""
    environ = dict(os.environ)
    if not run.options.color:
        environ.update(NO_COLOR="1", FORCE_COLOR="0")
    if _asks_for_help(line) or not _has_a_say(run):
        return environ
    target = _target(run, line)
    if target is not None:
        environ = pointed_at(target, environ)
    name = run.project.environment.name
    if name and run.options.env is None and run.project.environment.source != "CLOUDFLARE_ENV":
        environ["CLOUDFLARE_ENV"] = name
    if sys.stderr.isatty():
        where = target.name if target else "wrangler's own login"
        run.output.note(
            run.output.style(f"wrangler · environment {name or '(top level)'} · target {where}", "2")
        )
    return environ


def _has_a_say(run: Run) -> bool:
    """Whether anything of ours chooses a target or an environment; wrangler finds its account itself
    otherwise (it may be logged in), and then nothing is read, so that handing over stays quick.
    """
    if run.options.target or os.environ.get("TRAILBOSS_TARGET") or os.environ.get("TRAILBOSS_ENV"):
        return True
    here = Path.cwd()
    if any((up / "trailboss.toml").is_file() for up in (here, *here.parents)):
        return True
    return run.environ.is_pending  # a token that is a reference: wrangler would send the reference itself


def _target(run: Run, line: Line) -> Target | None:
    """The target; None when there is no credential for it but wrangler may have one, or needs none."""
    try:
        return run.target
    except AuthenticationError:
        return None
    except SandboxError:
        if line.command[:1] and line.command[0] in OFFLINE:
            return None
        raise


def pointed_at(target: Target, environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with the target's account in the variables wrangler reads, and nothing that would
    displace it.
    """
    from trailboss.values import Secret

    changed = {name: value for name, value in environ.items() if name not in DISPLACING}
    changed["CLOUDFLARE_API_BASE_URL"] = target.base_url
    if target.account_id:
        changed["CLOUDFLARE_ACCOUNT_ID"] = target.account_id
    if isinstance(target.token, Secret):
        changed["CLOUDFLARE_API_TOKEN"] = target.token.reveal()
    else:
        changed.pop("CLOUDFLARE_API_TOKEN", None)
        changed["CLOUDFLARE_EMAIL"] = target.token.email
        changed["CLOUDFLARE_API_KEY"] = target.token.key.reveal()
    return changed


def _become(command: list[str], environ: Mapping[str, str]) -> Never:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(command[0], command, dict(environ))  # noqa: S606 - no shell is the point
    except OSError as error:
        raise UsageError("TB9007", f"{command[0]} cannot be started: {error.strerror}") from error
