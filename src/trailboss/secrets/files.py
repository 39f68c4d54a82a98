"""Files of secrets: a JSON object or dotenv, told apart by the first character that is not white space."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trailboss.errors import SecretError
from trailboss.secrets.dotenv import Entry, parse
from trailboss.secrets.environment import missing, resolve
from trailboss.values import Location, Secret

STDIN = Path("-")


def read_secrets(file: Path | str | None, environ: Mapping[str, str]) -> dict[str, Secret | None]:
    """The names and values in `file`; None or "-" reads standard input. A JSON null removes the secret.

    `${NAME}` is filled in from `environ`, except in single quotes. Raises SecretError TB7000
    (unreadable), TB7001 and TB7002 (dotenv), TB7003 (variables that are not set, all of them at once),
    TB7004 (a 1Password reference), TB7005 (JSON)."""
    from_stdin = file is None or Path(file) == STDIN
    shown = Path("<stdin>") if from_stdin else Path(str(file))
    text = sys.stdin.read() if from_stdin else _read(shown)
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return _from_json(text, shown, environ)
    return dict(_from_dotenv(text, shown, environ))


def read_dotenv(file: Path, environ: Mapping[str, str]) -> dict[str, Secret]:
    """The variables of one dotenv file. Raises SecretError TB7000-TB7004 as `read_secrets`."""
    return _from_dotenv(_read(file), file, environ)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise SecretError("TB7000", f"{file} is not UTF-8 text.", hint="Save it as UTF-8.") from None
    except OSError as error:
        raise SecretError(
            "TB7000",
            f"{file} cannot be read: {error.strerror}.",
            hint="Check the path; `-` is standard input.",
        ) from None


def _from_dotenv(text: str, file: Path, environ: Mapping[str, str]) -> dict[str, Secret]:
    entries = parse(text, file)
    _all_set({name: entry for name, entry in entries.items() if not entry.literal}, file, environ)
    return {
        name: Secret(entry.value)
        if entry.literal
        else resolve(entry.value, environ, where=Location(file, entry.line))
        for name, entry in entries.items()
    }


def _all_set(entries: Mapping[str, Entry], file: Path, environ: Mapping[str, str]) -> None:
    """Name every variable that is not set at once, not one at a time."""
    absent = {name: entry for entry in entries.values() for name in missing(entry.value, environ)}
    if absent:
        first = next(iter(absent.values()))
        raise SecretError(
            "TB7003",
            f"{', '.join(absent)}: not set in the environment.",
            where=Location(file, first.line),
            hint="Set them, or use single quotes where ${ is meant as it stands.",
        )


def _from_json(text: str, file: Path, environ: Mapping[str, str]) -> dict[str, Secret | None]:
    try:
        found: Any = json.loads(text.removeprefix("\ufeff"))
    except ValueError as error:
        line = getattr(error, "lineno", None)
        where = Location(file, line)
        raise SecretError(
            "TB7005", "This is not JSON.", where=where, hint='Write {"NAME": "value"}, or NAME=value lines.'
        ) from None
    wrong = [name for name, value in found.items() if not isinstance(value, str | None)]
    if wrong:
        raise SecretError(
            "TB7005",
            f"{', '.join(wrong)}: the value is neither a string nor null.",
            where=Location(file),
            hint="Put numbers and objects in quotes.",
        )
    absent = [name for value in found.values() if value for name in missing(value, environ)]
    if absent:
        raise SecretError(
            "TB7003",
            f"{', '.join(dict.fromkeys(absent))}: not set in the environment.",
            where=Location(file),
            hint="Set them, or write $${ for a plain ${.",
        )
    return {
        name: None if value is None else resolve(value, environ, where=Location(file))
        for name, value in found.items()
    }
