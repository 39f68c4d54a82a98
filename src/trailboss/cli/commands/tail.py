"""`trailboss tail`: requests, logs and exceptions as they happen."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import Elsewhere, command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.cli.words_for import byte_count, plural, seconds
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.observe.items import Item, TailSummary
    from trailboss.observe.sinks import FileSink

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


class Bytes(click.ParamType[int]):
    """`500kB`, `10MB`, `1GiB`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        try:
            return value if isinstance(value, int) else byte_count(value)
        except ValueError:
            self.fail(f"{value!r} is not a size such as 500kB, 10MB or 1GiB", param, ctx)


@command(
    "trailboss tail --env staging --for 5m",
    "trailboss tail --env production --format json --filter 'level:error status:5xx' > errors.ndjson",
    "trailboss tail --for 24h --output events.ndjson --rotate-size 10MB --rotate-keep 5",
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
@click.option("--output", "file", metavar="FILE", help="Append the events to a file instead.")
@click.option("--rotate-size", type=Bytes(), metavar="SIZE", help="Begin a new file at 10MB, say.")
@click.option(
    "--rotate-keep", type=click.IntRange(min=1), metavar="N", help="How many old files stay (5): FILE.1 …"
)
@click.option(
    "--status", multiple=True, type=click.Choice(["ok", "error", "canceled"]), help="Only these outcomes."
)
@click.option("--header", metavar="NAME[:VALUE]", help="Only requests with this header.")
@click.option("--method", multiple=True, help="Only these HTTP methods.")
@click.option("--sampling-rate", type=float, metavar="0..1", help="Only a part of all events.")
@click.option("--search", metavar="TEXT", help="Only events with this in their logs.")
@click.option("--ip", multiple=True, metavar="ADDRESS", help="Only from this address; `self` is yours.")
@click.option("--version-id", metavar="ID", help="Only events of this version.")
def tail(run: Run, *, workers: tuple[str, ...], name: str | None, kind: str | None, **asked: Any) -> None:
    """Follow a Worker, or several at once, until Ctrl-C.

    The words of --filter that name the same field are alternatives, words on different fields must all
    hold, and a dash in front means not. Without a terminal it ends by itself after a minute, unless --for
    says otherwise. A lost connection is made again. The result is events and nothing else; gaps, sampling
    and other remarks go to standard error.
    """
    named = workers or ((name,) if name else ())
    if any("." in worker or "/" in worker for worker in named):
        raise Elsewhere("tail of a route is wrangler's: the whole command goes there")
    scripts = [run.script(worker) for worker in named] or [worker.name for worker in run.workers()]
    span = asked.pop("span")
    if span is None and not sys.stdout.isatty():
        span = UNATTENDED_SECONDS
    with ExitStack() as stack:
        sink = _sink(asked.pop("file"), asked.pop("rotate_size"), asked.pop("rotate_keep"))
        if sink is not None:
            stack.enter_context(sink)
        piped = sink is not None or not run.output.out.isatty()
        as_json = run.output.as_json or kind == "json" or (kind is None and piped)
        run.announce(", ".join(scripts))
        write = _Writer(run.output, sink, as_json=as_json, prefixed=len(scripts) > 1)
        done = _follow(run, scripts, write, span, asked)
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


def _sink(file: str | None, rotate_size: int | None, keep: int | None) -> FileSink | None:
    from trailboss.observe.sinks import FileSink

    if (rotate_size is None and keep is not None) or (file is None and rotate_size is not None):
        missing, given = (
            ("--output FILE", "--rotate-size")
            if rotate_size is not None
            else ("--rotate-size SIZE", "--rotate-keep")
        )
        raise UsageError("TB9047", f"{given} needs {missing} beside it", hint="Give both, or none.")
    return None if file is None else FileSink(Path(file), rotate_size=rotate_size, keep=keep or 5)


class _Writer:
    """Puts one item where it belongs: events to the result, everything else to the story."""

    def __init__(self, output: Output, sink: FileSink | None, *, as_json: bool, prefixed: bool) -> None:
        self._output = output
        self._sink = sink
        self._as_json = as_json
        self._prefixed = prefixed

    def __call__(self, item: Item) -> None:
        from trailboss.observe.items import Connected, Received
        from trailboss.observe.pretty import as_json, as_text

        prefix = f"{item.worker}  " if self._prefixed else ""
        if not isinstance(item, Received):
            quiet = "2" if isinstance(item, Connected) else "33"
            text = as_text(item, prefix="" if isinstance(item, Connected) else prefix)
            self._output.note(self._output.style(text, quiet))
            return
        text = as_json(item) if self._as_json else as_text(item, prefix=prefix)
        if self._sink is not None:
            self._sink.write(text)
        else:
            self._output.line(text if self._as_json else self._coloured(text))

    def _coloured(self, text: str) -> str:
        out = self._output
        return "\n".join(out.style(line, _colour(line), out.out) for line in text.split("\n"))


def _colour(line: str) -> str:
    """Red for what went wrong, yellow for warnings, quiet for the stack."""
    bare = line.strip()
    if bare.startswith(("✘", "(error)")) or any(word in line for word in _BAD):
        return "31"
    if bare.startswith("(warn)"):
        return "33"
    return "2" if bare.startswith("at ") else "0"


_BAD = (" - Exception Thrown @", " - Exceeded CPU Limit @", " - Exceeded Memory Limit @")
