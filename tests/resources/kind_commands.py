"""Which commands of the command line write a kind of resource into the files: read off the commands."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from trailboss.cli.table import RESOURCES
from trailboss.resources.registry import NAMES

WRITING = {"make_resource", "bind_only", "bind_entry"}
DEEPEST = 3
ROOM = "trailboss.cli"


def commands(name: str) -> tuple[str, ...]:
    """The fullest example of each command that writes the kind."""
    return tuple(example for example, kinds in _commands() if name in kinds)


@cache
def _commands() -> tuple[tuple[str, frozenset[str]], ...]:
    found = []
    for entry in RESOURCES:
        module, _, attribute = entry.module.partition(":")
        command = getattr(import_module(f"trailboss.cli.commands.{module}"), attribute)
        texts, called = _inside(inspect.getclosurevars(command.callback).nonlocals["function"], DEEPEST)
        if called & WRITING:
            rest = max(command.examples, key=len).split(" ", 1 + len(entry.words.split()))[-1]
            found.append((f"trailboss {entry.words} {rest}", frozenset(_kinds(texts))))
    return tuple(found)


def _kinds(texts: set[str]) -> Iterator[str]:
    """A kind is named by its name, or by the list of its bindings in a wrangler config."""
    yield from (name for name in NAMES if texts & {name, f"{name}s"})


def _inside(function: Callable[..., Any], depth: int) -> tuple[set[str], set[str]]:
    """The texts in a function, and the names of what it calls; those of its own room are looked into."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    imported = dict(_imports(tree))
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    for name in sorted(called - WRITING) if depth else ():
        inner = imported.get(name) or getattr(function, "__globals__", {}).get(name)
        if inspect.isfunction(inner) and inner.__module__.startswith(ROOM) and inner is not function:
            more, deeper = _inside(inner, depth - 1)
            texts, called = texts | more, called | deeper
    return texts, called


def _imports(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """What the function imports itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(ROOM):
            for alias in node.names:
                yield alias.asname or alias.name, getattr(import_module(str(node.module)), alias.name, None)
