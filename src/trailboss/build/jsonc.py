"""Read JSON with comments and trailing commas, for the one question asked of a file of that kind here."""

from __future__ import annotations

import json
import re
from typing import Any

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|,(?=\s*(?:(?://[^\n]*|/\*.*?\*/)\s*)*[}\]])', re.DOTALL
)


def loads(text: str) -> Any:
    """The value in `text`, or None when it is not JSON even without its comments."""
    bare = _TOKEN.sub(lambda match: match.group() if match.group().startswith('"') else " ", text)
    try:
        return json.loads(bare.lstrip("\ufeff"))
    except ValueError:
        return None
