"""`${NAME}` in a value: what the environment says, at the last moment. `$${` is a plain `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trailboss.errors import SecretError
from trailboss.values import Location, Secret

_REFERENCE = re.compile(r"\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_VAULT_SCHEME = "op://"


def missing(value: str, environ: Mapping[str, str]) -> list[str]:
    """The variables `value` asks for that `environ` does not have."""
    return [match[2] for match in _REFERENCE.finditer(value) if match[2] and match[2] not in environ]


def resolve(value: str, environ: Mapping[str, str], *, where: Location | None = None) -> Secret:
    """`value` with its references filled in.

    Raises SecretError TB7003 (a variable that is not set) and TB7004 (a 1Password reference nobody
    resolved)."""
    if value.startswith(_VAULT_SCHEME):
        raise SecretError(
            "TB7004",
            "This is a 1Password reference, and nothing has resolved it.",
            where=where,
            hint="Use `op run --env-file FILE -- trailboss ...`, and ${NAME} in this file.",
        )
    absent = missing(value, environ)
    if absent:
        raise SecretError(
            "TB7003",
            f"{', '.join(dict.fromkeys(absent))}: not set in the environment.",
            where=where,
            hint="Set it, or write $${ for a plain ${.",
        )
    return Secret(_REFERENCE.sub(lambda match: match[1] or environ[match[2]], value))
