"""Where secret values come from: dotenv and JSON files, standard input, and references into the
environment.

    read_secrets(file, environ)   names and values for `secret bulk` and `--secrets-file`; None removes
    read_dotenv(file, environ)    the variables of one dotenv file
    resolve(value, environ)       `${NAME}` in any other string
"""

from trailboss.secrets.environment import resolve
from trailboss.secrets.files import read_dotenv, read_secrets

__all__ = ["read_dotenv", "read_secrets", "resolve"]
