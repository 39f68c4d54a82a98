"""Secrets for a program that reads a file, without a file: a named pipe that is filled when it is opened.

The pipe has a name in the file system and no content there: what the reader gets goes from our memory
through the kernel to it. Each opening gets everything, as a file would give it.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from trailboss.values import Secret


class SecretPipe:
    """A named pipe at `path`, readable by this user only; `content()` is asked at each opening.

    The folder of `path` has to exist. Use it as a context manager: leaving takes the pipe away.
    """

    def __init__(self, path: Path, content: Callable[[], Secret]) -> None:
        self.path = path
        self._content = content
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"pipe {path.parent.name}", daemon=True)

    def __enter__(self) -> SecretPipe:
        self._renew()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with suppress(OSError):
            reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)  # the feeder may be waiting for one
            self._thread.join(timeout=5)
            os.close(reader)
        self.path.unlink(missing_ok=True)

    def _renew(self) -> None:
        """A new pipe under the name, in one step."""
        staging = self.path.with_name(f"{self.path.name}.new")
        staging.unlink(missing_ok=True)
        os.mkfifo(staging, 0o600)
        staging.replace(self.path)

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                writer = os.open(self.path, os.O_WRONLY)
            except OSError:  # the folder was taken away: nobody can ask any more
                return
            if self._closing.is_set():
                os.close(writer)
                return
            # The name leads to a new pipe before this one is filled: whoever opens next gets their own, and
            # whoever reads this one sees its end.
            self._renew()
            _write(writer, self._content().reveal().encode())


def _write(writer: int, data: bytes) -> None:
    """All of `data`, then the end; a reader who went away early is none of our business."""
    try:
        while data:
            data = data[os.write(writer, data) :]
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
    finally:
        os.close(writer)
