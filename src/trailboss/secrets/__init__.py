"""Where secret values come from: 1Password, the environment, dotenv and JSON files, standard input.

    read_secrets(file, environ, settings)   names and values for `secret bulk` and `--secrets-file`
    read_dotenv(file, environ, settings)    the variables of one dotenv file
    SecretsFile.read(file, ...)             the same, read now and resolved later, together with others
    resolve(value, environ)                 one string
    given(value, environ, settings)         a value from the command line, which may be a reference
    Resolver(environ, settings)             many strings with one question to one backend
    resolve_tree(data, resolver, locate)    every string of a table
    Vaults(environ, settings)               shared by several of these, so that they ask one question

`settings` is `project.section("secrets", SecretsSettings)` with `trailboss.secrets.settings`."""

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
