"""Which variation of a feature flag somebody gets, as Flagship decides it.

Rules in order of priority; a rule's conditions all hold and its rollout admits, or the next one is asked. A
rollout's bucket depends on account, flag and attribute alone, never on the rule: several rules on one
attribute share its traffic by cumulative percentages. The hash is MurmurHash3, x86, 32 bits.
"""

from __future__ import annotations

import math
import random
import re
from datetime import datetime
from typing import Any, NamedTuple

from trailboss.sandbox.products.flag_rules import ORDERING, WORDS

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
STEPS = 5
MISSING = object()
MASK = 0xFFFFFFFF
QUOTIENTS = 42_949_673
"""Hashes of 32 bits divided by 100, rounded up."""


class Served(NamedTuple):
    """The answer for one context."""

    value: Any
    variant: str
    reason: str


def evaluate(flag: dict[str, Any], context: dict[str, Any], account: str) -> Served:
    """What the flag serves for a context of attributes; `targetingKey` is who asks."""
    variations = flag["variations"]

    def serve(variant: str, reason: str) -> Served:
        return Served(variations[variant], variant, reason)

    if not flag["enabled"]:
        return serve(flag["default_variation"], "DISABLED")
    if not flag["rules"]:
        return serve(flag["default_variation"], "STATIC")
    for rule in sorted(flag["rules"], key=lambda one: int(one["priority"])):
        if not all(holds(condition, context) for condition in rule["conditions"]):
            continue
        rollout = rule.get("rollout")
        if rollout is None or _admits(rollout, context, f"{account}:{flag['key']}"):
            split = rollout is not None and rollout["percentage"] < 100
            return serve(rule["serve_variation"], "SPLIT" if split else "TARGETING_MATCH")
    return serve(flag["default_variation"], "DEFAULT")


def _admits(rollout: dict[str, Any], context: dict[str, Any], salt: str) -> bool:
    attribute = attribute_of(context, rollout.get("attribute") or "targetingKey")
    if isinstance(attribute, dict | list):
        return False
    share = float(rollout["percentage"])
    if share >= 100:
        return True
    if attribute is MISSING or attribute is None:
        return random.random() * 100 < share  # noqa: S311 as Flagship: not sticky
    return bucket(salt, text(attribute)) < share


def bucket(salt: str, who: str) -> float:
    """Where in [0, 100) somebody falls; the salt is `<account id>:<flag key>`."""
    found = murmur3(who.encode(), murmur3(salt.encode(), 0) % 100)
    return found % 100 + (found // 100) / QUOTIENTS


def murmur3(data: bytes, seed: int) -> int:
    """MurmurHash3_x86_32 (Austin Appleby, public domain)."""
    state, whole = seed & MASK, len(data) // 4 * 4
    for at in range(0, whole, 4):
        state ^= _scrambled(int.from_bytes(data[at : at + 4], "little"))
        state = ((state << 13 | state >> 19) * 5 + 0xE6546B64) & MASK
    state ^= _scrambled(int.from_bytes(data[whole:], "little")) if len(data) > whole else 0
    state ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        state = (state ^ state >> shift) * factor & MASK
    return state ^ state >> 16


def _scrambled(block: int) -> int:
    block = block * 0xCC9E2D51 & MASK
    return (block << 15 | block >> 17) * 0x1B873593 & MASK


def attribute_of(context: dict[str, Any], name: str) -> Any:
    """An attribute by its whole name, else by the dotted path; MISSING without one."""
    if name in context:
        return context[name]
    steps, place = name.split("."), context
    if len(steps) > STEPS:
        return MISSING
    for step in steps:
        if not isinstance(place, dict) or step not in place:
            return MISSING
        place = place[step]
    return place


def holds(condition: dict[str, Any], context: dict[str, Any]) -> bool:
    """Whether a condition, or a group of them, is true of a context."""
    if "logical_operator" in condition:
        every = all if condition["logical_operator"] == "AND" else any
        return every(holds(clause, context) for clause in condition["clauses"])
    operator, target = condition["operator"], condition["value"]
    found = attribute_of(context, condition["attribute"])
    if found is MISSING:
        return False
    if operator in ("has", "not_has"):
        return _has(found, target, operator)
    if isinstance(found, dict | list):
        return False
    if found is None:
        return operator in ("not_equals", "not_in")
    if operator in ORDERING:
        return _ordered(operator, found, target)
    if operator in WORDS:
        return not isinstance(target, dict | list) and _worded(operator, text(found), text(target))
    listed = isinstance(target, list) and any(one is not None and text(one) == text(found) for one in target)
    return isinstance(target, list) and listed is (operator == "in")


def _has(found: Any, target: Any, operator: str) -> bool:
    if not isinstance(found, list) or isinstance(target, dict | list):
        return False
    inside = any(not isinstance(one, dict | list | None) and text(one) == text(target) for one in found)
    return inside is (operator == "has")


def _worded(operator: str, found: str, target: str) -> bool:
    return {
        "equals": found == target,
        "not_equals": found != target,
        "contains": target in found,
        "starts_with": found.startswith(target),
        "ends_with": found.endswith(target),
    }[operator]


def _ordered(operator: str, found: Any, target: Any) -> bool:
    left, right = number(found), number(target)
    if isinstance(target, str) and isinstance(found, str) and ISO.fullmatch(target):
        dates = _date(found), _date(target)
        left, right = dates if not math.isnan(dates[0]) else (left, right)
    return {
        "greater_than": left > right,
        "greater_than_or_equals": left >= right,
        "less_than": left < right,
        "less_than_or_equals": left <= right,
    }[operator]


def _date(value: str) -> float:
    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError:
        return math.nan


def number(value: Any) -> float:
    """A value as JavaScript's Number() has it; not a number for what is none."""
    try:
        return float(value) if not isinstance(value, dict | list | None) else math.nan
    except ValueError:
        return math.nan


def text(value: Any) -> str:
    """A value as JavaScript's String() writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)
