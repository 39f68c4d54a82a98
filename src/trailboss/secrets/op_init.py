"""`op init`: what a project needs to keep its secrets in 1Password, and whether every reference is there.

plan = plan_op_init(project, vault="Agency")      what would be written; nothing has happened yet
checks = await check(plan, environ, settings)     asks 1Password for every reference of the plan
apply(plan)                                       writes the files"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trailboss.errors import SecretError
from trailboss.secrets.dotenv import Entry, parse
from trailboss.secrets.reference import SCHEME
from trailboss.secrets.resolver import Resolver, Wanted
from trailboss.secrets.unresolved import UnresolvedError
from trailboss.values import Location

if TYPE_CHECKING:
    from trailboss.config import Project
    from trailboss.secrets.settings import SecretsSettings

FILE = ".env.{environment}"
USUAL = ("development", "staging", "production")
_NOT_OURS = re.compile(r"(?:CLOUDFLARE|CF|TRAILBOSS|WRANGLER|OP)_")
_UNFIT = re.compile(r"[^A-Za-z0-9_. -]+")


@dataclass(frozen=True, slots=True)
class Write:
    """A file as it will be. An existing dotenv file may hold values: the text does not show itself."""

    path: Path
    exists: bool
    text: str = field(repr=False)
    added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plain:
    """A name whose value stands in a file in the clear, and should move into the vault."""

    name: str
    where: Location


@dataclass(frozen=True, slots=True)
class OpInit:
    """What `op init` would do: `writes` are the files that change, `files` all dotenv files of it by their
    environment, `plain` the values that still stand in the clear."""

    vault: str
    writes: tuple[Write, ...]
    files: Mapping[str, Path]
    plain: tuple[Plain, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one name's references are there. `problem` says what is wrong, in words."""

    environment: str
    name: str
    reference: str
    state: Literal["found", "wrong", "unchecked"]
    problem: str = ""
    where: Location | None = None


def plan_op_init(
    project: Project,
    *,
    vault: str | None = None,
    backend: str | None = None,
    environments: Sequence[str] = (),
) -> OpInit:
    """The `[secrets]` table of trailboss.toml and one `.env.<environment>` for each environment.

    A dotenv file that exists keeps every line; names it lacks are added. The names are those the Workers
    require, and those in `.dev.vars`, `.env.example` and the dotenv files themselves; a reference is
    `op://<vault>/<project>-<environment>/<NAME>`. `vault` defaults to `[secrets] vault`, then to the
    project's name. Raises ConfigError TB13xx and SecretError TB7000-TB7002 for files that cannot be read.
    """
    chosen = vault or project.settings.secrets.get("vault") or _fit(project.name)
    pattern = str(project.settings.secrets.get("file", FILE))
    files = {
        name: project.root
        / (pattern.replace("{environment}", name) if "{environment}" in pattern else f".env.{name}")
        for name in environments or project.environments or USUAL
    }
    found = {path: _entries(path) for path in files.values()}
    listed = [name for entries in found.values() for name in entries if not _NOT_OURS.match(name)]
    names = list(dict.fromkeys([*_names(project), *listed]))
    writes = [_settings(project, chosen, backend)]
    for environment, path in files.items():
        item = f"{_fit(project.name)}-{_fit(environment)}"
        writes.append(_dotenv(path, found[path], names, f"{SCHEME}{chosen}/{item}"))
    return OpInit(
        vault=chosen,
        writes=tuple(write for write in writes if write is not None),
        files=files,
        plain=tuple(_plain(found)),
    )


async def check(
    plan: OpInit, environ: Mapping[str, str], settings: SecretsSettings | None = None
) -> tuple[Check, ...]:
    """Every reference of the plan's dotenv files, asked for in one question.

    Raises SecretError TB7003, TB7004, TB7040-TB7051 when 1Password cannot be asked at all."""
    texts = {write.path: write.text for write in plan.writes}
    wanted = {
        (environment, name): Wanted(entry.value, name, Location(path, entry.line), entry.literal)
        for environment, path in plan.files.items()
        for name, entry in _entries(path, texts.get(path)).items()
        if SCHEME in entry.value
    }
    resolver = Resolver(environ, settings)
    wrong: dict[str, str] = {}
    try:
        await resolver.resolve(wanted)
    except UnresolvedError as error:
        wrong = {str(problem.reference): str(problem) for problem in error.problems}
    return tuple(_checked(resolver, environment, one, wrong) for (environment, _), one in wanted.items())


