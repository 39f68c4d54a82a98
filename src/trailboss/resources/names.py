"""Names that Cloudflare would refuse, told before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

JURISDICTIONS = ("eu", "us", "fedramp")
LOCATIONS = ("wnam", "enam", "weur", "eeur", "apac", "oc")
"""Where data has to stay, and where it had better be. Source: the official SDK's types."""


def name_problems(name: str, pattern: str, rule: str) -> Iterator[str]:
    """`rule` says to people what `pattern` says to `re`."""
    if not re.fullmatch(pattern, name):
        shown = name if len(name) <= 70 else f"{name[:60]}… ({len(name)} characters)"
        yield f"the name '{shown}' is not possible: {rule}"


def range_problems(**given: tuple[object, int, int]) -> Iterator[str]:
    """Each field is (its value, the least, the most); what is no number is left alone."""
    for field, (value, least, most) in given.items():
        if isinstance(value, int) and not least <= value <= most:
            yield f"{field} is from {least} to {most}, not {value}"


def choice_problems(**given: tuple[object, tuple[str, ...]]) -> Iterator[str]:
    """Each field is (its value, what it may be)."""
    for field, (value, known) in given.items():
        if isinstance(value, str) and value not in known:
            yield f"{field} is {', '.join(known[:-1])} or {known[-1]}, not '{value}'"
