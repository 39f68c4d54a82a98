"""A multipart/form-data body, laid out byte for byte as wrangler's own form encoder does."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trailboss.values import Secret

CHUNK = 256 * 1024
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form.

    Without `filename` it is a plain field: no part content type, and line ends in text become CRLF. With one
    it is a file, sent as it is with `content_type` (application/octet-stream when None). A `Path` is streamed
    from disk. `content_type=""` leaves the header out of a file part.
    """

    name: str
    content: bytes | str | Path | Secret
    filename: str | None = None
    content_type: str | None = None

    def head(self) -> bytes:
        """The part's header lines and the empty line after them."""
        line = f'Content-Disposition: form-data; name="{_escape(_crlf(self.name))}"'
        if self.filename is not None:
            line += f'; filename="{_escape(self.filename)}"'
        kind = self.content_type
        if kind is None and self.filename is not None:
            kind = "application/octet-stream"
        if kind:
            line += f"\r\nContent-Type: {kind}"
        return f"{line}\r\n\r\n".encode()

    def size(self) -> int:
        """Bytes of the content."""
        content = self.content
        return content.stat().st_size if isinstance(content, Path) else len(self._bytes())

    def chunks(self) -> Iterator[bytes]:
        """The content; a file is read piece by piece."""
        if not isinstance(self.content, Path):
            yield self._bytes()
            return
        with self.content.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def _bytes(self) -> bytes:
        content = self.content
        if isinstance(content, bytes):
            return content
        text = content.reveal() if isinstance(content, Secret) else str(content)
        return (text if self.filename is not None else _crlf(text)).encode()


class Multipart:
    """A form whose parts keep their order; can be sent any number of times."""

    def __init__(self, parts: Sequence[Part], *, boundary: str | None = None) -> None:
        self.parts = tuple(parts)
        self.boundary = boundary or f"----formdata-trailboss-{os.urandom(12).hex()}"

    @property
    def content_type(self) -> str:
        """The value of the request's Content-Type header."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def length(self) -> int:
        """The body's size in bytes, files not read."""
        edge = len(self.boundary) + 4
        inner = sum(edge + len(part.head()) + part.size() + 2 for part in self.parts)
        return inner + edge + 2

    def chunks(self) -> Iterator[bytes]:
        """The body, in pieces of at most a few hundred kilobytes."""
        for part in self.parts:
            yield f"--{self.boundary}\r\n".encode() + part.head()
            yield from part.chunks()
            yield b"\r\n"
        yield f"--{self.boundary}--\r\n".encode()

    def as_bytes(self) -> bytes:
        """The whole body at once, for tests and small forms."""
        return b"".join(self.chunks())


def _crlf(text: str) -> str:
    return _LINE_END.sub("\r\n", text)


def _escape(name: str) -> str:
    return name.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")
