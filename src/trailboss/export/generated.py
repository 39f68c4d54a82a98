"""Files that we write and people may change: known again by a fingerprint, never overwritten unasked.

The first lines of such a file say what made it and what it looked like then. Pinned actions (`uses:
name@commit # version`) are no change of the user's: whoever keeps them current keeps what was chosen.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trailboss.errors import RefusedError
from trailboss.values import Location

_MARK = re.compile(r"^# fingerprint ([0-9a-f]{16})$", re.MULTILINE)
_PIN = re.compile(r"(?P<action>uses: [\w./-]+)@(?P<pin>[0-9a-f]{40} # \S+)")

State = Literal["written", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Generated:
    """What became of one file."""

    file: Path
    state: State


def sign(head: str, body: str) -> str:
    """The text of a file: `head` (comment lines), the fingerprint of `body`, `body`."""
    return f"{head}# fingerprint {_fingerprint(body)}\n{body}"


def write(file: Path, text: str, *, force: bool = False) -> Generated:
    """Write `text` (made by `sign`) to `file`. Pins that were moved in the file stay as they are.

    Raises RefusedError TB1510 when it has lines of the user's, with the difference in the hint; `force`
    overwrites them."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, newline="\n")
        return Generated(file, "written")
    before = file.read_text("utf-8", "replace").replace("\r\n", "\n")
    if not force and not is_ours(before):
        raise RefusedError(
            "TB1510",
            f"{file.name} was changed by hand, or was made by something else, and is left alone",
            hint=f"--force writes this:\n{difference(before, text, file.name)}",
            where=Location(file),
        )
    text = text if force else _with_pins_of(before, text)
    if text == before:
        return Generated(file, "unchanged")
    file.write_text(text, newline="\n")
    return Generated(file, "updated")


def is_ours(text: str) -> bool:
    """Whether a file's text is exactly what was written once, pins aside."""
    mark = _MARK.search(text)
    return mark is not None and mark[1] == _fingerprint(text[mark.end() + 1 :])


def difference(before: str, after: str, name: str) -> str:
    """A unified diff from `before` to `after`."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} (here)", f"{name} (new)", lineterm="", n=1
    )
    return "\n".join(lines)


def _fingerprint(body: str) -> str:
    return hashlib.sha256(_PIN.sub(r"\g<action>", body).encode()).hexdigest()[:16]


def _with_pins_of(before: str, text: str) -> str:
    kept = {found["action"]: found["pin"] for found in _PIN.finditer(before)}
    return _PIN.sub(lambda found: f"{found['action']}@{kept.get(found['action'], found['pin'])}", text)
