"""What a caller gives as a body, made sendable any number of times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trailboss.cloud.envelope import encode
from trailboss.cloud.multipart import CHUNK, Multipart, Part
from trailboss.cloud.transport import Body

SMALL = 1024 * 1024  # a form below this size goes out in one piece


def body_of(json: Any, content: bytes | str | Path | None, parts: Any, unset: Any) -> Body:
    """The body for at most one of `json`, `content` and `parts` (a Multipart or a sequence of Part)."""
    if (json is not unset) + (content is not None) + (parts is not None) > 1:
        raise TypeError("give only one of json, content and parts")
    if json is not unset:
        return _whole(encode(json), "application/json")
    if parts is not None:
        return _form(parts)
    if isinstance(content, Path):
        path = content
        return Body(lambda: _read(path), path.stat().st_size)
    if isinstance(content, str):
        return _whole(content.encode(), "text/plain;charset=UTF-8")
    return _whole(content or b"", None)


def _form(parts: Multipart | Sequence[Part]) -> Body:
    form = parts if isinstance(parts, Multipart) else Multipart(parts)
    if form.length <= SMALL:
        return _whole(form.as_bytes(), form.content_type)
    return Body(form.chunks, form.length, form.content_type)


def _whole(data: bytes, content_type: str | None) -> Body:
    return Body(lambda: (data,), len(data), content_type)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
