"""Where the runtime keeps what Workers write: SQLite files that may be read while it runs."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

D1_CLASS, R2_CLASS = "miniflare-D1DatabaseObject", "miniflare-R2BucketObject"


def database_file(data: Path, identifier: str) -> Path:
    """The file of a D1 database."""
    return _object_file(data / "v3" / "d1", D1_CLASS, identifier)


def bucket_file(data: Path, name: str) -> Path:
    """The file that lists a bucket's objects."""
    return _object_file(data / "v3" / "r2", R2_CLASS, name)


def _object_file(folder: Path, unique_key: str, name: str) -> Path:
    """A Durable Object's file, called as workerd makes ids of names."""
    key = hashlib.sha256(unique_key.encode()).digest()
    first = hmac.digest(key, name.encode(), "sha256")[:16]
    check = hmac.digest(key, first, "sha256")[:16]
    return folder / unique_key / f"{(first + check).hex()}.sqlite"


def fingerprint(path: Path) -> tuple[int, ...]:
    """Changes whenever the database may have changed."""
    found: list[int] = []
    for one in (path, path.with_name(f"{path.name}-wal")):
        try:
            status = one.stat()
        except FileNotFoundError:
            continue
        found += [status.st_size, status.st_mtime_ns]
    return tuple(found)
