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
COPIES = 4
"""So many other folders' builds are compared with this one's files before it is built."""
LIMIT_VARIABLE = "TRAILBOSS_BUILD_CACHE_BYTES"


class BuildCache:
    """A folder of inputs (`entries/<key>-<place>.json`) and bundles (`code/<identity>/`).

    Processes may share it: nothing is ever changed in place. A file or folder appears by one rename, and a
    reader that finds something missing or damaged treats it as absent. `limit` bounds the bytes of code, the
    least used going first.
    """

    def __init__(self, root: Path | None = None, *, limit: int | None = None) -> None:
        self.root = root or cache_root() / "build"
        self.limit = limit if limit is not None else _limit()

    def load(self, key: str, base: Path) -> Code | None:
        """The bundle for `key` if all it was made from is, seen from `base`, as it was; else None.

        What was built of `base` itself is asked first, then what was built of its copies in other folders.
        """
        own = self._entry(key, base)
        code = self._load(own, own, base)
        if code is not None:
            return code
        others = sorted(self._entries.glob(f"{key}-*.json"), key=_last_used, reverse=True)[:COPIES]
        found = (self._load(entry, own, base) for entry in others if entry != own)
        return next((code for code in found if code is not None), None)

    def _load(self, entry: Path, own: Path, base: Path) -> Code | None:
        try:
            value = json.loads(entry.read_bytes())
            snapshot = Snapshot.from_json(value, base)
            holds, refreshed = snapshot.holds()
            if not holds:
                return None
            folder = self.root / "code" / value["code"]
            code = Code.read(folder)
        except (OSError, ValueError, KeyError, TypeError, IndexError, BuildError):
            return None
        touch(folder)
        if refreshed:
            self._write_entry(own, value["code"], snapshot.as_json(base))
        return code

    def all_code(self) -> Iterator[Code]:
        """Every bundle that is kept and whole, the latest used first."""
        folder = self.root / "code"
        found = [path for path in folder.iterdir() if path.name[0] != "."] if folder.is_dir() else []
        for path in sorted(found, key=_last_used, reverse=True):
            with contextlib.suppress(BuildError):
                yield Code.read(path)

    def store(
        self, key: str, code: Code, snapshot: Snapshot, base: Path, warn: Callable[[str], None]
    ) -> None:
        """Keep `code`, made in `base`, for `key`; a folder that cannot be written is a warning, no error."""
        identity = code_identity(code)
        folder = self.root / "code" / identity
        try:
            if not self._is_whole(folder):
                write_folder(folder, code.as_json(), code.modules)
            touch(folder)
            self._write_entry(self._entry(key, base), identity, snapshot.as_json(base), strict=True)
            self._trim(keep=identity)
        except OSError as error:
            warn(
                f"the build cache {self.root} cannot be written ({error.strerror or error}); nothing is kept"
            )

    def assets_index(self, directory: Path) -> Path:
        """The file that remembers the hashes of the assets in `directory`."""
        name = hashlib.sha256(str(directory.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:40]
        return self.root / "assets" / f"{name}.json"

    @property
    def _entries(self) -> Path:
        return self.root / "entries"

    def _entry(self, key: str, base: Path) -> Path:
        place = hashlib.sha256(str(base).encode("utf-8", "surrogateescape")).hexdigest()[:12]
        return self._entries / f"{key}-{place}.json"

    def _is_whole(self, folder: Path) -> bool:
        try:
            Code.read(folder)
        except BuildError:
            return False
        return True

    def _write_entry(self, entry: Path, identity: str, seen: dict[str, Any], *, strict: bool = False) -> None:
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=entry.parent, delete=False) as staging:
                json.dump({"code": identity, **seen}, staging, separators=(",", ":"))
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
        for entry in self._entries.glob("*.json"):
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