def apply(plan: OpInit) -> tuple[Path, ...]:
    """Writes the files of the plan; returns them. Raises SecretError TB7052.

    An existing dotenv file may hold values, so it is appended to: no copy of it ever lies beside it."""
    for write in plan.writes:
        try:
            _append(write) if write.exists and write.added else _replace(write)
        except OSError as error:
            raise SecretError(
                "TB7052", f"{write.path} cannot be written: {error.strerror}.", hint="Check the folder."
            ) from None
    return tuple(write.path for write in plan.writes)


def _append(write: Write) -> None:
    with write.path.open("r+b") as stream:
        size = len(stream.read())
        stream.write(write.text.encode()[size:])


def _replace(write: Write) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{write.path.name}.", dir=write.path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(write.text.encode())
        new = 0o600 if write.path.name.startswith(".env") else 0o644
        beside.chmod(write.path.stat().st_mode & 0o7777 if write.exists else new)
        beside.replace(write.path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _checked(resolver: Resolver, environment: str, one: Wanted, wrong: Mapping[str, str]) -> Check:
    references = resolver.references(one)
    shown = " ".join(map(str, references))
    problem = next((wrong[str(reference)] for reference in references if str(reference) in wrong), "")
    known = not wrong or all(resolver.knows(reference) for reference in references)
    state: Literal["found", "wrong", "unchecked"] = "wrong" if problem else "found" if known else "unchecked"
    return Check(environment, one.name or "", shown, state, problem, one.where)


def _names(project: Project) -> Iterable[str]:
    yield from project.settings.secrets.get("required") or ()
    for worker in project.workers:
        yield from (worker.config.secrets.required or ()) if worker.config.secrets else ()
        for file in (".dev.vars", ".dev.vars.example", ".env.example"):
            yield from (n for n in _entries(worker.directory / file) if not _NOT_OURS.match(n))


def _settings(project: Project, vault: str, backend: str | None) -> Write | None:
    """trailboss.toml with its [secrets] table; None when it says so already."""
    from trailboss.config.edit import Set, edited
    from trailboss.config.source import Source, read_source

    path = project.file or project.root / "trailboss.toml"
    source = read_source(path) if project.file else Source(path, "")
    old = project.settings.secrets.get("backend", "auto")
    changes = [
        Set(("secrets", "backend"), backend or old),
        Set(("secrets", "vault"), vault),
        Set(("secrets", "file"), project.settings.secrets.get("file", FILE)),
    ]
    text = edited(source, changes)
    return None if text == source.text else Write(path, project.file is not None, text)


def _dotenv(path: Path, entries: Mapping[str, Entry], names: Sequence[str], item: str) -> Write | None:
    """The dotenv file with the names it lacks; None when it lacks none."""
    exists = path.exists()
    added = [name for name in names if name not in entries]
    if exists and not added:
        return None
    text = path.read_bytes().decode("utf-8") if exists else _TOP.format(file=path.name)
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    text += "".join(f"{name}={item}/{name}{newline}" for name in added)
    if not names:
        text += f"# API_KEY={item}/API_KEY\n"
    return Write(path, exists, text, tuple(added))


_TOP = """\
# References, not values: this file is safe to commit. The values are in 1Password.
# trailboss resolves them itself; so does: op run --env-file={file} -- trailboss deploy
"""


def _entries(path: Path, text: str | None = None) -> dict[str, Entry]:
    if text is None and not path.is_file():
        return {}
    try:
        return parse(path.read_text("utf-8") if text is None else text, path)
    except (OSError, UnicodeDecodeError):
        raise SecretError("TB7000", f"{path} cannot be read as UTF-8 text.", hint="Check it.") from None


def _plain(found: Mapping[Path, Mapping[str, Entry]]) -> Iterable[Plain]:
    for path, entries in found.items():
        for name, entry in entries.items():
            if entry.value and SCHEME not in entry.value and "${" not in entry.value:
                yield Plain(name, Location(path, entry.line))


def _fit(name: str) -> str:
    """`name` with only what may stand in a reference."""
    return _UNFIT.sub("-", name).strip("- ") or "app"
