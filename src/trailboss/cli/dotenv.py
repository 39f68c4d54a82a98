"""The variables a command runs with: the process's own over those of the project's dotenv files, as in
wrangler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path


def with_files(
    environ: Mapping[str, str],
    folder: Path,
    environment: str | None,
    named: tuple[str, ...],
    warn: Callable[[str], None],
) -> Mapping[str, str]:
    """`environ` over the dotenv files: `.env`, `.env.local`, `.env.<environment>`,
    `.env.<environment>.local`, a later one winning over an earlier; or only the `named` ones, in their
    order.

    Of the files that were not named only the variables that choose an account and a target are read: the
    rest is the Worker's business, and may hold references nobody has resolved yet. `warn` hears of such a
    file that is broken.

    Raises:
        SecretError: a named file cannot be read.
    """
    if named:
        from trailboss.secrets import read_dotenv

        found: dict[str, str] = {}
        for name in named:
            found |= {key: value.reveal() for key, value in read_dotenv(folder / name, environ).items()}
        return {**found, **environ}
    files = [path for name in default_files(environment) if (path := folder / name).is_file()]
    if not files:
        return environ
    found = {}
    for file in files:
        found |= _ours(file, environ, warn)
    return {**found, **environ}


def _ours(file: Path, environ: Mapping[str, str], warn: Callable[[str], None]) -> dict[str, str]:
    from trailboss.errors import SecretError
    from trailboss.secrets import resolve
    from trailboss.secrets.dotenv import parse

    try:
        entries = parse(file.read_text("utf-8"), file)
        return {
            name: entry.value if entry.literal else resolve(entry.value, environ).reveal()
            for name, entry in entries.items()
            if name.startswith(("CLOUDFLARE_", "CF_", "TRAILBOSS_"))
        }
    except (SecretError, OSError, UnicodeDecodeError) as error:
        warn(f"{file.name} is left out: {error}")
        return {}


def default_files(environment: str | None) -> tuple[str, ...]:
    """The names wrangler looks for, weakest first."""
    names = (".env", ".env.local")
    return (*names, f".env.{environment}", f".env.{environment}.local") if environment else names
