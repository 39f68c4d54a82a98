"""Static assets: the manifest of a folder, hashed as wrangler hashes, with a memory of unchanged files."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trailboss.build.gitignore import Ignore
from trailboss.errors import BuildError
from trailboss.values import Location

MAX_FILE = 25 * 1024 * 1024
MAX_FILES = 100_000
CONFIG_KEYS = ("html_handling", "not_found_handling", "base_path", "run_worker_first")
_CHUNK = 3 * 256 * 1024
_RACY_NS = 100_000_000
"""A file written this shortly before it was hashed may be written again within the same clock tick."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: `hash` is 32 hexadecimal digits, `size` bytes."""

    hash: str
    size: int


@dataclass(frozen=True, slots=True)
class Assets:
    """The static assets of a Worker. `files` maps "/path" to its hash and size; the bytes stay on disk."""

    directory: Path
    files: Mapping[str, Asset]
    headers: str | None = None
    redirects: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(asset.size for asset in self.files.values())

    def manifest(self) -> dict[str, dict[str, Any]]:
        """The body of an upload session: {"/path": {"hash", "size"}}."""
        return {path: {"hash": asset.hash, "size": asset.size} for path, asset in self.files.items()}

    def identity(self) -> dict[str, Any]:
        """What goes into the artifact's digest."""
        listing = hashlib.sha256()
        for path in sorted(self.files):
            listing.update(f"{path}\0{self.files[path].hash}\0{self.files[path].size}\n".encode())
        return {
            "files": listing.hexdigest(),
            "headers": self.headers,
            "redirects": self.redirects,
            "config": dict(self.config),
        }

    def as_json(self) -> dict[str, Any]:
        """Everything but the bytes and where they are."""
        return {
            "files": self.manifest(),
            "headers": self.headers,
            "redirects": self.redirects,
            "config": dict(self.config),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], directory: Path) -> Assets:
        """The reverse of `as_json`, with the files under `directory`."""
        files = {path: Asset(entry["hash"], entry["size"]) for path, entry in value["files"].items()}
        return cls(directory, files, value["headers"], value["redirects"], value["config"])

    def copy_to(self, folder: Path) -> None:
        """Copy every file below `folder`."""
        for path in self.files:
            target = folder / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.directory / path.lstrip("/"), target)

    def path_of(self, path: str) -> Path:
        """Where the file "/path" is on disk."""
        return self.directory / path.lstrip("/")


