"""Templates with their variables filled in: what is left are texts and complete references.

A variable's value is taken as it is and never read for references again, except one that is a whole
reference: nobody has resolved that yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trailboss.errors import SecretError
from trailboss.secrets.dotenv import Entry
from trailboss.secrets.reference import SCHEME, Reference
from trailboss.secrets.references import Pointer, Template, Text, malformed, parse
from trailboss.values import Secret

Piece = Secret | Reference


@dataclass(slots=True)
class Variables:
    """The variables of the process, over those of dotenv files (the last file wins)."""

    environ: Mapping[str, str] = field(repr=False)
    entries: Mapping[str, Entry] = field(default_factory=dict, repr=False)
    _open: list[str] = field(default_factory=list)

    def pieces(self, template: Template, missing: dict[str, None]) -> list[Piece]:
        """The pieces of `template` in order. Names that are not set anywhere are added to `missing`.

        Raises SecretError TB7020 (a reference that is malformed once it is complete), TB7051 (variables
        in a circle)."""
        found: list[Piece] = []
        for part in template.parts:
            if isinstance(part, Text):
                found.append(Secret(part.value))
            elif isinstance(part, Pointer):
                found.append(self._reference(part, missing))
            else:
                found += self._variable(part.name, part.default, missing)
        return found

    def _reference(self, pointer: Pointer, missing: dict[str, None]) -> Piece:
        before = len(missing)
        pieces = self.pieces(pointer.inside, missing)
        if len(missing) > before:
            return Secret("")
        if any(isinstance(piece, Reference) for piece in pieces):
            raise malformed("a reference inside of a reference", pointer.at)
        text = "".join(piece.reveal() for piece in pieces if isinstance(piece, Secret))
        reason = Reference.wrong(text)
        if reason:
            raise malformed(f"with its variables filled in, {reason}", pointer.at)
        return Reference.parse(text)

    def _variable(self, name: str, default: Template | None, missing: dict[str, None]) -> list[Piece]:
        value = self._own(name, missing)
        if value:
            return value
        if default is not None:
            return self.pieces(default, missing)
        if value is None:
            missing[name] = None
        return [Secret("")]

    def _own(self, name: str, missing: dict[str, None]) -> list[Piece] | None:
        """What `name` is set to: None when it is not set, an empty list when it is empty."""
        if name in self.environ:
            value = self.environ[name]
            if value.startswith(SCHEME):
                return self.pieces(parse(value, literal=True), missing)
            return [Secret(value)] if value else []
        entry = self.entries.get(name)
        if entry is None or self._open[-1:] == [name]:
            # `KEY=${KEY}` asks the process for KEY; that it is not there is no circle.
            return None
        if name in self._open:
            circle = " -> ".join([*self._open[self._open.index(name) :], name])
            raise SecretError("TB7051", f"These variables refer to each other: {circle}.", hint="Break it.")
        self._open.append(name)
        try:
            found = self.pieces(parse(entry.value, literal=entry.literal), missing)
        finally:
            self._open.pop()
        return [] if found == [Secret("")] else found
