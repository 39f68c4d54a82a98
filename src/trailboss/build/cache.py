"""The build cache: what a key was built from, and what came out. A failing cache is only a miss."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from trailboss.build.artifact import Code, code_identity, touch, write_folder
from trailboss.build.snapshot import Snapshot
from trailboss.errors import BuildError
from trailboss.toolchain import cache_root

DEFAULT_LIMIT = 512 * 1024 * 1024
LIMIT_VARIABLE = "TRAILBOSS_BUILD_CACHE_BYTES"


class BuildCache:
    """A folder with `entries/<key>.json` (inputs) and `code/<identity>/` (bundles); safe between processes.

    Nothing is ever changed in place: a file or folder appears by one rename, and a reader that finds
    something missing or damaged treats it as absent. `limit` bounds the bytes of code, the least used going
    first.
    """

    def __init__(self, root: Path | None = None, *, limit: int | None = None) -> None:
        self.root = root or cache_root() / "build"
        self.limit = limit if limit is not None else _limit()

    def load(self, key: str) -> Code | None:
        """The bundle for `key` if all it was made from is unchanged, else None."""
        entry = self.root / "entries" / f"{key}.json"
        try:
            value = json.loads(entry.read_bytes())
            snapshot = Snapshot.from_json(value)
            holds, refreshed = snapshot.holds()
            if not holds:
                return None
            folder = self.root / "code" / value["code"]
            code = Code.read(folder)
        except (OSError, ValueError, KeyError, TypeError, IndexError, BuildError):
            return None
        touch(folder)
        if refreshed:
            self._write_entry(entry, value["code"], snapshot)
        return code

    def all_code(self) -> Iterator[Code]:
        """Every bundle that is kept and whole, the latest used first."""
        folder = self.root / "code"
        found = [path for path in folder.iterdir() if path.name[0] != "."] if folder.is_dir() else []
        for path in sorted(found, key=_last_used, reverse=True):
            with contextlib.suppress(BuildError):
                yield Code.read(path)

    def store(self, key: str, code: Code, snapshot: Snapshot, warn: Callable[[str], None]) -> None:
        """Keep `code` for `key`; a folder that cannot be written is a warning, not an error."""
        identity = code_identity(code)
        folder = self.root / "code" / identity
        try:
            if not self._is_whole(folder):
                write_folder(folder, code.as_json(), code.modules)
            touch(folder)
            self._write_entry(self.root / "entries" / f"{key}.json", identity, snapshot, strict=True)
            self._trim(keep=identity)
        except OSError as error:
            warn(
                f"the build cache {self.root} cannot be written ({error.strerror or error}); nothing is kept"
            )

    def assets_index(self, directory: Path) -> Path:
        """The file that remembers the hashes of the assets in `directory`."""
        name = hashlib.sha256(str(directory.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:40]
        return self.root / "assets" / f"{name}.json"

    def _is_whole(self, folder: Path) -> bool:
        try:
            Code.read(folder)
        except BuildError:
            return False
        return True

    def _write_entry(self, entry: Path, identity: str, snapshot: Snapshot, *, strict: bool = False) -> None:
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=entry.parent, delete=False) as staging:
                json.dump({"code": identity, **snapshot.as_json()}, staging, separators=(",", ":"))
            Path(staging.name).replace(entry)
        except OSError:
            if strict:
                raise

    def _trim(self, keep: str) -> None:
        """Drop the least used bundles above the limit, then entries that lost theirs."""
        folders = [
            (path.stat().st_mtime, path) for path in (self.root / "code").iterdir() if path.name[0] != "."
        ]
        sizes: dict[Path, int] = {path: _size(path) for _, path in folders}
        total = sum(sizes.values())
        removed = False
        for _, path in sorted(folders, key=lambda item: item[0]):
            if total <= self.limit:
                break
            if path.name != keep:
                shutil.rmtree(path, ignore_errors=True)
                total -= sizes[path]
                removed = True
        if removed:
            self._drop_orphans()

    def _drop_orphans(self) -> None:
        for entry in (self.root / "entries").glob("*.json"):
            try:
                value: dict[str, Any] = json.loads(entry.read_bytes())
                orphan = not (self.root / "code" / str(value["code"])).exists()
            except (OSError, ValueError, KeyError, TypeError):
                orphan = True
            if orphan:
                entry.unlink(missing_ok=True)


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _limit() -> int:
    try:
        return int(os.environ[LIMIT_VARIABLE])
    except (KeyError, ValueError):
        return DEFAULT_LIMIT


def _size(folder: Path) -> int:
    try:
        return sum(entry.stat().st_size for entry in os.scandir(folder / "modules"))
    except OSError:
        return 0
