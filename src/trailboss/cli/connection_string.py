"""A database's connection string as it may be written into a file: without its password."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from trailboss.errors import UsageError
from trailboss.values import Secret

_REFERENCE = re.compile(r"op://.+|\$\{[A-Za-z_][A-Za-z0-9_]*\}|\{\{.*\}\}", re.DOTALL)


def split(name: str, text: str) -> tuple[dict[str, Any], dict[str, Secret]]:
    """What the file says, and the secrets by the references that stand for them there.

    A reference stays as it is. A URL is taken apart, and its password becomes `${<NAME>_PASSWORD}`.

    Raises:
        UsageError: TB9064 it is neither.
    """
    if _REFERENCE.fullmatch(text):
        return {"connection_string": text}, {}
    parts = _parts(text)
    reference = f"${{{re.sub(r'[^A-Z0-9]', '_', name.upper())}_PASSWORD}}"
    table = {
        "scheme": "postgres" if parts.scheme == "postgresql" else parts.scheme,
        "host": parts.hostname,
        "port": parts.port or (3306 if parts.scheme == "mysql" else 5432),
        "database": unquote(parts.path.lstrip("/")),
        "user": unquote(parts.username or ""),
        "password": reference,
    }
    return table, {reference: Secret(unquote(parts.password or ""))}


def _parts(text: str) -> Any:
    """The URL; a wrong one is not shown, as it may hold a password."""
    problem = ""
    try:
        parts = urlsplit(text)
        if parts.scheme not in ("postgres", "postgresql", "mysql"):
            problem = "it begins with postgres:// or mysql://"
        elif not (parts.hostname and parts.username and parts.password and parts.path.strip("/")):
            problem = "it has a user, a password, a host and a database"
        elif parts.port is not None and parts.port < 1:
            problem = "its port is a number from 1"
    except ValueError:
        problem = "its host or port cannot be read"
    if problem:
        raise UsageError(
            "TB9064",
            f"this is not a connection string: {problem}",
            hint="For example op://vault/item/field, ${DATABASE_URL}, or postgres://user:…@host:5432/name.",
        )
    return parts
