"""Whose a resource is, as it is written into tags, markers and claims.

A stamp says which project, environment and key a resource stands for, and a digest of the spec that was last
applied: a resource that differs from a file whose digest is unchanged was changed by hand.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import quote, unquote

from trailboss.resources.marks import UNSET, Mark, Ref, is_path, is_secret, mark_of
from trailboss.values import Secret

PROJECT, ENVIRONMENT, KEY = "trailboss.project", "trailboss.env", "trailboss.key"
SPEC, ADOPTED = "trailboss.spec", "trailboss.adopted"
_MARKER = re.compile(r"trailboss:([^/]*)/([^/]*)/([^#]*)#([0-9a-f]*)(\+?)")
_SAFE = "-_.*@ "


@dataclass(frozen=True, slots=True)
class Owner:
    """One project in one environment ("" is the top level)."""

    project: str
    environment: str

    def __str__(self) -> str:
        return f"{self.project} ({self.environment or 'top level'})"


@dataclass(frozen=True, slots=True)
class Stamp:
    """`spec` is the digest of what was last applied, "" when a create was only begun. What was `adopted` was
    there before us and is let go, never deleted."""

    owner: Owner
    key: str
    spec: str
    adopted: bool = False

    def tags(self) -> dict[str, str]:
        """As resource tags."""
        own = {
            PROJECT: self.owner.project,
            ENVIRONMENT: self.owner.environment,
            KEY: self.key,
            SPEC: self.spec,
        }
        return {**own, ADOPTED: "true"} if self.adopted else own

    def merged(self, tags: Mapping[str, str]) -> dict[str, str]:
        """`tags` with ours in them; everybody else's stay."""
        return {**without_stamp(tags), **self.tags()}

    def marker(self) -> str:
        """As one short text: `trailboss:shop/staging/www#1f2e3d4c`."""
        parts = (self.owner.project, self.owner.environment, self.key)
        project, environment, key = (quote(part, safe=_SAFE) for part in parts)
        return f"trailboss:{project}/{environment}/{key}#{self.spec}{'+' if self.adopted else ''}"


def without_stamp(tags: Mapping[str, str]) -> dict[str, str]:
    """`tags` without ours."""
    return {name: value for name, value in tags.items() if not name.startswith("trailboss.")}


def from_tags(tags: Mapping[str, str]) -> Stamp | None:
    """The stamp in a resource's tags."""
    if PROJECT not in tags:
        return None
    owner = Owner(tags[PROJECT], tags.get(ENVIRONMENT, ""))
    return Stamp(owner, tags.get(KEY, ""), tags.get(SPEC, ""), ADOPTED in tags)


def from_marker(text: str) -> Stamp | None:
    """The stamp in a marker."""
    found = _MARKER.fullmatch(text)
    if found is None:
        return None
    project, environment, key = (unquote(part) for part in found.groups()[:3])
    return Stamp(Owner(project, environment), key, found[4], found[5] == "+")


def digest(spec: Any) -> str:
    """Eight hex digits of what a spec wants. Secrets count by their reference, never by their value."""
    wanted: dict[str, Any] = {}
    for place in fields(spec):
        value = getattr(spec, place.name)
        if value is UNSET or mark_of(place) is Mark.MARKER or is_path(place):
            continue
        wanted[place.name] = _reference(value) if is_secret(place) else _plain(value)
    text = json.dumps(wanted, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _reference(value: Any) -> str:
    text = "" if isinstance(value, Secret) else str(value)
    return text if text.startswith(("op://", "${")) else "given"


def _plain(value: Any) -> Any:
    if isinstance(value, Ref):
        return {"ref": [value.kind, value.name, value.form]}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "__dataclass_fields__"):
        return {place.name: _plain(getattr(value, place.name)) for place in fields(value)}
    return value
