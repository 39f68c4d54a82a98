"""The field that `op://vault/item` means, when a reference names none.

It is the one that holds a connection string, by its name or by the look of its value; else the only field
that holds anything. Where that leaves a choice nobody guesses: the error lists the fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trailboss.secrets.backends import Unresolved
from trailboss.secrets.reference import Reference

NAMES = (
    "connection string",
    "connection url",
    "connection uri",
    "database url",
    "db url",
    "dsn",
)
"""Labels of a field with a connection string, the surest first; `-`, `_` and spaces are one to us."""
WEAK_NAMES = ("connection", "url", "uri")
"""Labels that say so only when the value looks like one."""
_CONNECTS = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*://\S+", re.I)
_SEPARATORS = re.compile(r"[\s_-]+")
_NOTES = "notes"


@dataclass(frozen=True, slots=True)
class FieldName:
    """A field without its value: `section` is its section's id (or name), `filled` whether it holds anything,
    `connects` whether that looks like a connection string."""

    id: str
    label: str
    section: str = ""
    purpose: str = ""
    filled: bool = True
    connects: bool = False

    @classmethod
    def of(cls, *, id: str, label: str, section: str, purpose: str, value: str) -> FieldName:
        """A field as it is read; of `value` only its look is kept."""
        return cls(id, label, section, purpose.casefold(), bool(value), bool(_CONNECTS.fullmatch(value)))

    @property
    def spoken(self) -> str:
        """The label as it is compared."""
        return _SEPARATORS.sub(" ", self.label.strip().casefold())


def obvious(reference: Reference, fields: Sequence[FieldName]) -> Reference | Unresolved:
    """`reference` with the field it can only mean, or what to choose from."""
    filled = [one for one in fields if one.filled and one.purpose != _NOTES and one.id != "notesPlain"]
    for hits in _guesses(filled):
        if len(hits) == 1:
            return _with(reference, hits[0])
    return Unresolved("field", "unnamed", known=tuple(dict.fromkeys(_written(one) for one in filled)))


def _guesses(filled: Sequence[FieldName]) -> list[list[FieldName]]:
    def called(name: str, among: Sequence[FieldName]) -> list[FieldName]:
        return [one for one in among if one.spoken.replace(" ", "") == name.replace(" ", "")]

    connecting = [one for one in filled if one.connects]
    strong = [called(name, filled) for name in NAMES]
    return [*strong, *(called(name, connecting) for name in WEAK_NAMES), connecting, list(filled)]


def _with(reference: Reference, found: FieldName) -> Reference:
    """By ids, which are never ambiguous and never hold a character that a reference may not."""
    return Reference(reference.vault, reference.item, found.section or None, found.id or found.label)


def _written(found: FieldName) -> str:
    return f"{found.section}/{found.label}" if found.section and not _is_id(found.section) else found.label


def _is_id(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9]{26}|Section_[A-Za-z0-9]+", text))
