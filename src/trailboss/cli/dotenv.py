"""The variables a command runs with: the process's own over those of the project's dotenv files, as in
wrangler.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def with_files(
    environ: Mapping[str, str], folder: Path, environment: str | None, named: tuple[str, ...]
) -> Mapping[str, str]:
    """`environ` over the dotenv files: `.env`, `.env.local`, `.env.<environment>`,
    `.env.<environment>.local`, a later one winning over an earlier; or only the `named` ones, in their
    order.

    Raises:
        SecretError: a file cannot be read.
    """
    if environ.get("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV") == "false" and not named:
        return environ
    files = [folder / name for name in named] or [
        path for name in default_files(environment) if (path := folder / name).is_file()
    ]
    if not files:
        return environ
    from trailboss.secrets import read_dotenv

    found: dict[str, str] = {}
    for file in files:
        found |= {key: value.reveal() for key, value in read_dotenv(file, environ).items()}
    return {**found, **environ}


def default_files(environment: str | None) -> tuple[str, ...]:
    """The names wrangler looks for, weakest first."""
    names = (".env", ".env.local")
    return (*names, f".env.{environment}", f".env.{environment}.local") if environment else names
