"""What a string asks for: `op://vault/item/[section/]field`, `${NAME}` and `${NAME:-default}`, with places.

- A string that is a reference as a whole may have spaces in its names.
- Inside a longer string a reference stands in `{{ }}`, or bare when it ends where its characters end.
- `$${` is a plain `${`, `\\op://` a plain `op://`. A bare `$NAME` is a variable only inside a reference.

Grammar of references: https://developer.1password.com/docs/cli/secret-reference-syntax and, in longer
strings, https://developer.1password.com/docs/cli/secrets-template-syntax."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from trailboss.errors import SecretError
from trailboss.secrets.reference import SCHEME, Reference

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_TOKEN = re.compile(
    rf"""(?P<dollar>\$\$\{{)
    | (?P<plain>\\op://)
    | \{{\{{\s*(?P<enclosed>op://(?:\$\{{[^{{}}]*\}}|[^{{}}])*?)\s*\}}\}}
    | (?P<variable>\$\{{(?P<name>{_NAME})(?P<end>\}}|:-))
    | (?<![A-Za-z0-9+\-.])(?P<bare>op://(?:[A-Za-z0-9\-?_./=]|\$\{{[^{{}}]*\}}|\${_NAME})+)""",
    re.VERBOSE,
)
_IN_REFERENCE = re.compile(rf"(?P<variable>\$\{{(?P<name>{_NAME})(?P<end>\}}|:-))|\$(?P<short>{_NAME})")
_BRACE = re.compile(r"[{}]")


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text; it may be a secret somebody wrote down, so it does not show itself."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable; `at` is its place in the string, from 0. `default` counts when it is unset or empty."""

    name: str
    at: int
    default: Template | None = None


@dataclass(frozen=True, slots=True)
class Pointer:
    """A reference into a vault whose parts may still hold variables."""

    inside: Template
    at: int


Part = Text | Variable | Pointer


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed string: its parts in order."""

    parts: tuple[Part, ...]

    @property
    def is_plain(self) -> bool:
        """Whether it asks for nothing."""
        return all(isinstance(part, Text) for part in self.parts)

    @property
    def has_pointer(self) -> bool:
        """Whether a vault is asked, unless a variable says otherwise."""
        return any(
            isinstance(part, Pointer)
            or (isinstance(part, Variable) and part.default is not None and part.default.has_pointer)
            for part in self.parts
        )


def parse(text: str, *, literal: bool = False, offset: int = 0) -> Template:
    """The template `text` is. In a `literal` one (single quotes in dotenv) only a whole reference counts.

    Raises SecretError TB7020: a reference that is malformed, a default that never ends."""
    whole, shift = _whole(text)
    if whole is not None:
        at = offset + shift
        inside = Template((Text(whole),)) if literal else _inside(whole, at)
        return Template((_checked(Pointer(inside, at)),))
    if literal:
        return Template((Text(text),))
    return Template(tuple(_merged(_parts(text, _TOKEN, offset))))


def _whole(text: str) -> tuple[str | None, int]:
    """The reference that `text` is as a whole, without white space and quotes around it; its place."""
    stripped = text.strip()
    if stripped[:1] in ("'", '"') and len(stripped) > 1 and stripped[-1] == stripped[0]:
        stripped = stripped[1:-1].strip()
    return (stripped, text.index(stripped)) if stripped.startswith(SCHEME) else (None, 0)


def _inside(text: str, offset: int) -> Template:
    return Template(tuple(_merged(_parts(text, _IN_REFERENCE, offset))))


def _parts(text: str, tokens: re.Pattern[str], offset: int) -> Iterator[Part]:
    at = 0
    while match := tokens.search(text, at):
        yield Text(text[at : match.start()])
        part, at = _part(text, match, offset)
        yield part
    yield Text(text[at:])


def _part(text: str, match: re.Match[str], offset: int) -> tuple[Part, int]:
    """The part a token begins, and where the next one may begin."""
    found, at = match.groupdict(), offset + match.start()
    if found.get("variable"):
        if found["end"] == "}":
            return Variable(found["name"], at), match.end()
        end = _closing(text, match.end())
        if end is None:
            raise malformed("a default value that is never closed", at)
        default = parse(text[match.end() : end], offset=offset + match.end())
        return Variable(found["name"], at, default), end + 1
    if found.get("short"):
        return Variable(found["short"], at), match.end()
    if found["dollar"] or found["plain"]:
        return Text("${" if found["dollar"] else SCHEME), match.end()
    name = "enclosed" if found["enclosed"] else "bare"
    start = offset + match.start(name)
    return _checked(Pointer(_inside(found[name], start), start)), match.end()


def _closing(text: str, at: int) -> int | None:
    """Where the brace that is open at `at` is closed."""
    depth = 1
    for brace in _BRACE.finditer(text, at):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return None


def _merged(parts: Iterator[Part]) -> Iterator[Part]:
    """`parts` without empty texts and with neighbouring ones joined."""
    pending = ""
    for part in parts:
        if isinstance(part, Text):
            pending += part.value
            continue
        if pending:
            yield Text(pending)
            pending = ""
        yield part
    if pending:
        yield Text(pending)


def _checked(pointer: Pointer) -> Pointer:
    """A reference without variables is judged where it is read, not when it is asked for."""
    if all(isinstance(part, Text) for part in pointer.inside.parts):
        text = "".join(part.value for part in pointer.inside.parts if isinstance(part, Text))
        reason = Reference.wrong(text)
        if reason:
            raise malformed(reason, pointer.at)
    return pointer


def malformed(reason: str, at: int) -> SecretError:
    """The error for a reference nobody could resolve; `at` counts from 0."""
    return SecretError(
        "TB7020",
        f"At character {at + 1}: {reason}.",
        hint="Write op://vault/item/[section/]field, in {{ }} inside a longer string; use an id for a name "
        "with other characters than letters, digits, space, - _ and the dot.",
    )
