"""Words that are no command and options that are none: what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from trailboss.cli.table import GROUPS, OURS, WRANGLER, members
from trailboss.cli.words import Line
from trailboss.errors import UsageError

if TYPE_CHECKING:
    import click


def doubt(line: Line) -> str:
    """What to say before wrangler gets `line`: "" when its words are known, or are like nothing we know.

    Raises:
        UsageError: TB9009 no such command in a group that wrangler does not have.
    """
    first = line.command[0] if line.command else ""
    if line.is_group:
        return _in_group(first, next(word for word in line.rest if not word.startswith("-")))
    if first in WRANGLER or first in GROUPS or line.words in OURS:
        return ""
    near = _nearest(first, [*GROUPS, *WRANGLER, *(words for words in OURS if " " not in words)])
    return f'There is no command "{first}". Did you mean {near}? wrangler may know it:' if near else ""


def options_like(option: str, command: click.Command, similar: Iterable[str] | None) -> str:
    """Which options of `command` may have been meant: those that begin so, else the most `similar` one."""
    known = {spelling for param in command.params for spelling in (*param.opts, *param.secondary_opts)}
    begun = sorted(spelling for spelling in known if spelling.startswith(option) and len(option) > 2)
    return " or ".join(begun or list(similar or ())[:1])


def _in_group(group: str, word: str) -> str:
    entries = members(group)
    names = list(dict.fromkeys(entry.words.split()[1] for entry in entries))
    near = "" if word.lower() in names else _nearest(word, names)
    if any(entry.wrangler for entry in entries):
        return f'There is no command "{group} {word}". Did you mean {group} {near}?' if near else ""
    hint = f"Did you mean {group} {near}? " if near else ""
    raise UsageError(
        "TB9009", f'there is no command "{group} {word}"', hint=f"{hint}There are: {', '.join(names)}."
    )


def _nearest(word: str, known: list[str]) -> str:
    return next(iter(difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.7)), "")
