"""Our mark of ownership inside a text that people also write in: a comment, a description.

note("for mail", "trailboss:shop/staging/www#1f2e3d4c")  ->  "for mail [trailboss:shop/staging/www#1f2e3d4c]"
"""

from __future__ import annotations

import re

_MARK = re.compile(r"\s?\[(trailboss:[^\[\]]*)\]\s*$")


def note(text: str, marker: str) -> str:
    """`text` followed by the marker; either may be empty."""
    if not marker:
        return text
    return f"{text} [{marker}]" if text else f"[{marker}]"


def read_note(text: str | None) -> tuple[str, str]:
    """A text as (what people wrote, the marker or "")."""
    found = _MARK.search(text or "")
    if found is None:
        return text or "", ""
    return (text or "")[: found.start()], found.group(1)
