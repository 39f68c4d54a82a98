"""Keeps the code that `dataclasses` generates, as Python keeps that of modules.

For every dataclass the standard library writes the text of its methods and compiles it, at each start anew:
with a hundred of them that is a third of a command's time. `dataclasses` calls `exec` with such a text; here
the same text gets the code that was compiled for it before. Nothing else changes, and where a later Python
does it differently nothing happens at all.
"""

from __future__ import annotations

import atexit
import builtins
import dataclasses
import hashlib
import marshal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType
from typing import Any

from trailboss.toolchain.folders import cache_root
from trailboss.toolchain.own import read_own, write_own

MOST = 8 * 1024 * 1024
_SEAL = 32


def keep_generated(name: str) -> None:
    """From now on use, and at the end of the process keep, the code for the command called `name`."""
    kept = Kept(cache_root() / "compiled" / hashlib.sha256(name.encode()).hexdigest()[:24])
    vars(dataclasses)["exec"] = kept.execute
    atexit.register(kept.save)


class Kept:
    """Code by its text, in one file for this Python; a file that is damaged or not ours alone is not read."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known = self._read()
        self._used: dict[bytes, CodeType] = {}

    def execute(self, text: Any, space: dict[str, Any], names: Mapping[str, object]) -> None:
        """As the builtin `exec` with a text."""
        key = hashlib.blake2b(text.encode(), digest_size=16).digest()
        code = self._used.get(key) or self._known.get(key)
        if code is None:
            code = compile(text, "<string>", "exec", dont_inherit=True)
        self._used[key] = code
        builtins.exec(code, space, names)  # noqa: S102 - the standard library's own text

    def save(self) -> None:
        """Write what was used, if some of it is new. A folder that cannot be written is no matter."""
        if sys.dont_write_bytecode or self._used.keys() <= self._known.keys():
            return
        data = marshal.dumps(self._used)
        try:
            write_own(self.file, _seal(data) + data)
        except OSError:
            return

    def _read(self) -> dict[bytes, CodeType]:
        data = read_own(self.file, MOST) or b""
        if data[:_SEAL] != _seal(data[_SEAL:]):
            return {}
        found: dict[bytes, CodeType] = marshal.loads(data[_SEAL:])  # noqa: S302 - ours, and whole
        return found


def _seal(data: bytes) -> bytes:
    """A checksum over `data` and the Python it is for: marshal must never see anything else."""
    return hashlib.blake2b(
        data, digest_size=_SEAL, key=hashlib.sha256(sys.version.encode()).digest()
    ).digest()
