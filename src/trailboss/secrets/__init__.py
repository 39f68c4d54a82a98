"""Where secret values come from: 1Password, the environment, dotenv and JSON files, standard input.

    read_secrets(file, environ, settings)   names and values for `secret bulk` and `--secrets-file`
    read_dotenv(file, environ, settings)    the variables of one dotenv file
    resolve(value, environ)                 one string
    Resolver(environ, settings)             many strings with one question to one backend
    resolve_tree(data, resolver, locate)    every string of a table

`settings` is `project.section("secrets", SecretsSettings)` with `trailboss.secrets.settings`."""

from trailboss.secrets.environment import resolve
from trailboss.secrets.files import read_dotenv, read_secrets
from trailboss.secrets.resolver import Resolver, Wanted
from trailboss.secrets.tree import resolve_tree, resolve_tree_now

__all__ = [
    "Resolver",
    "Wanted",
    "read_dotenv",
    "read_secrets",
    "resolve",
    "resolve_tree",
    "resolve_tree_now",
]
