"""What was found valid before is not checked again: loading pydantic takes longer than most commands.

A memory is one small file `<cache>/config/<name>` of the user's own. It holds a hash over everything the
answer depends on (the text of the file, its place, the environment, this program, Python and pydantic) and
the warnings of the check: never a value of the configuration. Whatever is wrong with the memory, the check
runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from trailboss.toolchain.folders import cache_root
from trailboss.toolchain.own import read_own, write_own
from trailboss.version import __version__

MOST = 512
"""Files kept; beyond it the older half goes."""
_LARGEST = 64 * 1024


def approve(subject: Iterable[str], content: Iterable[str], check: Callable[[], list[str]]) -> list[str]:
    """The warnings of `check`, without running it when it approved of the same `content` before.

    `subject` says whose content it is (a file, an environment): one memory is kept for each. Whatever `check`
    raises goes on, and nothing is remembered.
    """
    name, program = _hash(subject)[:40], _program()
    if program is None:
        return check()
    file = cache_root() / "config" / name
    key = _hash((program, name, *content))
    known = _read(file, key)
    if known is not None:
        return known
    warnings = check()
    _write(file, key, warnings)
    return warnings


def _hash(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()


@cache
def _program() -> str | None:
    """What decides besides the content: this room's code, Python, pydantic. None when they cannot be told."""
    from importlib.util import find_spec

    try:
        pydantic = find_spec("pydantic")
        files = [entry.path for entry in os.scandir(Path(__file__).parent) if entry.name.endswith(".py")]
        files += [pydantic.origin] if pydantic and pydantic.origin else []
        stats = [(file, os.stat(file)) for file in sorted(files)]  # noqa: PTH116 - a Path costs more
    except OSError:
        return None
    stamps = [f"{file} {stat.st_mtime_ns} {stat.st_size}" for file, stat in stats]
    return "\n".join((__version__, sys.version, *stamps))


def _read(file: Path, key: str) -> list[str] | None:
    """The remembered warnings; None when there is no memory of `key` that is ours alone and whole."""
    try:
        value = json.loads(read_own(file, _LARGEST) or b"")
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("key") != key:
        return None
    warnings = value.get("warnings")
    if not isinstance(warnings, list) or not all(isinstance(text, str) for text in warnings):
        return None
    return warnings


def _write(file: Path, key: str, warnings: list[str]) -> None:
    """Remember; a folder that cannot be written only means that the next command checks again."""
    data = json.dumps({"key": key, "warnings": warnings}).encode()
    if len(data) > _LARGEST:
        return
    try:
        write_own(file, data)
        _trim(file.parent)
    except OSError:
        return


def _trim(folder: Path) -> None:
    entries = list(os.scandir(folder))
    if len(entries) <= MOST:
        return
    entries.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
    for entry in entries[: len(entries) // 2]:
        Path(entry.path).unlink(missing_ok=True)
