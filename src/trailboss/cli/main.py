"""From a command line to an exit status: find the command, run it or hand it to wrangler, show what went
wrong.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from trailboss.cli.table import OURS, Entry
from trailboss.cli.words import Line, split

if TYPE_CHECKING:
    from trailboss.cli.declare import Command

HELP = ("-h", "--help")
VERSION = ("-v", "--version")
WRANGLER_PRINTS_JSON = ("versions list", "versions view", "deployments list", "deployments status", "whoami")


def main(argv: list[str]) -> int:
    """Run `argv` (without the program's name).

    Returns the exit status: 0 done, 1 failed, 2 usage or configuration, 4 rolled back, 5 conflict, 6 refused,
    130 interrupted. A command of wrangler's replaces this process.
    """
    line = split(argv)
    try:
        if argv[:2] == ["complete", "--"]:
            return _complete(argv[2:])
        return _dispatch(line)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:
        return _reader_gone()
    except Exception as error:  # noqa: BLE001 - the last net: a traceback shown to a user is a bug
        return _failed(error, line)


def _reader_gone() -> int:
    """Whoever read our output has enough of it: nothing went wrong."""
    from trailboss.cli.failure import silence_stdout

    silence_stdout()
    return 0


def _dispatch(line: Line) -> int:
    ours = line.words in OURS and line.words != "wrangler"
    if any(word in VERSION for word in (line.arguments if ours else line.leading)):
        from trailboss.version import __version__

        sys.stdout.write(f"trailboss {__version__}\n")
        return 0
    entry = OURS.get(line.words)
    if entry is not None and entry.module:
        return _run(entry, line)
    if line.words == "wrangler":
        return _hand_over(line)
    if line.command and (not line.is_group or any(not word.startswith("-") for word in line.rest)):
        from trailboss.cli.doubt import doubt

        return _hand_over(line, doubt(line))
    return _overview(line)


def _complete(words: list[str]) -> int:
    from trailboss.cli.complete import candidates

    sys.stdout.writelines(f"{word}\t{about}\n" for word, about in candidates(words))
    return 0


def _overview(line: Line) -> int:
    from trailboss.cli import help as texts

    text = texts.group(line.command[0]) if line.command else texts.overview()
    asked = not line.command and not line.arguments
    asked = asked or any(word in HELP for word in line.arguments)
    (sys.stdout if asked else sys.stderr).write(f"{text}\n")
    return 0 if asked else 2


def load(entry: Entry) -> Command:
    """The click command behind an entry of the table."""
    import importlib

    module, _, attribute = entry.module.partition(":")
    found: Command = getattr(importlib.import_module(f"trailboss.cli.commands.{module}"), attribute)
    return found


def _run(entry: Entry, line: Line) -> int:
    from trailboss.toolchain.compiled import keep_generated

    keep_generated(line.words)
    import click

    from trailboss.cli.declare import Elsewhere, ReaderGone

    if entry.wrangler and any(word.partition("=")[0] == "--profile" for word in line.arguments):
        return _hand_over(line, "--profile is a login of wrangler's: the whole command goes there")
    command = load(entry)
    try:
        status = command.main(args=line.arguments, prog_name=f"trailboss {line.words}", standalone_mode=False)
    except click.NoSuchOption as error:
        if not entry.wrangler:
            raise
        from trailboss.cli.doubt import options_like

        return _instead(
            line, error.option_name, options_like(error.option_name, command, error.possibilities)
        )
    except click.UsageError as error:
        error.ctx = error.ctx or click.Context(command, info_name=f"trailboss {line.words}")
        raise
    except ReaderGone:
        return _reader_gone()
    except Elsewhere as reason:
        return _hand_over(line, str(reason))
    except click.Abort:
        raise KeyboardInterrupt from None
    return int(status or 0)


def _instead(line: Line, option: str, near: str) -> int:
    """An option we do not know, on a command wrangler has: wrangler takes the whole line."""
    if "--json" in line.arguments and line.words not in WRANGLER_PRINTS_JSON:
        from trailboss.errors import UsageError

        raise UsageError(
            "TB9006",
            f"{option} is no option of ours, and wrangler's {line.words} cannot answer in JSON",
            hint=f"Leave out --json or {option}." + (f" Or did you mean {near}?" if near else ""),
        )
    doubt = f" (or did you mean {near}?)" if near else ""
    return _hand_over(line, f"{option} is not an option of ours{doubt}: the whole command goes to wrangler")


def _hand_over(line: Line, notice: str = "") -> int:
    from trailboss.cli.passthrough import hand_over

    return hand_over(line, notice)


def _failed(error: Exception, line: Line) -> int:
    from trailboss.cli.failure import show
    from trailboss.cli.options import peek
    from trailboss.cli.output import Output

    options = peek(line.arguments)
    return show(error, Output(json=options.json, verbose=options.verbose, color=options.color))
