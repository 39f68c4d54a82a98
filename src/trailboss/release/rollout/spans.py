"""Lengths of time as people write them: `90`, `90s`, `5m`, `2h`, `1d`."""

from __future__ import annotations

import re

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def seconds(text: str | float) -> float:
    """`text` as seconds; a bare number is seconds already. Raises ValueError when it is neither."""
    if isinstance(text, int | float):
        if text < 0 or isinstance(text, bool):
            raise ValueError(f"{text} is not a length of time")
        return float(text)
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a length of time: write 30s, 5m or 2h')
    return float(match[1]) * _SECONDS[match[2] or "s"]


def spoken(length: float) -> str:
    """`45 s`, `5 min`, `1 h 30 min`."""
    if length < 1:
        return f"{length * 1000:.0f} ms"
    if length < 120:
        return f"{length:.0f} s"
    minutes = round(length / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
