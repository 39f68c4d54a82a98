"""What stands before or after any command: which files, which environment, which target, how to print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Options:
    """The global options of one run, as typed."""

    env: str | None = None
    config: tuple[str, ...] = ()
    cwd: str | None = None
    env_file: tuple[str, ...] = ()
    profile: str | None = None
    target: str | None = None
    json: bool = False
    stats: bool = False
    verbose: bool = False
    yes: bool = False
    color: bool = True


class Global(NamedTuple):
    """One global option: its spellings, how click declares it, and whether wrangler knows it."""

    spellings: tuple[str, ...]
    settings: dict[str, Any]
    wrangler: bool


GLOBALS = (
    Global(("-e", "--env"), {"metavar": "NAME", "help": "Environment to act on."}, True),
    Global(
        ("-c", "--config"),
        {"multiple": True, "metavar": "FILE", "help": "wrangler configuration file."},
        True,
    ),
    Global(("--cwd",), {"metavar": "FOLDER", "help": "Run as if started in this folder."}, True),
    Global(
        ("--env-file",),
        {"multiple": True, "metavar": "FILE", "help": "dotenv file to read; may repeat."},
        True,
    ),
    Global(("--profile",), {"metavar": "NAME", "help": "wrangler's authentication profile."}, True),
    Global(("--target",), {"metavar": "NAME", "help": "Where: sandbox, sandbox:NAME or cloudflare."}, False),
    Global(("--json",), {"is_flag": True, "help": "Print one JSON document on standard output."}, False),
    Global(("--stats",), {"is_flag": True, "help": "Say how many API requests were made."}, False),
    Global(
        ("--verbose",), {"is_flag": True, "help": "Say more; show the trace of an unexpected error."}, False
    ),
    Global(("-y", "--yes"), {"is_flag": True, "help": "Answer every question with yes."}, True),
    Global(("--color/--no-color",), {"default": True, "help": "Colours and moving progress."}, False),
)

OURS_ALONE = frozenset({"--target", "--cwd", "--stats", "--verbose", "--no-color", "--color"})
"""Taken out of a command line before wrangler sees it: it does not know them, or (`--cwd`) they are done."""


def without_ours(arguments: list[str]) -> list[str]:
    """The arguments wrangler may see: the same, without the options that only Trailboss knows."""
    kept: list[str] = []
    position = 0
    while position < len(arguments):
        word = arguments[position]
        if word == "--":
            return kept + arguments[position:]
        name = word.partition("=")[0]
        position += 1
        if name not in OURS_ALONE:
            kept.append(word)
        elif name in ("--target", "--cwd") and "=" not in word:
            position += 1
    return kept


def peek(arguments: list[str]) -> Options:
    """The global options in `arguments`, read without knowing the command: what wrangler's commands need."""
    values: dict[str, list[str]] = {}
    position = 0
    while position < len(arguments) and arguments[position] != "--":
        name, equals, value = arguments[position].partition("=")
        position += 1
        if name not in _VALUED:
            values.setdefault(name, [])
            continue
        if not equals:
            value = arguments[position] if position < len(arguments) else ""
            position += 1
        values.setdefault(_VALUED[name], []).append(value)
    return Options(
        env=_last(values, "env"),
        config=tuple(values.get("config", ())),
        cwd=_last(values, "cwd"),
        env_file=tuple(values.get("env_file", ())),
        profile=_last(values, "profile"),
        target=_last(values, "target"),
        json="--json" in values,
        stats="--stats" in values,
        verbose="--verbose" in values,
        color="--no-color" not in values,
    )


_VALUED = {
    "-e": "env",
    "--env": "env",
    "-c": "config",
    "--config": "config",
    "--cwd": "cwd",
    "--env-file": "env_file",
    "--profile": "profile",
    "--target": "target",
}


def _last(values: dict[str, list[str]], name: str) -> str | None:
    return values[name][-1] if values.get(name) else None