def scan(
    directory: Path,
    settings: Mapping[str, Any],
    *,
    index: Path | None = None,
    where: Location | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Assets:
    """Read the folder of assets. `index` remembers hashes between runs; it may be missing or unwritable.

    Raises:
        BuildError: TB3301 unreadable, TB3302 no such folder, TB3303 a file over 25 MiB, TB3304 `_worker.js`
            in the folder, TB3305 `.assetsignore` unreadable as text, TB3306 too many files.
    """
    if not directory.is_dir():
        raise BuildError(
            "TB3302",
            f"the assets folder {directory} does not exist",
            where=where,
            hint='Correct "assets.directory", or run the build that makes the folder first.',
        )
    config = {key: settings[key] for key in CONFIG_KEYS if settings.get(key) is not None}
    try:
        files = _hash_all(directory, _Memory(index), progress)
        return Assets(
            directory, files, _text(directory / "_headers"), _text(directory / "_redirects"), config
        )
    except OSError as error:
        raise BuildError(
            "TB3301",
            f"the asset {error.filename or directory} cannot be read: {error.strerror or error}",
            hint="Make it readable, or list it in .assetsignore.",
        ) from error


def _hash_all(directory: Path, memory: _Memory, progress: Callable[[str], None]) -> dict[str, Asset]:
    ignore, has_ignore_file = _ignore(directory)
    files: dict[str, Asset] = {}
    for path, stat in _walk(directory, "", ignore):
        if not has_ignore_file and path.split("/")[0] == "_worker.js":
            raise BuildError(
                "TB3304",
                f"{directory / '_worker.js'} would be served to everyone as a file",
                hint='Remove it, or put "_worker.js" into .assetsignore in that folder.',
            )
        if stat.st_size > MAX_FILE:
            raise BuildError(
                "TB3303",
                f"{directory / path} has {stat.st_size / 1048576:.1f} MiB; an asset may have 25 MiB",
                hint="Put large files into R2 and serve them from there, or list it in .assetsignore.",
            )
        digest = memory.get(path, stat)
        if digest is None:
            digest = memory.put(path, stat, hash_file(directory / path))
        files["/" + path] = Asset(digest, stat.st_size)
        if len(files) % 5000 == 0:
            progress(f"reading assets: {len(files)} files")
    if len(files) > MAX_FILES:
        raise BuildError(
            "TB3306",
            f"{directory} holds {len(files)} files; a version may have {MAX_FILES}",
            hint="List what need not be served in .assetsignore.",
        )
    memory.save(set(files))
    return dict(sorted(files.items()))


def _walk(root: Path, prefix: str, ignore: Ignore) -> Iterator[tuple[str, os.stat_result]]:
    """Each file that is not ignored, as (relative path, stat). Linked folders are not entered."""
    with os.scandir(root / prefix) as entries:
        for entry in sorted(entries, key=lambda item: item.name):
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_dir(follow_symlinks=False):
                if not ignore.matches(path, directory=True):
                    yield from _walk(root, path, ignore)
            elif not ignore.matches(path):
                stat = entry.stat()
                if not entry.is_dir():
                    yield path, stat


def _ignore(directory: Path) -> tuple[Ignore, bool]:
    lines = ["/.assetsignore", "/_redirects", "/_headers"]
    path = directory / ".assetsignore"
    try:
        text = path.read_text("utf-8")
        if "\0" in text:
            raise ValueError("it contains a null character")
    except FileNotFoundError:
        return Ignore(lines), False
    except ValueError as error:
        raise BuildError(
            "TB3305", f"{path} is not UTF-8 text: {error}", where=Location(path), hint="Save it as UTF-8."
        ) from error
    return Ignore(lines + text.split("\n")), True


def hash_file(path: Path) -> str:
    """Wrangler's name for a file: BLAKE3 over its base64 text and its extension, the first 32 digits."""
    from blake3 import blake3

    hasher = blake3()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(base64.b64encode(chunk))
    hasher.update(path.suffix[1:].encode())
    return hasher.hexdigest()[:32]


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None


class _Memory:
    """Hashes of files by their stamp, in one JSON file; trouble with that file means an empty memory."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._dirty = False
        self._now = time.time_ns()
        self._known: dict[str, list[Any]] = {}
        if file is not None:
            try:
                loaded = json.loads(file.read_bytes())
                self._known = loaded if isinstance(loaded, dict) else {}
            except (OSError, ValueError):
                self._known = {}

    def get(self, path: str, stat: os.stat_result) -> str | None:
        known = self._known.get(path)
        if isinstance(known, list) and len(known) == 2 and known[0] == _stamp(stat):
            return str(known[1])
        return None

    def put(self, path: str, stat: os.stat_result, digest: str) -> str:
        self._dirty = True
        if self._now - max(stat.st_mtime_ns, stat.st_ctime_ns) > _RACY_NS:
            self._known[path] = [_stamp(stat), digest]
        else:
            self._known.pop(path, None)
        return digest

    def save(self, present: set[str]) -> None:
        gone = [path for path in self._known if "/" + path not in present]
        for path in gone:
            del self._known[path]
        if self._file is None or not (self._dirty or gone):
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._file.parent, delete=False) as staging:
                json.dump(self._known, staging, separators=(",", ":"))
            Path(staging.name).replace(self._file)
        except OSError:
            # The memory only saves time: without it the next run hashes again.
            self._dirty = False


def _stamp(stat: os.stat_result) -> list[int]:
    return [stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino]
