"""What a version says of its origin, and where the artifact's digest is kept.

Cloudflare keeps `workers/message` and `workers/tag` with a version for ever and shows them everywhere; other
keys it may drop. The tag is the user's, so the digest rides at the end of the message: `Fix the footer
[sha256:… 1a2b3c4d]`. The last word is a number drawn for each upload, by which an upload whose answer was
lost is found again.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

MESSAGE_BYTES = 1000
TAG_BYTES = 100
_MARK = re.compile(r"\s*\[(sha256:[0-9a-f]{64}) ([0-9a-f]{8})\]$")


@dataclass(frozen=True, slots=True)
class Origin:
    """A message taken apart: `text` is the user's, `digest` and `nonce` are ours when we uploaded it."""

    text: str
    digest: str | None
    nonce: str | None


def read_message(message: str | None) -> Origin:
    """Take a version's `workers/message` apart."""
    match = _MARK.search(message or "")
    if match is None:
        return Origin(message or "", None, None)
    return Origin((message or "")[: match.start()], match.group(1), match.group(2))


def write_message(text: str | None, digest: str, nonce: str) -> str:
    """The message of an upload: the user's words, cut to fit, then the mark."""
    mark = f"[{digest} {nonce}]"
    words = truncated((text or "").strip(), MESSAGE_BYTES - len(mark) - 1)
    return f"{words} {mark}" if words else mark


def draw() -> str:
    """A number for one upload: 8 hexadecimal digits."""
    return secrets.token_hex(4)


def truncated(text: str, limit: int) -> str:
    """`text` cut to at most `limit` bytes of UTF-8, never inside a character."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= limit else data[:limit].decode("utf-8", "ignore")


def compose(
    *, message: str | None, tag: str | None, alias: str | None = None, commit: str | None = None
) -> dict[str, str]:
    """The annotations of an upload; empty when nothing is to be said."""
    said = {
        "workers/message": truncated(message, MESSAGE_BYTES) if message else None,
        "workers/tag": truncated(tag, TAG_BYTES) if tag else None,
        "workers/alias": alias,
        "workers/commit_sha": commit,
    }
    return {key: value for key, value in said.items() if value}
