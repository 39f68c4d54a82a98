"""Files of secrets: a JSON object or dotenv, told apart by the first character that is not white space."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.errors import SecretError
from trailboss.secrets.dotenv import Entry, parse
from trailboss.secrets.quiet import Quiet
from trailboss.secrets.resolver import Resolver, Wanted
from trailboss.secrets.vaults import Vaults
from trailboss.values import Location, Secret

if TYPE_CHECKING:
    from trailboss.secrets.settings import SecretsSettings

STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class SecretsFile:
    """A file that has been read and not resolved: `wanted` by name, None where JSON says null (remove it)."""

    file: Path
    wanted: Mapping[str, Wanted | None] = field(repr=False)
    _resolver: Resolver = field(repr=False)

    @classmethod
    def read(
        cls,
        file: Path | str | None,
        environ: Mapping[str, str],
        settings: SecretsSettings | None = None,
        *,
        vaults: Vaults | None = None,
    ) -> SecretsFile:
        """Read `file`; None or "-" is standard input. Nobody is asked for anything yet.

        Raises SecretError TB7000 (unreadable), TB7001 and TB7002 (dotenv), TB7005 (JSON)."""
        environ = Quiet(environ)
        from_stdin = file is None or Path(file) == STDIN
        shown = Path("<stdin>") if from_stdin else Path(str(file))
        text = Secret(sys.stdin.read()) if from_stdin else _read(shown)
        if text.reveal().lstrip("\ufeff \t\r\n").startswith("{"):
            return cls(shown, _from_json(text, shown), Resolver(environ, settings, vaults=vaults))
        entries = parse(text.reveal(), shown)
        return cls(shown, _from_dotenv(entries, shown), Resolver(environ, settings, entries, vaults))

    def expect(self, only: Callable[[str], bool] | None = None) -> None:
        """Let what this file refers to go with the next question that anybody asks."""
        self._resolver.expect(self._chosen(only))

    def values(self, only: Callable[[str], bool] | None = None) -> dict[str, Secret | None]:
        """The values; with `only` those whose name it accepts. Raises SecretError as `Resolver.resolve`."""
        found = self._resolver.resolve_now(self._chosen(only))
        return {name: found.get(name) for name in self.wanted if only is None or only(name)}

    def _chosen(self, only: Callable[[str], bool] | None) -> dict[str, Wanted]:
        return {
            name: one for name, one in self.wanted.items() if one is not None and (only is None or only(name))
        }


def read_secrets(
    file: Path | str | None, environ: Mapping[str, str], settings: SecretsSettings | None = None
) -> dict[str, Secret | None]:
    """The names and values in `file`; None or "-" reads standard input. A JSON null removes the secret.

    All references of the file are resolved together: `op://` by the backend of `settings` ([secrets] of
    trailboss.toml), `${NAME}` from `environ`, then from the file itself. In single quotes nothing but a
    whole `op://` reference counts.

    Raises SecretError TB7000 (unreadable), TB7001 and TB7002 (dotenv), TB7005 (JSON), and those of
    `Resolver.resolve`."""
    environ = Quiet(environ)
    return SecretsFile.read(file, environ, settings).values()


def read_dotenv(
    file: Path,
    environ: Mapping[str, str],
    settings: SecretsSettings | None = None,
    *,
    only: Callable[[str], bool] | None = None,
) -> dict[str, Secret]:
    """The variables of one dotenv file; with `only` those whose name it accepts.

    Raises SecretError as `read_secrets`."""
    environ = Quiet(environ)
    entries = parse(_read(file).reveal(), file)
    wanted = _from_dotenv(entries, file)
    chosen = {name: one for name, one in wanted.items() if only is None or only(name)}
    return Resolver(environ, settings, entries).resolve_now(chosen)


def _read(file: Path) -> Secret:
    """The text of `file`: as a whole it is one secret."""
    try:
        return Secret(file.read_text("utf-8"))
    except UnicodeDecodeError:
        problem = SecretError("TB7000", f"{file} is not UTF-8 text.", hint="Save it as UTF-8.")
    except OSError as error:
        problem = SecretError(
            "TB7000",
            f"{file} cannot be read: {error.strerror}.",
            hint="Check the path; `-` is standard input.",
        )
    raise problem


def _from_dotenv(entries: Mapping[str, Entry], file: Path) -> dict[str, Wanted]:
    return {
        name: Wanted(entry.value, name, Location(file, entry.line), entry.literal)
        for name, entry in entries.items()
    }


def _from_json(text: Secret, file: Path) -> dict[str, Wanted | None]:
    found = _decoded(text)
    if isinstance(found, int):
        raise SecretError(
            "TB7005",
            "This is not JSON.",
            where=Location(file, found),
            hint='Write {"NAME": "value"}, or NAME=value lines.',
        )
    wrong = [name for name, value in found.items() if value is _WRONG]
    if wrong:
        raise SecretError(
            "TB7005",
            f"{', '.join(wrong)}: the value is neither a string nor null.",
            where=Location(file),
            hint="Put numbers and objects in quotes.",
        )
    return {
        name: None if value is None else Wanted(value.reveal(), name, _line_of(name, text, file))
        for name, value in found.items()
    }


_WRONG = Secret("")


def _decoded(text: Secret) -> dict[str, Secret | None] | int:
    """The object with its values wrapped (what is no string is `_WRONG`), or the line that is not JSON."""
    try:
        found: dict[str, Any] = json.loads(text.reveal().removeprefix("\ufeff"))
    except ValueError as error:
        return int(getattr(error, "lineno", 1))
    return {
        name: Secret(value) if isinstance(value, str) else None if value is None else _WRONG
        for name, value in found.items()
    }


def _line_of(name: str, text: Secret, file: Path) -> Location:
    """Where a name stands in a JSON text; the file when it is written with escapes."""
    match = re.search(rf"{re.escape(json.dumps(name, ensure_ascii=False))}\s*:", text.reveal())
    return Location(file, text.reveal().count("\n", 0, match.start()) + 1 if match else None)
