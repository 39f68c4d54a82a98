"""wrangler parses its options with yargs; this rewrites what yargs accepts into what click accepts.

yargs takes `--dryRun` for `--dry-run`, `--minify false` and `--no-minify` for a flag, and everything up
to the next option as values of an array option (`--var A:1 B:2`). See
https://yargs.js.org/docs/#api-reference-parserconfigurationobj.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


class Shapes:
    """Which options of a command are flags, which take one value, which take many."""

    def __init__(self, params: Iterable[click.Parameter]) -> None:
        self.flags: dict[str, str | None] = {}
        self.many: set[str] = set()
        self.single: set[str] = set()
        for param in params:
            if param.param_type_name != "option":
                continue
            if getattr(param, "is_flag", False):
                off = next(iter(param.secondary_opts), None)
                self.flags.update(dict.fromkeys(param.opts, off))
                self.flags.update(dict.fromkeys(param.secondary_opts, param.opts[0]))
            elif param.multiple:
                self.many.update(param.opts)
            else:
                self.single.update(param.opts)

    def __contains__(self, name: str) -> bool:
        return name in self.flags or name in self.many or name in self.single

    def known(self, name: str) -> str:
        """The option in our spelling: `--dryRun` is `--dry-run` when that exists."""
        if name in self or not name.startswith("--"):
            return name
        kebab = _HUMP.sub(lambda match: "-" + match.group(1).lower(), name)
        return kebab if kebab in self else name


def normalise(arguments: list[str], shapes: Shapes) -> list[str]:
    """The same command line with every option spelled as click declares it."""
    return list(_rewrite(arguments, shapes))


def _rewrite(arguments: list[str], shapes: Shapes) -> Iterator[str]:
    position = 0
    while position < len(arguments):
        word = arguments[position]
        position += 1
        if word == "--":
            yield from arguments[position - 1 :]
            return
        if not word.startswith("--"):
            short, equals, value = word.partition("=")
            if equals and (short in shapes.single or short in shapes.many):
                yield from (short, value)
                continue
            yield word
            if word in shapes.single or word in shapes.many:
                _refuse_option(word, arguments[position : position + 1], shapes)
                yield from arguments[position : position + 1]
                position += 1
            continue
        name, equals, value = word.partition("=")
        name = shapes.known(name)
        if name not in shapes and shapes.known(f"--{name[5:]}") in shapes.flags and name.startswith("--no-"):
            name, equals, value = shapes.known(f"--{name[5:]}"), "=", "false"
        if name in shapes.flags:
            if not equals and arguments[position : position + 1] in (["true"], ["false"]):
                value, equals = arguments[position], "="
                position += 1
            yield from _flag(name, value if equals else "true", shapes)
            continue
        yield f"{name}={value}" if equals else name
        if equals or name not in shapes:
            continue
        _refuse_option(name, arguments[position : position + 1], shapes)
        yield from arguments[position : position + 1]
        position += 1
        while name in shapes.many and position < len(arguments) and not arguments[position].startswith("-"):
            yield from (name, arguments[position])
            position += 1


def _refuse_option(name: str, following: list[str], shapes: Shapes) -> None:
    """`--name --env staging` lacks a value; click would take the next option for it."""
    if following and following[0].startswith("--") and following[0].partition("=")[0] in shapes:
        import click

        raise click.BadOptionUsage(name, f"Option '{name}' requires an argument, not {following[0]}.")


def _flag(name: str, value: str, shapes: Shapes) -> Iterator[str]:
    if value != "false":
        yield name
    elif (off := shapes.flags[name]) is not None:
        yield off
