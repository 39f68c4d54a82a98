"""One string by itself. A file, or all strings of a config, go to a `Resolver` together instead: that asks
the vault once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trailboss.secrets.quiet import Quiet
from trailboss.secrets.reference import SCHEME
from trailboss.secrets.resolver import Resolver, Wanted
from trailboss.secrets.vaults import Vaults
from trailboss.values import Location, Secret

if TYPE_CHECKING:
    from trailboss.secrets.settings import SecretsSettings


def resolve(
    value: str,
    environ: Mapping[str, str],
    *,
    where: Location | None = None,
    name: str | None = None,
    literal: bool = False,
    settings: SecretsSettings | None = None,
    vaults: Vaults | None = None,
) -> Secret:
    """`value` with its references filled in; `name` is the variable or secret it is for.

    With `literal` only a whole `op://` reference counts: for values that are typed or piped in, where `${`
    may well be part of a password.

    Raises SecretError as `Resolver.resolve`."""
    environ, wanted = Quiet(environ), Wanted(value, name, where, literal)
    del value  # it may be more than a reference, and crash reports show variables
    return Resolver(environ, settings, vaults=vaults).resolve_now({0: wanted})[0]


_WHOLE_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^{}]*)?\}")
_ENCLOSED = re.compile(r"\{\{\s*op://")


def asks(value: str) -> bool:
    """Whether a typed value is meant as a reference: `op://...` or `${NAME}` as a whole, or with a
    `{{ op://... }}` inside. Anything else is taken as it stands: `${` may well be part of a password."""
    text = value.strip()
    return text.startswith(SCHEME) or bool(_WHOLE_VARIABLE.fullmatch(text) or _ENCLOSED.search(text))


def given(
    value: str,
    environ: Mapping[str, str],
    settings: SecretsSettings | None = None,
    *,
    name: str | None = None,
    vaults: Vaults | None = None,
) -> Secret:
    """A value from the command line (`hyperdrive create --connection-string op://Production/db`): resolved
    when it asks for something (`asks`), itself otherwise. `name` is the option it was given to.

    Raises SecretError as `Resolver.resolve`."""
    if not asks(value):
        return Secret(value)
    return resolve(value, environ, name=name, settings=settings, vaults=vaults)
