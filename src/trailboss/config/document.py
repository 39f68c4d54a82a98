"""One configuration file: its values, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trailboss.config import jsonc, toml
from trailboss.config.source import Source, read_source
from trailboss.errors import ConfigError
from trailboss.values import Location

Keys = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """A file that was read: `data` is plain dicts, lists and scalars; `warnings` name their place."""

    source: Source
    data: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    _places: dict[Keys, int] = field(default_factory=dict, repr=False)
    derived: tuple[str, str] | None = None
    """(an environment in `data` that the file does not have, the one it is a copy of)"""

    @property
    def file(self) -> Path:
        """Where it was read from."""
        return self.source.file

    def has(self, *keys: str | int) -> bool:
        """Whether the file says anything at this path."""
        return keys in self._places

    def locate(self, *keys: str | int) -> Location:
        """Where the key at this path stands; for a missing one its nearest parent, at worst line 1."""
        for length in range(len(keys), -1, -1):
            offset = self._places.get(keys[:length])
            if offset is not None:
                return self.source.at(offset)
        return self.source.start


def read_document(file: Path) -> Document:
    """Reads `.json`, `.jsonc` or `.toml`.

    Raises ConfigError TB1002 to TB1010: unreadable, not UTF-8, syntax, too deep, no table, unknown ending.
    """
    return parse_document(read_source(file))


def parse_document(source: Source) -> Document:
    """As `read_document`, from text already in memory; the ending of `source.file` decides the format."""
    ending = source.file.suffix.lower()
    if ending == ".toml":
        data, places = toml.parse(source)
        return Document(source, data, _places=places)
    if ending not in (".json", ".jsonc"):
        raise ConfigError(
            "TB1009",
            f"a configuration ends in .jsonc, .json or .toml, not {source.file.suffix!r}",
            where=Location(source.file),
        )
    parsed = jsonc.parse(source)
    if not isinstance(parsed.root.value, dict):
        raise ConfigError("TB1008", "the file must hold one { object }", where=source.at(parsed.root.start))
    warnings = [
        f'{source.at(offset)}: the key "{name}" is written twice; the last one counts'
        for name, offset in parsed.repeated
    ]
    return Document(source, parsed.root.value, warnings, jsonc.places(parsed.root))
