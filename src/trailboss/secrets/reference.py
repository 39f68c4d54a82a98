"""One reference into a 1Password vault: `op://vault/item[/[section/]field[?attribute=...]]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCHEME = "op://"
QUERIES = ("attribute", "attr", "ssh-format")
_ALLOWED = re.compile(r"[A-Za-z0-9_. -]*")


@dataclass(frozen=True, slots=True)
class Reference:
    """Names or ids; comparing them is the backend's business, which does it without regard to case.

    `field` is empty where none is named: then the item's obvious field is meant (`obvious`), which only we
    understand, not `op`. `query` is what stands after the question mark as (name, value)."""

    vault: str
    item: str
    section: str | None
    field: str
    query: tuple[str, str] | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """`text` as a reference; raises ValueError with the reason when it is none."""
        reason = cls.wrong(text)
        if reason:
            raise ValueError(reason)
        path, _, query = text.strip().removeprefix(SCHEME).partition("?")
        names = [name.strip() for name in path.split("/")]
        name, _, value = query.partition("=")
        asked = (name, value) if query else None
        section = names[2] if len(names) == 4 else None
        return cls(names[0], names[1], section, names[-1] if len(names) > 2 else "", asked)

    @staticmethod
    def wrong(text: str) -> str | None:
        """Why `text` is no reference, as a phrase; None when it is one."""
        stripped = text.strip()
        if not stripped.startswith(SCHEME):
            return "this does not begin with op://"
        path, question, query = stripped.removeprefix(SCHEME).partition("?")
        names = path.split("/")
        if len(names) not in (2, 3, 4) or (question and len(names) == 2):
            few = "too few" if len(names) < 3 else "too many"
            return f"this reference has {few} parts ({len(names)})"
        if not all(name.strip() for name in names):
            return "a part of this reference is empty"
        for name in names:
            at = _ALLOWED.match(name)
            if at and at.end() != len(name):
                return f"{name[at.end()]!r} may not stand in a reference"
        if question:
            key, _, value = query.partition("=")
            if key not in QUERIES or not re.fullmatch(r"[A-Za-z0-9_-]+", value):
                return "after ? only attribute=... or ssh-format=... may follow"
        return None

    @property
    def attribute(self) -> str:
        """Which attribute of the field is wanted; "value" when nothing is said."""
        return self.query[1] if self.query and self.query[0] != "ssh-format" else "value"

    @property
    def ssh_format(self) -> str | None:
        """The format a private key is wanted in."""
        return self.query[1] if self.query and self.query[0] == "ssh-format" else None

    def __str__(self) -> str:
        path = "/".join(name for name in (self.vault, self.item, self.section, self.field) if name)
        return f"{SCHEME}{path}" + (f"?{self.query[0]}={self.query[1]}" if self.query else "")
