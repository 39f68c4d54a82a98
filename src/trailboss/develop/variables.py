"""Which secrets and variables a Worker has while it is developed: the files wrangler reads, with references
resolved.

wrangler's rules (4.164): `.dev.vars.<environment>`, else `.dev.vars`, beside its configuration file; without
these (or with `--env-file`) the `.env` files, a later one over an earlier one, and the process's environment
when CLOUDFLARE_INCLUDE_PROCESS_ENV is set or the configuration lists its `secrets`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trailboss.errors import SecretError
from trailboss.values import Location, Secret

if TYPE_CHECKING:
    from trailboss.config import Worker
    from trailboss.secrets import Resolver
    from trailboss.secrets.dotenv import Entry

Resolvers = Callable[[Mapping[str, "Entry"]], "Resolver"]
"""Makes the resolver for the entries of dotenv files: where references go is the command's business."""


@dataclass(frozen=True, slots=True)
class Variables:
    """The `values` by name, and the `files` they came from; a file that is not there yet is in `watched`."""

    values: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    files: tuple[Path, ...] = ()
    watched: tuple[Path, ...] = ()


def read_variables(
    worker: Worker,
    environment: str | None,
    environ: Mapping[str, str],
    resolvers: Resolvers,
    *,
    env_files: tuple[str, ...] = (),
) -> Variables:
    """What wrangler would find for `worker`, resolved together with one question to the vault.

    Raises SecretError: TB7000 unreadable, TB7001 and TB7002 not dotenv, and those of `Resolver.resolve`.
    """
    from trailboss.secrets import Wanted

    folder = (worker.user_path or worker.path).parent
    single, several = _candidates(folder, environment, env_files)
    chosen = [file for file in single if file.is_file()][:1]
    dotenv = not chosen and environ.get("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "true") != "false"
    files = chosen or ([file for file in several if file.is_file()] if dotenv else [])
    entries: dict[str, tuple[Path, Entry]] = {}
    for file in files:
        entries |= {name: (file, entry) for name, entry in _parse(file).items()}
    wanted = {
        name: Wanted(entry.value, name, Location(file, entry.line), entry.literal)
        for name, (file, entry) in entries.items()
    }
    resolver = resolvers({name: entry for name, (_, entry) in entries.items()})
    values = resolver.resolve_now(wanted)
    if dotenv and _includes_process(worker, environ):
        values = {**{name: Secret(value) for name, value in environ.items()}, **values}
    return Variables(values, tuple(files), (*single, *several))


def _candidates(
    folder: Path, environment: str | None, env_files: tuple[str, ...]
) -> tuple[list[Path], list[Path]]:
    """Files of which the first counts, and files that are laid over each other."""
    if env_files:
        return [], [folder / name for name in env_files]
    names = [".env", ".env.local"]
    single = [folder / ".dev.vars"]
    if environment:
        names += [f".env.{environment}", f".env.{environment}.local"]
        single.insert(0, folder / f".dev.vars.{environment}")
    return single, [folder / name for name in names]


def _parse(file: Path) -> Mapping[str, Entry]:
    from trailboss.secrets.dotenv import parse

    try:
        return parse(file.read_text("utf-8"), file)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
    raise SecretError("TB7000", f"{file} cannot be read: {why}.", hint="Save it as UTF-8, readable by you.")


def _includes_process(worker: Worker, environ: Mapping[str, str]) -> bool:
    return "secrets" in worker.raw or environ.get("CLOUDFLARE_INCLUDE_PROCESS_ENV") == "true"


def as_dotenv(values: Mapping[str, Secret]) -> Secret:
    """The text from which the npm package `dotenv` reads exactly `values`.

    Raises:
        SecretError: TB7060 a value that its syntax cannot express.
    """
    return Secret("".join(f"{name}={_quoted(name, value.reveal())}\n" for name, value in values.items()))


def _quoted(name: str, value: str) -> str:
    plain = value == value.strip() and not set(value) & set("#\r\n'\"`")
    if plain and value:
        return value
    for quote in "'`\"":
        escapes = quote == '"' and ("\\n" in value or "\\r" in value)
        if quote not in value and not escapes and not value.endswith("\\"):
            return f"{quote}{value}{quote}"
    if not set(value) & set("#\r\n") and value == value.strip() and value[0] not in "'\"`":
        return value
    raise SecretError(
        "TB7060",
        f"{name}: the value has every kind of quote in it, which a dotenv file cannot express",
        hint="Encode it (base64, say) and decode it in the Worker.",
    )
