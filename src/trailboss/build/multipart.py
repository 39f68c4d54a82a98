"""Read the multipart body that wrangler wrote to a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trailboss.errors import BuildError

_ATTRIBUTE = re.compile(rb'\b(name|filename)="((?:[^"\\]|\\.)*)"')
_ESCAPES = {b"%22": b'"', b"%0D": b"\r", b"%0A": b"\n"}


@dataclass(frozen=True, slots=True)
class Part:
    """One form part; `filename` is None for a plain field."""

    name: str
    filename: str | None
    content_type: str | None
    content: bytes


def parse(body: bytes) -> list[Part]:
    """The parts of `body` in order; the boundary is its own first line.

    Raises:
        BuildError: TB3106 when `body` is not a complete multipart form.
    """
    delimiter, separator, rest = body.partition(b"\r\n")
    if not separator or not delimiter.startswith(b"--"):
        raise _malformed()
    chunks = (b"\r\n" + rest).split(b"\r\n" + delimiter)
    if chunks[-1].strip() != b"--":
        raise _malformed()
    return [_part(chunk) for chunk in chunks[:-1]]


def _part(chunk: bytes) -> Part:
    head, separator, content = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    attributes: dict[str, str] = {}
    content_type = None
    for line in head.split(b"\r\n"):
        field, _, value = line.partition(b":")
        if field.lower() == b"content-disposition":
            attributes = {key.decode(): _text(text) for key, text in _ATTRIBUTE.findall(value)}
        elif field.lower() == b"content-type":
            content_type = value.strip().decode()
    if not separator or "name" not in attributes:
        raise _malformed()
    return Part(attributes["name"], attributes.get("filename"), content_type, content)


def _text(value: bytes) -> str:
    for escaped, plain in _ESCAPES.items():
        value = value.replace(escaped, plain)
    return value.decode("utf-8")


def _malformed() -> BuildError:
    return BuildError(
        "TB3106",
        "wrangler's dry run left no complete upload form",
        hint="This wrangler may be newer than Trailboss knows; without it the pinned one is used.",
    )
