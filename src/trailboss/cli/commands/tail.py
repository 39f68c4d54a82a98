"""`trailboss tail`: requests, logs and exceptions as they happen."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from trailboss.cli.declare import Elsewhere, command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural, seconds

if TYPE_CHECKING:
    from trailboss.observe.items import Item, TailSummary

UNATTENDED_SECONDS = 60.0


class Duration(click.ParamType[float]):
    """`60`, `60s`, `5m`, `1h`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        try:
            return value if isinstance(value, float) else seconds(value)
        except ValueError:
            self.fail(f"{value!r} is not a duration such as 60s, 5m or 1h", param, ctx)


@command(
    "trailboss tail --env staging --for 5m",
    "trailboss tail --env production --format json --filter 'level:error status:5xx' > errors.ndjson",
)
@click.argument("workers", nargs=-1, metavar="[WORKER]...")
@click.option("--name", metavar="WORKER", help="The Worker, as an option.")
@click.option(
    "--format", "kind", type=click.Choice(["json", "pretty"]), help="json is the default when piped."
)
@click.option("--for", "span", type=Duration(), metavar="TIME", help="End after this long (60s when piped).")
@click.option(
    "--filter", "words", multiple=True, metavar="WORDS", help="level: status: path: …, -not, or text."
)
@click.option("--output", "file", metavar="FILE", help="Append to a file instead.")
@click.option(
    "--status", multiple=True, type=click.Choice(["ok", "error", "canceled"]), help="Only these outcomes."
)
@click.option("--header", metavar="NAME[:VALUE]", help="Only requests with this header.")
@click.option("--method", multiple=True, help="Only these HTTP methods.")
@click.option("--sampling-rate", type=float, metavar="0..1", help="Only a part of all events.")
@click.option("--search", metavar="TEXT", help="Only events with this in their logs.")
@click.option("--ip", multiple=True, metavar="ADDRESS", help="Only from this address; `self` is yours.")
@click.option("--version-id", metavar="ID", help="Only events of this version.")
def tail(
    run: Run, *, workers: tuple[str, ...], name: str | None, kind: str | None, file: str | None, **asked: Any
) -> None:
    """Follow a Worker, or several at once, until Ctrl-C.

    The words of --filter that name the same field are alternatives, words on different fields must all
    hold, and a dash in front means not. Without a terminal it ends by itself after a minute, unless --for
    says otherwise. A lost connection is made again, and the time in between is reported.
    """
    named = workers or ((name,) if name else ())
    if any("." in worker or "/" in worker for worker in named):
        raise Elsewhere("tail of a route is wrangler's: the whole command goes there")
    scripts = [run.script(worker) for worker in named] or [worker.name for worker in run.workers()]
    span = asked.pop("span")
    if span is None and not sys.stdout.isatty():
        span = UNATTENDED_SECONDS
    with ExitStack() as stack:
        out = stack.enter_context(Path(file).open("a")) if file else run.output.out
        as_json = run.output.as_json or kind == "json" or (kind is None and not out.isatty())
        run.announce(", ".join(scripts))
        done = _follow(
            run, scripts, _Writer(run.output, out, as_json=as_json, prefixed=len(scripts) > 1), span, asked
        )
    gaps = f", {plural(done.gaps, 'gap')}" if done.gaps else ""
    run.output.note(f"{plural(done.received, 'event')}, {done.shown} shown{gaps}, in {done.seconds:.0f} s")


def _follow(
    run: Run, scripts: list[str], write: _Writer, span: float | None, asked: dict[str, Any]
) -> TailSummary:
    from trailboss.observe.matching import read_matcher
    from trailboss.observe.server_filters import ServerFilters
    from trailboss.observe.tail import tail as follow

    words = [word for group in asked.pop("words") for word in group.split()]
    match, filters = read_matcher(words), ServerFilters(**asked)
    filters.as_wire()  # a wrong filter is said before anything is asked of the account
    return run.call(lambda cloud: follow(cloud, scripts, write, filters=filters, match=match, seconds=span))


class _Writer:
    """Puts one item where it belongs: events and gaps to the result, everything else to the story."""

    def __init__(self, output: Output, out: TextIO, *, as_json: bool, prefixed: bool) -> None:
        self._output = output
        self._out = out
        self._as_json = as_json
        self._prefixed = prefixed

    def __call__(self, item: Item) -> None:
        from trailboss.observe.items import Connected
        from trailboss.observe.pretty import as_json, as_text

        prefix = f"{item.worker}  " if self._prefixed else ""
        if isinstance(item, Connected):
            self._output.note(self._output.style(as_text(item), "2"))
            return
        text = as_json(item) if self._as_json else self._coloured(as_text(item, prefix=prefix))
        self._out.write(text + "\n")
        self._out.flush()

    def _coloured(self, text: str) -> str:
        return "\n".join(self._output.style(line, _colour(line), self._out) for line in text.split("\n"))


def _colour(line: str) -> str:
    """Red for what went wrong, yellow for warnings, quiet for the stack."""
    bare = line.strip()
    if bare.startswith(("✘", "(error)")) or any(word in line for word in _BAD):
        return "31"
    if bare.startswith(("(warn)", "--")):
        return "33"
    return "2" if bare.startswith("at ") else "0"


_BAD = (" - Exception Thrown @", " - Exceeded CPU Limit @", " - Exceeded Memory Limit @")
