"""Edits of several files that belong together: all of them are written, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trailboss.config.edit import Change, edited, rewrite
from trailboss.config.source import read_source
from trailboss.errors import ConfigError
from trailboss.values import Location

Edits = Mapping[Path, Sequence[Change] | str]
"""Changes by file; a text is a file to be made, which must not exist yet."""


def rewrite_together(edits: Edits, check: Callable[[], object] | None = None) -> tuple[Path, ...]:
    """Applies all `edits`, in order, and returns the files that changed.

    Every edit is computed before the first file is touched. When a later file cannot be written, or `check`
    (called when all are written) raises, the earlier ones get their old content back and the error goes on.
    Raises ConfigError as `edit.rewrite`; TB1305 when a file to be made is there already.
    """
    for file, change in edits.items():
        if not isinstance(change, str):
            edited(read_source(file), change)
        elif file.exists():
            raise ConfigError("TB1305", "this file is there already", where=Location(file))
    before: dict[Path, bytes | None] = {}
    try:
        for file, change in edits.items():
            before[file] = None if isinstance(change, str) else file.read_bytes()
            if not _write(file, change):
                del before[file]
        if check is not None:
            check()
    except BaseException:
        _undo(before)
        raise
    return tuple(before)


def _write(file: Path, change: Sequence[Change] | str) -> bool:
    if not isinstance(change, str):
        return rewrite(file, change)
    try:
        with file.open("x", encoding="utf-8", newline="") as stream:
            stream.write(change)
    except OSError as error:
        raise ConfigError(
            "TB1306", f"the file cannot be made: {error.strerror}", where=Location(file)
        ) from error
    return True


def _undo(before: Mapping[Path, bytes | None]) -> None:
    """The old content through the same file, so that its mode and links stay. What was made goes."""
    for file, content in reversed(list(before.items())):
        if content is None:
            file.unlink(missing_ok=True)
        elif file.read_bytes() != content:
            file.write_bytes(content)
