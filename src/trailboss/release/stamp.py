"""What a version says about where it came from, kept on the version itself.

Cloudflare stores two free texts per version: `workers/message` (1,000 bytes) and `workers/tag` (100
bytes). The tag is the user's. The message is the user's too, followed by one machine-readable line of
ours:

    Fix the login

    trailboss sha256:<artifact digest> wiring:<16 hex> git:<commit, with + when files were changed>

`wiring` is a fingerprint of everything in the upload that is not code (bindings, variables,
compatibility, placement, limits); with the digest it answers "would uploading again change anything?"
without an upload."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MESSAGE_BYTES = 1000
TAG_BYTES = 100

_LINE = re.compile(
    r"(?:\n\n|^)trailboss (?P<digest>sha256:[0-9a-f]{64})"
    r"(?: wiring:(?P<wiring>[0-9a-f]{16}))?"
    r"(?: git:(?P<git>[0-9a-f]{7,64})(?P<dirty>\+)?)?\s*\Z"
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """`digest` is "sha256:<64 hex>"; `git_sha` the full commit; `dirty` says the tree had changes beyond
    it."""

    message: str | None = None
    tag: str | None = None
    digest: str | None = None
    wiring: str | None = None
    git_sha: str | None = None
    dirty: bool = False

    def as_message(self) -> str:
        """The text for `workers/message`: the user's words, shortened to leave room for our line."""
        line = f"trailboss {self.digest}"
        line += f" wiring:{self.wiring}" if self.wiring else ""
        line += f" git:{self.git_sha}{'+' if self.dirty else ''}" if self.git_sha else ""
        if not self.message:
            return line
        return f"{shorten(self.message, MESSAGE_BYTES - len(line) - 2)}\n\n{line}"


def read_stamp(annotations: Mapping[str, str]) -> Stamp:
    """The stamp in a version's annotations; fields are None where something else uploaded the version."""
    message = annotations.get("workers/message")
    tag = annotations.get("workers/tag") or None
    match = _LINE.search(message or "")
    if match is None:
        return Stamp(message=message or None, tag=tag, git_sha=annotations.get("workers/commit_sha") or None)
    return Stamp(
        message=(message or "")[: match.start()] or None,
        tag=tag,
        digest=match["digest"],
        wiring=match["wiring"],
        git_sha=match["git"],
        dirty=bool(match["dirty"]),
    )


def shorten(text: str, size: int) -> str:
    """`text` cut to at most `size` bytes of UTF-8, never inside a character."""
    encoded = text.encode()
    if len(encoded) <= size:
        return text
    return encoded[: max(size - 3, 0)].decode(errors="ignore") + "…"
