"""Loaded by locust beside the project's file: in a sandbox requests still name the Worker's host."""

from __future__ import annotations

import os
from typing import Any

from locust.clients import HttpSession  # type: ignore[import-not-found,import-untyped,unused-ignore]

HOST = os.environ.get("TRAILBOSS_HOST")
_first = HttpSession.__init__


def _named(session: Any, *arguments: Any, **more: Any) -> None:
    _first(session, *arguments, **more)
    if HOST:
        session.headers["Host"] = HOST


HttpSession.__init__ = _named  # type: ignore[method-assign,assignment,unused-ignore]
