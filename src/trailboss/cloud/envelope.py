"""Opens Cloudflare's reply envelope. Imported with the first reply: msgspec is not free."""

from __future__ import annotations

from typing import Any

import msgspec

from trailboss.values import Secret


class Envelope(msgspec.Struct, gc=False):
    """`{success, errors, messages, result, result_info}`, read leniently; `result` stays undecoded."""

    success: bool | None = None
    errors: Any = None
    messages: Any = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    result_info: Any = None

    def error_list(self) -> list[dict[str, Any]]:
        """Cloudflare's errors as a list of {"code", "message", …}, whatever shape they came in."""
        found = self.errors if isinstance(self.errors, list) else [self.errors] if self.errors else []
        return [error if isinstance(error, dict) else {"code": 0, "message": str(error)} for error in found]


class Unreadable(ValueError):
    """The body is not an envelope: `reason` says why in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_ENVELOPE = msgspec.json.Decoder(Envelope)
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def open_envelope(status: int, body: bytes) -> Envelope:
    """The envelope in `body`; an empty body counts as success only with 204 and 205.

    Raises:
        Unreadable: empty, HTML, truncated, or JSON without a success flag.
    """
    if not body.strip():
        if status in (204, 205):
            return Envelope(success=True)
        raise Unreadable("the answer is empty")
    try:
        envelope = _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        kind = "HTML" if body.lstrip()[:1] == b"<" else "not complete JSON"
        raise Unreadable(f"the answer is {kind}") from None
    if envelope.success is None:
        raise Unreadable("the answer has no success flag")
    return envelope


def decode(raw: msgspec.Raw, type_: Any) -> Any:
    """The result as `type_` (plain dicts and lists when None).

    Raises:
        Unreadable: it has another shape than `type_`.
    """
    if type_ is None:
        return msgspec.json.decode(raw)
    decoder = _decoders.get(type_)
    if decoder is None:
        decoder = _decoders.setdefault(type_, msgspec.json.Decoder(type_))
    try:
        return decoder.decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Unreadable(f"the result has an unexpected shape: {error}") from None


def encode(value: Any) -> bytes:
    """A request body as JSON; a `Secret` inside shows its value here and nowhere else."""
    return msgspec.json.encode(value, enc_hook=_reveal)


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"a {type(value).__name__} cannot be sent as JSON")
