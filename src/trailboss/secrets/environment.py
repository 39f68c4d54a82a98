"""One string by itself. A file, or all strings of a config, go to a `Resolver` together instead: that asks
the vault once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

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
    settings: SecretsSettings | None = None,
) -> Secret:
    """`value` with its references filled in; `name` is the variable or secret it is for.

    Raises SecretError as `Resolver.resolve`."""
    return Resolver(environ, settings).resolve_now({0: Wanted(value, name, where)})[0]
