"""Keeps credentials out of everything that is shown, logged or raised."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from trailboss.values import Secret

MASK = "<secret>"
# Shapes of credentials that are not ours to know beforehand: upload JWTs, signed URLs, echoed headers.
# Compiled when something is shown: most commands have nothing to hide.
_SHAPES = (
    r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    r"(?i)\b(x-auth-key|x-amz-signature|x-amz-security-token|x-amz-credential)([=:]\s*)[^\s&\"']+",
)


class Redactor:
    """Replaces the secrets it was given, and anything shaped like a credential, by `<secret>`."""

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)

    def text(self, value: str) -> str:
        """`value` without credentials, plain or percent-encoded."""
        for secret in self._secrets:
            plain = secret.reveal()
            for form in (plain, quote(plain, safe="")):
                if form in value:
                    value = value.replace(form, MASK)
            plain = form = ""  # a frame kept by a traceback must not hold it
        for shape in _SHAPES:
            value = re.sub(shape, _mask, value)
        return value

    def deep(self, value: Any) -> Any:
        """The same for every string inside lists and mappings, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.deep(item) for item in value]
        if isinstance(value, dict):
            return {self.deep(key): self.deep(item) for key, item in value.items()}
        return value


def _mask(found: re.Match[str]) -> str:
    kept = "".join(group for group in found.groups() if group)
    return f"{kept} {MASK}" if found.lastindex == 1 else f"{kept}{MASK}"
