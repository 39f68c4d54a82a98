"""The house's own rules, checked over the whole source tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "trailboss"
PYTHON = sorted(SOURCE.rglob("*.py"))
TEXT = [
    path
    for folder in (SOURCE, ROOT / "tests", ROOT / "examples", ROOT / "benchmarks", ROOT / "docs")
    for path in folder.rglob("*")
    if path.suffix in {".py", ".mjs", ".md", ".toml", ".ts", ".json", ".jsonc"}
    and path.name != "package-lock.json"
    and not {"node_modules", ".wrangler", ".trailboss"} & set(path.parts)
]
FILE_LINES = 350
FUNCTION_LINES = 45


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_files_stay_small() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in PYTHON if (n := len(p.read_text().splitlines())) > FILE_LINES
    }
    assert not long


def test_functions_stay_small() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} {_length(node)}"
        for path in PYTHON
        for node in _functions(ast.parse(path.read_text()))
        if _length(node) > FUNCTION_LINES
    ]
    assert not long


def test_every_module_says_what_it_is() -> None:
    silent = [str(p.relative_to(ROOT)) for p in PYTHON if not ast.get_docstring(ast.parse(p.read_text()))]
    assert not silent


def test_public_functions_are_documented() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in PYTHON
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not (
            isinstance(node, ast.ClassDef) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
        )
        and not (isinstance(node, ast.ClassDef) and any(map(_is_error, node.bases)))
    ]
    assert not silent


def _is_error(base: ast.expr) -> bool:
    return isinstance(base, ast.Name) and (base.id.endswith("Error") or base.id == "Exception")


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<![\w.])/(?:work|farm)/\w",
        r"/tmp/bash" r"_jobs",
        r"\bTO" r"DO\b|\bFIX" r"ME\b",
        r"registry\.npm" r"js\.org|pypi\.org/simple",
    ],
)
def test_nothing_unfit_is_committed(pattern: str) -> None:
    found = [
        str(path.relative_to(ROOT)) for path in TEXT if re.search(pattern, path.read_text(errors="replace"))
    ]
    assert not found


def test_only_the_command_line_prints() -> None:
    printing = [
        str(path.relative_to(ROOT))
        for path in PYTHON
        if "cli" not in path.parts and path.name != "__main__.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not printing


def test_the_changelog_knows_the_version() -> None:
    from trailboss.version import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()
