"""What is wrong with a cron expression, before Cloudflare says so.

Five fields in UTC; the day of the week counts from 1 (Sunday) to 7, and L, W and # are understood.
https://developers.cloudflare.com/workers/configuration/cron-triggers/
"""

from __future__ import annotations

import re

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
# (what it is called, least, most, names, the special forms)
_FIELDS: tuple[tuple[str, int, int, list[str], str], ...] = (
    ("minute", 0, 59, [], ""),
    ("hour", 0, 23, [], ""),
    ("day of the month", 1, 31, [], r"\?|L|LW|L-\d{1,2}|\d{1,2}W"),
    ("month", 1, 12, _MONTHS, ""),
    ("day of the week", 1, 7, _DAYS, r"\?|L|(?:[1-7]|[A-Z]{3})L|(?:[1-7]|[A-Z]{3})#[1-5]"),
)


def problem(expression: str) -> str | None:
    """A text for people, None for an expression that can be read."""
    parts = expression.upper().split()
    if len(parts) != len(_FIELDS):
        five = ", ".join(name for name, *_ in _FIELDS)
        return f"the schedule '{expression}' has {len(parts)} fields; it needs five: {five}"
    for part, (name, least, most, names, special) in zip(parts, _FIELDS, strict=True):
        for item in part.split(","):
            if not (special and re.fullmatch(special, item)) and not _reads(item, least, most, names):
                return f"the schedule '{expression}': '{item}' is no {name} ({least} to {most})"
    return None


def _reads(item: str, least: int, most: int, names: list[str]) -> bool:
    """Whether it is `*`, a number, a name or a range, each with or without a step."""
    base, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step) <= most):
        return False
    ends = base.split("-")
    if base == "*":
        return True
    return len(ends) <= 2 and all(
        end in names or (end.isascii() and end.isdigit() and least <= int(end) <= most) for end in ends
    )
