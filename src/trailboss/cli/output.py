"""Where words go: the result to standard output, the story to standard error.

With `--json` the result is one document on standard output and nothing else is; the story stays short on
standard error. Rich is loaded only when something has to be laid out for a person.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.status import Status

PATIENCE = 0.4
"""Seconds a step may take before a spinner appears."""


def plain(value: Any) -> Any:
    """`value` as JSON types: dataclasses by field, paths and everything unknown as text, secrets as
    `<secret>`.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return str(value)


def _moves(stream: TextIO, environ: Mapping[str, str]) -> bool:
    return stream.isatty() and environ.get("TERM") != "dumb" and not environ.get("CI")


class Output:
    """The two streams of one run, and how the user wants them."""

    def __init__(
        self,
        *,
        json: bool = False,
        verbose: bool = False,
        color: bool = True,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self.as_json = json
        self.verbose = verbose
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self.color = color and not os.environ.get("NO_COLOR")
        self._spinner: Status | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._moving = self.color and not json and _moves(self.err, os.environ)

    def console(self, stream: TextIO) -> Console:
        """A Rich console on `stream`: colours only on a terminal, and no line is ever cut when piped."""
        from rich.console import Console

        terminal = stream.isatty() and self.color
        return Console(
            file=stream,
            force_terminal=terminal,
            no_color=not terminal,
            highlight=False,
            emoji=False,
            soft_wrap=not stream.isatty(),
            width=None if stream.isatty() else 10_000,
        )

    def style(self, text: str, code: str, stream: TextIO | None = None) -> str:
        """`text` with an ANSI style ("1" bold, "2" dim, "31" red, ...) when the stream shows colours."""
        stream = stream or self.err
        return f"\033[{code}m{text}\033[0m" if self.color and stream.isatty() else text

    def note(self, text: str) -> None:
        """One line of the story, on standard error."""
        with self.pause():
            self.err.write(text + "\n")
            self.err.flush()

    def warn(self, text: str) -> None:
        """A line the user should not miss."""
        self.note(f"{self.style('!', '33;1')} {text}")

    def line(self, text: str = "") -> None:
        """One line of the result, for people or for scripts that read lines."""
        with self.pause():
            self.out.write(text + "\n")
            self.out.flush()

    def show(self, *parts: RenderableType) -> None:
        """Lay out Rich renderables on standard output."""
        console = self.console(self.out)
        with self.pause(), console.capture() as captured:
            for part in parts:
                console.print(part)
        text = captured.get()
        if not console.is_terminal:
            text = "\n".join(line.rstrip() for line in text.split("\n"))
        with self.pause():
            self.out.write(text)
            self.out.flush()

    def document(self, value: Any) -> None:
        """The one JSON document of a `--json` run."""
        text = json.dumps(plain(value), indent=2, ensure_ascii=False)
        self.line(text)

    def event(self, value: Any) -> None:
        """One line of newline-delimited JSON."""
        self.line(json.dumps(plain(value), ensure_ascii=False, separators=(",", ":")))

    def progress(self, text: str, tree: Sequence[str] = ()) -> None:
        """A step begins. On a terminal a spinner shows it once it takes a while, or in its place the lines of
        `tree`; elsewhere it is a line."""
        text = text[:1].lower() + text[1:]
        if self._moving:
            self._spin("\n".join(tree) or text)
        elif not self.as_json or self.verbose:
            self.note(f"  {text}")

    def advance(self, tree: Sequence[str]) -> None:
        """The steps under way are others; only a terminal is shown that."""
        if self._moving:
            self._spin("\n".join(tree))

    def _spin(self, text: str) -> None:
        with self._lock:
            if self._spinner is not None:
                self._spinner.update(f"[dim]{_escape(text)}[/dim]")
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(PATIENCE, self._start_spinner, (text,))
            self._timer.daemon = True
            self._timer.start()

    def _start_spinner(self, text: str) -> None:
        from rich.status import Status

        with self._lock:
            if self._timer is None:
                return
            self._spinner = Status(
                f"[dim]{_escape(text)}[/dim]", console=self.console(self.err), spinner="dots"
            )
            self._spinner.start()

    def settle(self) -> None:
        """The work is over: take the spinner away."""
        with self._lock:
            timer, self._timer = self._timer, None
            spinner, self._spinner = self._spinner, None
        if timer is not None:
            timer.cancel()
        if spinner is not None:
            spinner.stop()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Write without a spinner in the way."""
        with self._lock:
            spinner = self._spinner
        if spinner is not None:
            spinner.stop()
        yield
        if spinner is not None and self._spinner is spinner:
            spinner.start()

    def ask(self, question: str, *, default: str = "", hidden: bool = False) -> str:
        """A question on the terminal; the answer, or `default` when it was empty."""
        self.settle()
        import click

        with _interruptible():
            return str(click.prompt(question, default=default or None, hide_input=hidden, err=True))

    def confirm(self, question: str) -> bool:
        """A yes-or-no question on the terminal; no is the default."""
        self.settle()
        import click

        with _interruptible():
            return click.confirm(question, default=False, err=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends a question at once. A running event loop would only cancel its task, which waits here."""
    import signal

    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _escape(text: str) -> str:
    return text.replace("[", r"\[")


Renderer = Callable[[Output], None]


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()
) -> RenderableType:
    """Aligned columns with quiet headings and no lines; columns in `right` are numbers."""
    from rich.table import Table
    from rich.text import Text

    made = Table(
        box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim", show_header=bool(headings)
    )
    cells = [list(row) for row in rows]
    for number, heading in enumerate(headings or ["" for _ in (cells[0] if cells else [])]):
        made.add_column(heading, justify="right" if number in right else "left", overflow="fold")
    for row in cells:
        made.add_row(*(Text.from_ansi(cell) for cell in row))
    return made
