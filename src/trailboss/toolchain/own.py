"""Small files in the cache that are trusted: read only when they are this user's and nobody else's."""

from __future__ import annotations

import os
from pathlib import Path


def read_own(file: Path, most: int) -> bytes | None:
    """The content of `file`; None when it is not there, not ours alone, a link, or above `most` bytes."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        about = os.fstat(descriptor)
        if about.st_uid != os.geteuid() or about.st_mode & 0o077 or about.st_size > most:
            return None
        data = os.read(descriptor, about.st_size)
        return data if len(data) == about.st_size else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def write_own(file: Path, data: bytes) -> None:
    """Put `file` there, whole or not at all; its folder is made for this user alone. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
