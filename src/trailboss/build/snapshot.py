"""A record of files and folders that tells, later and quickly, whether anything in it has changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ABSENT = "-"


@dataclass(slots=True)
class Snapshot:
    """`files`: path -> [stamp, sha256, or "-" for absent]; `folders`: path -> [stamp, hash of names]."""

    files: dict[str, list[Any]] = field(default_factory=dict)
    folders: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def take(cls, files: Iterable[Path], folders: Iterable[Path]) -> Snapshot:
        """Record `files` (by content, or as absent) and `folders` (by the names in them, or as absent)."""
        taken = cls()
        for path in {str(path) for path in files}:
            taken.files[path] = [_stamp(path), _content(path)]
        for path in {str(path) for path in folders}:
            taken.folders[path] = [_stamp(path), _names(path)]
        return taken

    def newest(self) -> int:
        """When the youngest file was last written, in nanoseconds since 1970."""
        times = [max(stamp[0], stamp[1]) for stamp, _ in self.files.values() if stamp]
        return max(times, default=0)

    def holds(self) -> tuple[bool, bool]:
        """(nothing changed, a stamp moved although the content is the same). Reads only what moved."""
        refreshed = False
        for record, probe in ((self.files, _content), (self.folders, _names)):
            for path, entry in record.items():
                stamp = _stamp(path)
                if stamp == entry[0]:
                    continue
                if probe(path) != entry[1]:
                    return False, refreshed
                entry[0] = stamp
                refreshed = True
        return True, refreshed

    def as_json(self, base: Path) -> dict[str, Any]:
        """The form kept on disk: paths as seen from `base`, so that it also tells of a copy elsewhere."""
        return {
            "files": {os.path.relpath(path, base): entry for path, entry in self.files.items()},
            "folders": {os.path.relpath(path, base): entry for path, entry in self.folders.items()},
        }

    @classmethod
    def from_json(cls, value: dict[str, Any], base: Path) -> Snapshot:
        """The reverse of `as_json`."""
        return cls(
            {f"{base}{os.sep}{path}": entry for path, entry in value["files"].items()},
            {f"{base}{os.sep}{path}": entry for path, entry in value["folders"].items()},
        )


def _stamp(path: str) -> list[int] | None:
    """Size, identity and both times: the change time cannot be set back, so a forged mtime is noticed."""
    try:
        stat = os.stat(path)  # noqa: PTH116 - thousands of times on a hit; Path costs more than the stat
    except OSError:
        return None
    return [stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino]


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return _ABSENT


def _names(path: str) -> str:
    """A hash of the names in a folder; hidden ones are left out, tools keep scratch files there."""
    try:
        with os.scandir(path) as entries:
            names = sorted(
                entry.name + ("/" if entry.is_dir() else "") for entry in entries if entry.name[0] != "."
            )
    except OSError:
        return _ABSENT
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()
