"""One item as a Connect server describes it, and the field a reference means.

Source: 1Password Connect API 1.7, FullItem. Values are wrapped where the reply is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from trailboss.secrets.backends import Answer, Unresolved
from trailboss.secrets.obvious import FieldName
from trailboss.secrets.reference import Reference
from trailboss.values import Secret


@dataclass(frozen=True, slots=True)
class Field:
    """A field; `section` is a section's id, "" for none. `otp` is the one-time password of this moment."""

    id: str
    label: str
    section: str
    kind: str
    purpose: str
    value: Secret
    otp: Secret | None = None


@dataclass(frozen=True, slots=True)
class File:
    """An attached file; its content is a request of its own."""

    id: str
    label: str
    section: str
    size: int


@dataclass(frozen=True, slots=True)
class Item:
    """`sections` are (id, label)."""

    id: str
    vault: str
    sections: tuple[tuple[str, str], ...] = ()
    fields: tuple[Field, ...] = ()
    files: tuple[File, ...] = field(default=())


def item(found: Mapping[str, Any], vault: str) -> Item:
    """The item in a reply; absent keys are empty, as the server leaves empty ones out."""
    return Item(
        id=_text(found.get("id")),
        vault=vault,
        sections=tuple((_text(s.get("id")), _text(s.get("label"))) for s in _all(found, "sections")),
        fields=tuple(_field(entry) for entry in _all(found, "fields")),
        files=tuple(
            File(_text(f.get("id")), _text(f.get("name")), _section(f), int(f.get("size") or 0))
            for f in _all(found, "files")
        ),
    )


def _field(entry: Mapping[str, Any]) -> Field:
    otp = entry.get("totp") or entry.get("otp")
    return Field(
        id=_text(entry.get("id")),
        label=_text(entry.get("label")),
        section=_section(entry),
        kind=_text(entry.get("type")),
        purpose=_text(entry.get("purpose")),
        value=Secret(_text(entry.get("value"))),
        otp=Secret(_text(otp)) if otp else None,
    )


def pick(found: Item, reference: Reference) -> Field | File | Unresolved:
    """The one field or file that `reference` means.

    Without a section a field outside of sections comes before equally named ones inside. A field comes
    before a file."""
    inside: set[str] | None = None
    if reference.section is not None:
        inside = {key for key, label in found.sections if matches(reference.section, key, label)}
        if len(inside) != 1:
            labels = tuple(label for _, label in found.sections if label)
            return Unresolved("section", "ambiguous" if inside else "unknown", known=labels)
    for group in (found.fields, found.files):
        named = [x for x in group if matches(reference.field, x.id, x.label)]
        hits = [x for x in named if inside is None or x.section in inside]
        if inside is None and len(hits) > 1:
            hits = [x for x in hits if not x.section] or hits
        if len(hits) == 1:
            return hits[0]
        if hits:
            return Unresolved("field", "ambiguous", "give the section, or the field's id")
    return Unresolved("field", "unknown", known=tuple(_labels(found, inside)))


def field_names(found: Item) -> tuple[FieldName, ...]:
    """The item's fields without their values."""
    return tuple(
        FieldName.of(
            id=one.id, label=one.label, section=one.section, purpose=one.purpose, value=one.value.reveal()
        )
        for one in found.fields
    )


def value(found: Field, reference: Reference) -> Answer:
    """What of the field is wanted: its value, or the attribute that the reference names."""
    if reference.ssh_format:
        return Unresolved("attribute", "unsupported", "a Connect server cannot convert keys")
    plain = {"type": found.kind, "id": found.id, "purpose": found.purpose, "label": found.label}
    attribute = reference.attribute.casefold()
    if attribute in ("otp", "totp"):
        return found.otp or Unresolved("attribute", "unsupported", "the field is no one-time password")
    if attribute == "value":
        return found.value
    if attribute in plain:
        return Secret(plain[attribute])
    return Unresolved("attribute", "unknown", known=("value", "otp", *plain))


Named = TypeVar("Named", bound=Mapping[str, Any])


def matching(wanted: str, entries: Iterable[Named], label: str) -> list[Named]:
    """The vaults or items that `wanted` names: the one with this id, else those with this name."""
    all_of_them = list(entries)
    by_id = [entry for entry in all_of_them if _text(entry.get("id")).casefold() == wanted.casefold()]
    return by_id or [e for e in all_of_them if _text(e.get(label)).strip().casefold() == wanted.casefold()]


def matches(wanted: str, key: str, label: str) -> bool:
    """Whether an id or a label is the one wanted; case does not count."""
    return wanted.casefold() in (key.casefold(), label.strip().casefold())


def _labels(found: Item, inside: set[str] | None) -> Iterable[str]:
    entries: tuple[Field | File, ...] = (*found.fields, *found.files)
    for entry in entries:
        if entry.label and (inside is None or entry.section in inside):
            yield entry.label


def _all(found: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    entries = found.get(key)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _section(entry: Mapping[str, Any]) -> str:
    section = entry.get("section")
    return _text(section.get("id")) if isinstance(section, dict) else ""


def _text(found: object) -> str:
    return found if isinstance(found, str) else "" if found is None else str(found)
