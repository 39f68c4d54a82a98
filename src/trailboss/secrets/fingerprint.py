"""Fingerprints of secret values: enough to tell that a value is another one, too little to tell what it is.

24 bits of scrypt, with a salt drawn for each set and the secret's own name in it. Whoever can read them and
guesses a value pays about 10 milliseconds for each guess, and one wrong guess in 16.8 million passes: a long
random value gives nothing away, and a short or common one is narrowed down and not confirmed. With a key
(`[secrets] fingerprint_key`) nothing can be guessed at all without the key. Equal values do not look equal,
because the names differ. docs/secrets.md has the whole threat model."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as randomness
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from trailboss.values import Secret

FORMAT = "1"
_BYTES, _SALT_BYTES = 3, 9
_COST = {"n": 2**12, "r": 8, "p": 1, "dklen": _BYTES}
NO_KEY = "-"


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Fingerprints by name. `salt` was drawn for them, `key_id` says which key they were made with."""

    salt: str
    key_id: str = NO_KEY
    prints: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def fresh(cls, key: Secret | None = None) -> Fingerprints:
        """None yet, with a salt of their own."""
        salt = _text(randomness.token_bytes(_SALT_BYTES))
        return cls(salt, key_id(key))

    def with_values(self, values: Mapping[str, Secret | None], key: Secret | None = None) -> Fingerprints:
        """Also those of `values`; None takes a name away. Made with another key, the old ones are dropped.

        About 10 ms of one processor for each value, several at a time."""
        base = self if self.key_id == key_id(key) else Fingerprints(self.salt, key_id(key))
        prints = {name: text for name, text in base.prints.items() if name not in values}
        return Fingerprints(base.salt, base.key_id, prints | base.of(values, key))

    def of(self, values: Mapping[str, Secret | None], key: Secret | None = None) -> dict[str, str]:
        """The fingerprints that these values have with this salt."""
        from concurrent.futures import ThreadPoolExecutor

        given = [(name, value) for name, value in values.items() if value is not None]
        with ThreadPoolExecutor(4) as pool:
            made = pool.map(lambda one: _print(one[1], self.salt, one[0], key), given)
            return dict(zip((name for name, _ in given), made, strict=True))

    def as_text(self) -> str:
        """One line, for a place that keeps text."""
        pairs = (f"{quote(name, safe='')}:{text}" for name, text in sorted(self.prints.items()))
        return " ".join((FORMAT, self.salt, self.key_id, *pairs))

    @classmethod
    def read(cls, text: str) -> Fingerprints | None:
        """The reverse of `as_text`; None for what is none, or is of a later format."""
        words = text.split(" ")
        if len(words) < 3 or words[0] != FORMAT:
            return None
        pairs: Iterable[tuple[str, str, str]] = (word.partition(":") for word in words[3:])
        return cls(words[1], words[2], {unquote(name): found for name, _, found in pairs})


def key_id(key: Secret | None) -> str:
    """Four characters that tell keys apart and say nothing about them."""
    return _print(key, "trailboss key", "", None) if key else NO_KEY


def _print(value: Secret, salt: str, name: str, key: Secret | None) -> str:
    seasoning = f"{salt}/{name}".encode()
    if key is not None:
        seasoning = hmac.digest(key.reveal().encode(), seasoning, "sha256")
    return _text(hashlib.scrypt(value.reveal().encode(), salt=seasoning, **_COST))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
