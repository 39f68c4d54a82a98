"""The variables a command runs with: the process's own over those of the project's dotenv files, as in
wrangler. Those that are references are asked for together, when the first of them is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailboss.secrets import Resolver, Vaults, Wanted
    from trailboss.secrets.dotenv import Entry

OURS = ("CLOUDFLARE_", "CF_", "TRAILBOSS_")
"""Variables that choose an account and a target begin with one of these."""
CHOOSES = ("TRAILBOSS_ENV", "CLOUDFLARE_ENV")
"""These say which environment's `[secrets]` decide how references resolve, so they cannot be references."""


class Environ(Mapping[str, str]):
    """Variables, some of which are still references. Whether a name is there can be asked without resolving
    it; the first value that is a reference resolves all of them, with one question. It does not print itself.

    Raises SecretError, with the place in the file, where a value is read that cannot be resolved.
    """

    def __init__(
        self, plain: Mapping[str, str], pending: Mapping[str, Wanted], resolver: Callable[[], Resolver]
    ) -> None:
        self._plain, self._pending, self._resolver = dict(plain), dict(pending), resolver

    def __getitem__(self, name: str) -> str:
        if name in self._pending:
            found = self._resolver().resolve_now(self._pending)
            self._plain |= {key: value.reveal() for key, value in found.items()}
            self._pending = {}
        return self._plain[name]

    def __contains__(self, name: object) -> bool:
        return name in self._plain or name in self._pending

    def __iter__(self) -> Iterator[str]:
        yield from self._plain
        yield from (name for name in self._pending if name not in self._plain)

    def __len__(self) -> int:
        return len(self._plain.keys() | self._pending.keys())

    def __repr__(self) -> str:
        return f"<{len(self)} variables>"

    @property
    def plain(self) -> Mapping[str, str]:
        """The variables that are no references; nobody is asked for the others."""
        return self._plain

    @property
    def is_pending(self) -> bool:
        """Whether some variables are references that nobody has resolved."""
        return bool(self._pending)

    def expect(self) -> None:
        """Let what is pending go with the next question that anybody asks."""
        if self._pending:
            self._resolver().expect(self._pending)


def with_files(
    environ: Mapping[str, str],
    folder: Path,
    environment: str | None,
    named: tuple[str, ...],
    warn: Callable[[str], None],
    *,
    vaults: Callable[[], Vaults] | None = None,
) -> Environ:
    """`environ` over the dotenv files: `.env`, `.env.local`, `.env.<environment>`,
    `.env.<environment>.local`, a later one winning over an earlier; or only the `named` ones, in their
    order.

    Of the files that were not named only the variables that choose an account and a target are read: the
    rest is the Worker's business. `warn` hears of such a file that is broken. Nothing is resolved yet;
    `vaults` gives the conversation with 1Password that the command has.

    Raises:
        SecretError: a named file cannot be read, or is not dotenv.
    """
    files = [folder / name for name in named or default_files(environment)]
    files = files if named else [file for file in files if file.is_file()]
    environ = _quiet(environ) if files else environ
    entries: dict[str, Entry] = {}
    wanted: dict[str, Wanted] = {}
    for file in files:
        found, asked = _read(file, None if named else warn)
        entries |= found
        wanted = {**wanted, **{name: one for name, one in asked.items() if name not in environ}}
    plain, pending = _apart(wanted)
    pending |= _of_process(environ)

    def resolver() -> Resolver:
        from trailboss.secrets import Resolver

        return Resolver(environ, None, entries, vaults() if vaults else None)

    return Environ({**plain, **{n: v for n, v in environ.items() if n not in pending}}, pending, resolver)


def _quiet(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The same, without showing itself: an error on its way out of here keeps these frames, and a crash
    report may print their variables."""
    from trailboss.secrets.quiet import Quiet

    return Quiet(environ)


def _of_process(environ: Mapping[str, str]) -> dict[str, Wanted]:
    """Our variables of the process that are references as a whole: nobody has resolved those."""
    names = [name for name in environ if name.startswith(OURS) and environ[name].startswith("op://")]
    if not names:
        return {}
    from trailboss.secrets import Wanted

    return {name: Wanted(environ[name], name, literal=True) for name in names}


def _read(file: Path, warn: Callable[[str], None] | None) -> tuple[Mapping[str, Entry], Mapping[str, Wanted]]:
    """What the file says, and what is wanted of it: everything, or with `warn` only our own variables."""
    from trailboss.errors import SecretError
    from trailboss.secrets import Wanted
    from trailboss.secrets.dotenv import parse
    from trailboss.values import Location

    try:
        try:
            entries = parse(file.read_text("utf-8"), file)
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise SecretError(
                "TB7000", f"{file} cannot be read: {why}.", hint="Check the name given to --env-file."
            ) from None
        kept = {n: e for n, e in entries.items() if warn is None or n.startswith(OURS)}
        wanted = {n: Wanted(e.value, n, Location(file, e.line), e.literal) for n, e in kept.items()}
        for one in wanted.values():
            one.template()
    except SecretError as error:
        if warn is None:
            raise
        warn(f"{file.name} is left out: {error}")
        return {}, {}
    return (entries if warn is None else kept), wanted


def _apart(wanted: Mapping[str, Wanted]) -> tuple[dict[str, str], dict[str, Wanted]]:
    """The values that stand as they are, and those that ask for something."""
    plain: dict[str, str] = {}
    pending: dict[str, Wanted] = {}
    for name, one in wanted.items():
        parts = one.template().parts
        if name in CHOOSES:
            plain[name] = one.text
        elif one.template().is_plain:
            plain[name] = "".join(getattr(part, "value", "") for part in parts)
        else:
            pending[name] = one
    return plain, pending


def default_files(environment: str | None) -> tuple[str, ...]:
    """The names wrangler looks for, weakest first."""
    names = (".env", ".env.local")
    return (*names, f".env.{environment}", f".env.{environment}.local") if environment else names
