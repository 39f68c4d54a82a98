"""Vectorize metadata filters: what they may say, and whether a vector's metadata satisfies one.

Source: https://developers.cloudflare.com/vectorize/reference/metadata-filtering/
"""

from __future__ import annotations

import json
import operator as arithmetic
from collections.abc import Callable
from typing import Any

OPERATORS = frozenset({"$eq", "$ne", "$in", "$nin", "$lt", "$lte", "$gt", "$gte"})
MAX_BYTES = 2048
INDEXED_STRING_BYTES = 64

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$lt": arithmetic.lt,
    "$lte": arithmetic.le,
    "$gt": arithmetic.gt,
    "$gte": arithmetic.ge,
}
_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}


class FilterError(ValueError):
    """A filter that cannot be meant; the message says why."""


def normalise(raw: Any) -> dict[str, dict[str, Any]]:
    """The filter as property -> operator -> operand, with the short form (`{"p": 1}`) made `$eq`.

    Raises:
        FilterError: not an object, too long, an unknown operator, an operand of the wrong shape.
    """
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise FilterError("filter must be a JSON object")
    if len(json.dumps(raw, separators=(",", ":")).encode()) >= MAX_BYTES:
        raise FilterError(f"filter must be smaller than {MAX_BYTES} bytes")
    return {_property(name): _conditions(name, value) for name, value in raw.items()}


def _property(name: str) -> str:
    if not name or name.startswith("$") or name.endswith(".") or '"' in name or len(name.encode()) > 512:
        raise FilterError(f"invalid filter property name {name!r}")
    return name


def _conditions(name: str, value: Any) -> dict[str, Any]:
    conditions = value if isinstance(value, dict) else {"$eq": value}
    if not conditions:
        raise FilterError(f"filter for {name!r} is empty")
    for operator, operand in conditions.items():
        if operator not in OPERATORS:
            raise FilterError(f"unknown filter operator {operator!r}")
        if operator in {"$in", "$nin"}:
            if not isinstance(operand, list) or not operand:
                raise FilterError(f"{operator} takes a non-empty list")
        elif isinstance(operand, dict | list):
            raise FilterError(f"{operator} takes a string, number, boolean or null")
    return conditions


def look_up(metadata: Any, name: str) -> Any:
    """The value of a property, reaching into nested objects by dots; None when it is not there."""
    value = metadata
    for part in name.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def indexed_value(value: Any, index_type: str) -> Any:
    """What an index of `index_type` keeps of a value: None for another type, strings cut at 64 bytes."""
    wanted = _TYPES[index_type]
    if isinstance(value, bool) and index_type != "boolean":
        return None
    if not isinstance(value, wanted):
        return None
    if isinstance(value, str):
        return value.encode()[:INDEXED_STRING_BYTES].decode(errors="ignore")
    return value


def matches(indexed: dict[str, Any], wanted: dict[str, dict[str, Any]]) -> bool:
    """Whether the indexed properties of one vector satisfy a normalised filter."""
    return all(
        _holds(operator, indexed.get(name), operand)
        for name, conditions in wanted.items()
        for operator, operand in conditions.items()
    )


def _holds(operator: str, value: Any, operand: Any) -> bool:
    if operator == "$eq":
        return _same(value, operand)
    if operator == "$ne":
        return not _same(value, operand)
    if operator in {"$in", "$nin"}:
        return any(_same(value, one) for one in operand) is (operator == "$in")
    return _ordered(operator, value, operand)


def _same(value: Any, operand: Any) -> bool:
    if isinstance(operand, str):
        operand = indexed_value(operand, "string")
    return isinstance(value, bool) is isinstance(operand, bool) and bool(value == operand)


def _ordered(operator: str, value: Any, operand: Any) -> bool:
    numbers = isinstance(value, int | float) and isinstance(operand, int | float)
    if not numbers and not (isinstance(value, str) and isinstance(operand, str)):
        return False
    return _COMPARE[operator](value, operand)
