"""Small phrases for people: ages, shares, ids, file sizes."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_STEPS = ((60, "s"), (60, "min"), (24, "h"), (365, "d"))


def age(moment: str, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 moment was: `12 s ago`, `3 d ago`; the text itself when it is no moment."""
    try:
        then = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    except ValueError:
        return moment
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    amount = max(0.0, ((now or datetime.now(UTC)) - then).total_seconds())
    for size, unit in _STEPS:
        if amount < size:
            return f"{int(amount)} {unit} ago"
        amount /= size
    return f"{int(amount)} y ago"


def percent(share: float | None) -> str:
    """`90 %`, `0 %`, or nothing for a version outside the deployment."""
    if share is None:
        return ""
    return f"{share:g} %"


def first_line(text: str | None, width: int = 60) -> str:
    """The first line of a message, cut to `width` characters."""
    line = (text or "").strip().split("\n", 1)[0]
    return line if len(line) <= width else line[: width - 1] + "…"


def size(count: int) -> str:
    """Bytes for people, in powers of 1024 as wrangler counts them."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.2f} {unit}"
        amount /= 1024
    return f"{amount:.2f} GiB"


def plural(count: int, noun: str) -> str:
    """`1 secret`, `3 secrets`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


_SPAN = re.compile(r"(?P<amount>\d+(\.\d+)?)\s*(?P<unit>ms|s|m|min|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def seconds(text: str) -> float:
    """`90`, `90s`, `5m`, `2h` as seconds.

    Raises:
        ValueError: it is none of these.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return float(match["amount"]) * _SECONDS[match["unit"] or "s"]


_AMOUNT = re.compile(r"(?P<amount>\d+(\.\d+)?)\s*(?P<unit>[kmg]?i?b?)", re.I)
_BYTES = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}


def byte_count(text: str) -> int:
    """`500`, `500kB`, `10MB`, `1GiB` as bytes.

    Raises:
        ValueError: it is none of these, or less than one byte.
    """
    match = _AMOUNT.fullmatch(text.strip())
    unit = _BYTES.get(match["unit"].lower().removesuffix("b")) if match else None
    if match is None or unit is None or float(match["amount"]) * unit < 1:
        raise ValueError(text)
    return int(float(match["amount"]) * unit)
