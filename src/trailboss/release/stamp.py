"""What a version says about where it came from, kept on the version itself.

Cloudflare stores two free texts per version, `workers/message` and `workers/tag`. The tag is the user's.
The message is the user's words, then ours, then the artifact's digest as the build room writes it:

    Fix the login (git 3f2a…40 digits…, wiring 16 digits) [sha256:… nonce]

`wiring` is a fingerprint of everything in the upload that is not code (bindings, variables, placement,
limits); with the digest it answers "would uploading again change anything?" without an upload. A `+`
after the commit says that files had been changed beyond it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from trailboss.build.metadata.annotations import read_message

MESSAGE_BYTES = 1000
TAG_BYTES = 100
_ROOM_FOR_DIGEST = 90

_OURS = re.compile(
    r"\s*\((?:git (?P<git>[0-9a-f]{40}|[0-9a-f]{64})(?P<dirty>\+)?, )?wiring (?P<wiring>[0-9a-f]{16})\)\Z"
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
        """The text handed to the upload, which adds the digest: the user's words, cut to leave room for
        ours."""
        commit = f"git {self.git_sha}{'+' if self.dirty else ''}, " if self.git_sha else ""
        ours = f"({commit}wiring {self.wiring})"
        if not self.message:
            return ours
        return f"{shorten(self.message.strip(), MESSAGE_BYTES - _ROOM_FOR_DIGEST - len(ours) - 1)} {ours}"


def read_stamp(annotations: Mapping[str, str]) -> Stamp:
    """The stamp in a version's annotations; fields are None where something else uploaded the version."""
    origin = read_message(annotations.get("workers/message"))
    match = _OURS.search(origin.text)
    return Stamp(
        message=(origin.text[: match.start()] if match else origin.text) or None,
        tag=annotations.get("workers/tag") or None,
        digest=origin.digest,
        wiring=match["wiring"] if match else None,
        git_sha=(match["git"] if match else None) or annotations.get("workers/commit_sha") or None,
        dirty=bool(match and match["dirty"]),
    )


def shorten(text: str, size: int) -> str:
    """`text` cut to at most `size` bytes of UTF-8, never inside a character."""
    encoded = text.encode()
    if len(encoded) <= size:
        return text
    return encoded[: max(size - 3, 0)].decode(errors="ignore") + "…"
