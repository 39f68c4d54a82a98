"""Secrets for a wrangler that deploys in our place: a file that is none.

wrangler takes them as `--secrets-file`. What it gets is a named pipe in a folder of our own: the values go
through it once, and lie on no disk."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from trailboss.errors import SecretError
from trailboss.values import Secret


@contextmanager
def secrets_pipe(folder: Path, values: Mapping[str, Secret]) -> Iterator[list[str]]:
    """wrangler's arguments for `values`, usable while the block lasts; none without values.

    Raises SecretError TB7016 on a system without named pipes."""
    if not values:
        yield []
        return
    if not hasattr(os, "mkfifo"):
        raise SecretError(
            "TB7016",
            "On this system secrets cannot be handed to wrangler without writing them to a disk.",
            hint="Deploy without them, then use `trailboss secret bulk`.",
        )
    path = folder / "secrets.json"
    os.mkfifo(path, 0o600)
    text = Secret(json.dumps({name: value.reveal() for name, value in values.items()}))
    feeding = threading.Thread(target=_feed, args=(path, text), daemon=True)
    feeding.start()
    try:
        yield ["--secrets-file", str(path)]
    finally:
        # Nobody may have read it: a reader that leaves at once lets the writer go, once that one has come.
        while feeding.is_alive():
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            feeding.join(0.01)


def _feed(path: Path, text: Secret) -> None:
    with suppress(BrokenPipeError), path.open("w", encoding="utf-8") as pipe:
        pipe.write(text.reveal())
