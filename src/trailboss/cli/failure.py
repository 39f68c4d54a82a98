"""The one place that shows an error: what happened, where, and what to do next. A traceback only with
`--verbose`.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

from trailboss.errors import TrailbossError, UsageError

if TYPE_CHECKING:
    from trailboss.cli.output import Output

INTERRUPTED = 130


class Unexpected(TrailbossError):
    """TB9999: something inside Trailboss broke."""


def as_error(error: BaseException) -> TrailbossError:
    """`error` as one of ours; anything we did not foresee becomes TB9999 and tells no values, only the
    place.
    """
    if isinstance(error, TrailbossError):
        return error
    import click

    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, OSError) and error.filename is not None:
        return UsageError("TB9008", f"{error.filename}: {(error.strerror or 'cannot be used').lower()}")
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return as_error(error.exceptions[0])
    place = _place(error)
    return Unexpected(
        "TB9999",
        f"something inside Trailboss broke: {type(error).__name__}{place}",
        hint="Run it again with --verbose and report the trace, together with `trailboss doctor --json`.",
    )


def _usage(error: Any) -> TrailbossError:
    import click

    command = error.ctx.command_path if getattr(error, "ctx", None) else "trailboss"
    hint = f"`{command} --help` shows what it takes."
    codes = {click.NoSuchOption: "TB9002", click.MissingParameter: "TB9003", click.BadParameter: "TB9004"}
    code = next((code for kind, code in codes.items() if isinstance(error, kind)), "TB9005")
    message = error.format_message().rstrip(".")
    message = message.replace("valid integer range", "whole number").replace("valid float range", "number")
    return UsageError(code, message[:1].lower() + message[1:], hint=hint)


def _place(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "trailboss" in frame.filename]
    if not frames:
        return ""
    last = frames[-1]
    return f" in {last.filename.rpartition('trailboss/')[2]}:{last.lineno}"


def show(error: BaseException, output: Output) -> int:
    """Render `error` and return the exit status it stands for."""
    output.settle()
    known = as_error(error)
    if output.as_json:
        try:
            output.document(known.as_json())
        except BrokenPipeError:
            silence_stdout()
    else:
        for line in _lines(known, output):
            output.note(line)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from trailboss.cli.pipelines import annotation

        output.note(annotation(known))
    if output.verbose and isinstance(known, Unexpected):
        traceback.print_exception(error, file=output.err)
    return known.exit_status


def _lines(error: TrailbossError, output: Output) -> list[str]:
    cross = output.style("✗", "31;1")
    lines = [f"{cross} {output.style(_sentence(error.message), '1')}  {output.style(error.code, '2')}"]
    if error.where is not None:
        lines.append(f"  {output.style('at', '2')}   {error.where}")
    if error.hint:
        lines.append(f"  {output.style('Try:', '36')} {error.hint}")
    return lines


def _sentence(message: str) -> str:
    """With a capital where it begins with a word, and not with the name of a file or a host."""
    first = message.split(maxsplit=1)[0] if message.split() else ""
    capital = first.rstrip(",:;").isalpha() and first.islower()
    return (message[:1].upper() if capital else message[:1]) + message[1:].removesuffix(".")


def silence_stdout() -> None:
    """The reader of our output has gone: send what is still buffered nowhere, and stay quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
