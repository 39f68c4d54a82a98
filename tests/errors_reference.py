"""The reference of error codes, read off the source. `python -m tests.errors_reference` writes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trailboss import errors

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "trailboss"
PAGE = ROOT / "docs" / "errors.md"
HEAD = """# Error codes

Every error a user can be shown has a code that stays the same, so that scripts and searches can rely on it.
`--json` prints it as `error.code`. The text in braces is filled in.

| code | exit | room | says |
|---|---|---|---|
"""


@dataclass(frozen=True, order=True)
class Use:
    """One place that raises: the code, the class, where, and the message with its gaps in braces."""

    code: str
    kind: str
    room: str
    place: str
    message: str

    @property
    def exit_status(self) -> int:
        """What the process ends with."""
        found = getattr(errors, self.kind, errors.TrailbossError)
        return int(found.exit_status)


@cache
def uses() -> tuple[Use, ...]:
    """Every place in the source that makes an error with a literal code."""
    return tuple(_read())


def _read() -> Iterator[Use]:
    for path in sorted(SOURCE.rglob("*.py")):
        relative = path.relative_to(SOURCE)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (code := _code(node)):
                name = node.func.id if isinstance(node.func, ast.Name) else "TrailbossError"
                said = _template(node.args[1]) if len(node.args) > 1 else ""
                yield Use(code, name, relative.parts[0], f"{relative}:{node.lineno}", said)


def _code(node: ast.Call) -> str | None:
    first = node.args[0] if node.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        text = first.value
        if len(text) == 6 and text.startswith("TB") and text[2:].isdigit():
            return text
    return None


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return "{" + ast.unparse(node.value).split(".")[-1].split("(")[0].strip("'\"") + "}"
    return "{reason}"


def page() -> str:
    """The page: one row a code, the first place that raises it speaking for all."""
    rows: dict[str, Use] = {}
    for use in sorted(uses()):
        rows.setdefault(use.code, use)
    lines = [
        f"| {use.code} | {use.exit_status} | {use.room} | " + use.message.replace("|", "\\|") + " |"
        for use in rows.values()
    ]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
