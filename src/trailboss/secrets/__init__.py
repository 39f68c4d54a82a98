"""Where secret values come from: 1Password, the environment, dotenv and JSON files, standard input.

    read_secrets(file, environ, settings)   names and values for `secret bulk` and `--secrets-file`
    read_dotenv(file, environ, settings)    the variables of one dotenv file
    SecretsFile.read(file, ...)             the same, read now and resolved later, together with others
    resolve(value, environ)                 one string
    given(value, environ, settings)         a value from the command line, which may be a reference
    Resolver(environ, settings)             many strings with one question to one backend
    resolve_tree(data, resolver, locate)    every string of a table
    Vaults(environ, settings)               shared by several of these, so that they ask one question

`settings` is `project.section("secrets", SecretsSettings)` with `trailboss.secrets.settings`.

Names are loaded when they are first used: importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailboss.secrets.environment import asks, given, resolve
    from trailboss.secrets.files import SecretsFile, read_dotenv, read_secrets
    from trailboss.secrets.resolver import Resolver, Wanted
    from trailboss.secrets.tree import resolve_tree, resolve_tree_now
    from trailboss.secrets.vaults import Vaults

__all__ = [
    "Resolver",
    "SecretsFile",
    "Vaults",
    "Wanted",
    "asks",
    "given",
    "read_dotenv",
    "read_secrets",
    "resolve",
    "resolve_tree",
    "resolve_tree_now",
]

_HOMES = {
    "Resolver": "resolver",
    "SecretsFile": "files",
    "Vaults": "vaults",
    "Wanted": "resolver",
    "asks": "environment",
    "given": "environment",
    "read_dotenv": "files",
    "read_secrets": "files",
    "resolve": "environment",
    "resolve_tree": "tree",
    "resolve_tree_now": "tree",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
