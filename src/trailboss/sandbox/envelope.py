"""What a handler may answer, and how it becomes Cloudflare's envelope."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Reply:
    """A result with more than the result: status, page numbers, headers, notes.

    A handler that has nothing to add simply returns the result itself.
    """

    result: Any
    status: int = 200
    info: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def body(self) -> bytes:
        """The envelope, encoded."""
        envelope: dict[str, Any] = {
            "success": True,
            "errors": [],
            "messages": self.messages,
            "result": self.result,
        }
        if self.info is not None:
            envelope["result_info"] = self.info
        return _encode(envelope)


@dataclass(slots=True)
class Raw:
    """A reply without an envelope: bytes, or a stream of them."""

    body: bytes | AsyncIterator[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] | list[tuple[str, str]] = field(default_factory=dict)
    content_type: str = "application/octet-stream"

    def pairs(self) -> list[tuple[str, str]]:
        """All headers, the content type included unless set."""
        items = list(self.headers.items()) if isinstance(self.headers, Mapping) else list(self.headers)
        if self.content_type and not any(name.lower() == "content-type" for name, _ in items):
            items.append(("content-type", self.content_type))
        return items


def encode_json(value: Any) -> bytes:
    """Compact JSON."""
    return _encode(value)
