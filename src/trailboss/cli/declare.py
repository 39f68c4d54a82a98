"""How a command is declared: a click command that takes the global options anywhere and shows examples in
its help.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from trailboss.cli.options import GLOBALS, Options
from trailboss.cli.spelling import Shapes, normalise

_NUMBERS = (click.types.IntParamType, click.types.FloatParamType)
"""With their ranges: click would call them INTEGER RANGE."""

_FIELDS = tuple(Options.__dataclass_fields__)


class Elsewhere(Exception):
    """Raised by a command that finds out that wrangler has to do all of it; the text says why."""


class ReaderGone(Exception):
    """Standard output was closed by its reader. Not an OSError: click would end the process with status 1."""


class Command(click.Command):
    """A command line of ours. `examples` are shown in help and run by the tests."""

    examples: tuple[str, ...] = ()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Accept wrangler's (yargs') spellings, then let click do its work."""
        return super().parse_args(ctx, normalise(args, Shapes(self.params)))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """This command's options first, then the ones every command has."""
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and param.param_type_name == "option":
                (shared if param.name in _FIELDS or "--help" in param.opts else own).append(record)
        for title, records in (("Options", own), ("Everywhere", shared)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, each on one line: they are there to be copied."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


def command(*examples: str) -> Callable[[Callable[..., int | None]], Command]:
    """Declare a command from a function `(run, **arguments) -> None`; the function's docstring is the
    help text.
    """

    def declare(function: Callable[..., int | None]) -> Command:
        params = list(reversed(getattr(function, "__click_params__", [])))
        taken = {spelling for param in params for spelling in param.opts}
        for name in GLOBALS:
            spellings = [spelling for spelling in name.spellings if spelling not in taken]
            params.append(click.Option(spellings, **name.settings))
        for param in params:
            if param.metavar is None and isinstance(param.type, _NUMBERS):
                param.metavar = "N"
        made = Command(
            name=function.__name__.strip("_"),
            callback=_entry(function),
            params=params,
            help=(function.__doc__ or "").strip(),
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
        )
        made.examples = examples
        return made

    return declare


def _entry(function: Callable[..., int | None]) -> Callable[..., int | None]:
    def call(**arguments: Any) -> int | None:
        from trailboss.cli.run import Run

        options = Options(**{name: arguments.pop(name) for name in _FIELDS})
        run = Run.start(options)
        try:
            return function(run, **arguments)
        except BrokenPipeError:
            raise ReaderGone from None
        finally:
            run.end()

    return call


worker_name = click.option(
    "--name", metavar="WORKER", help="Worker to act on; else the one in the configuration."
)
