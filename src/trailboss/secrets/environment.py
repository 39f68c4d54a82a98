"""One string by itself. A file, or all strings of a config, go to a `Resolver` together instead: that asks
the vault once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trailboss.secrets.quiet import Quiet
from trailboss.secrets.resolver import Resolver, Wanted
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
) -> Secret:
    """`value` with its references filled in; `name` is the variable or secret it is for.

    With `literal` only a whole `op://` reference counts: for values that are typed or piped in, where `${`
    may well be part of a password.

    Raises SecretError as `Resolver.resolve`."""
    environ, wanted = Quiet(environ), Wanted(value, name, where, literal)
    del value  # it may be more than a reference, and crash reports show variables
    return Resolver(environ, settings).resolve_now({0: wanted})[0]
