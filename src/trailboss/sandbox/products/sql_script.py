"""Cuts an SQL file into statements, as `d1 execute --file` needs it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

_INERT = re.compile(
    r"--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|;", re.DOTALL
)
_EMPTY = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_TRANSACTION = re.compile(
    r"\s*(BEGIN(\s+(TRANSACTION|DEFERRED|IMMEDIATE|EXCLUSIVE))?|COMMIT|ROLLBACK|SAVEPOINT)\b", re.IGNORECASE
)


def statements(script: str) -> Iterator[str]:
    """Each statement without its semicolon; comments and emptiness between them are dropped."""
    start = 0
    for found in _INERT.finditer(script):
        if found.group() != ";":
            continue
        text = script[start : found.end()]
        if sqlite3.complete_statement(text):
            start = found.end()
            if statement := _bare(text[:-1]):
                yield statement
    if rest := _bare(script[start:]):
        yield rest


def _bare(text: str) -> str:
    lead = _EMPTY.match(text)
    return text[lead.end() if lead else 0 :].strip()


def opens_transaction(statement: str) -> bool:
    """Whether D1 refuses it: transactions and savepoints are D1's own business."""
    return _TRANSACTION.match(statement) is not None
