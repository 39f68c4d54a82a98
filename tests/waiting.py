"""Waiting for a state of another process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE = 45.0


def wait_until(state: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Look until `state` holds; `what` it is, for whoever reads that it never did."""
    end = time.monotonic() + patience
    pause = threading.Event()
    while not state():
        assert time.monotonic() < end, f"never came: {what}"
        pause.wait(0.02)
