"""What a feature flag may be, and which type it has.

Source: the official SDK's `flagship.apps.flags` types and Cloudflare's limits of Flagship.
https://developers.cloudflare.com/flagship/
"""

from __future__ import annotations

import json
import re
from typing import Any

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_VALUE, MAX_METADATA, MAX_ENTRIES, MAX_DEPTH = 10_000, 2_000, 32, 5
ORDERING = ("greater_than", "greater_than_or_equals", "less_than", "less_than_or_equals")
WORDS = ("equals", "not_equals", "contains", "starts_with", "ends_with")
OPERATORS = frozenset({*ORDERING, *WORDS, "in", "not_in", "has", "not_has"})
GROUPS = ("AND", "OR")


class Invalid(Exception):
    """The flag cannot be; the message says why."""


def type_of(value: Any) -> str:
    """`boolean`, `string`, `number` or `json`."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | float) else "json"


def check(flag: dict[str, Any]) -> str:
    """The flag's type.

    Raises:
        Invalid: with the first reason.
    """
    if not KEY.fullmatch(str(flag.get("key", ""))):
        raise Invalid("key must have 1 to 64 letters, digits, dashes and underscores")
    if not isinstance(flag.get("enabled"), bool):
        raise Invalid("enabled must be true or false")
    variations, rules = flag.get("variations"), flag.get("rules")
    if not isinstance(variations, dict) or not variations:
        raise Invalid("variations must have at least one variation")
    kind = _variations(variations)
    if flag.get("default_variation") not in variations:
        raise Invalid("default_variation must be one of the variations")
    if not isinstance(rules, list):
        raise Invalid("rules must be a list")
    _rules(rules, variations)
    _metadata(flag.get("metadata") or {})
    return kind


def _variations(variations: dict[str, Any]) -> str:
    kinds = {type_of(value) for value in variations.values()}
    if None in variations.values():
        raise Invalid("a variation cannot be null")
    if len(kinds) > 1:
        raise Invalid("all variations must have the same type")
    for name, value in variations.items():
        if len(json.dumps(value)) > MAX_VALUE:
            raise Invalid(f"variation {name!r} has more than {MAX_VALUE} bytes")
    return kinds.pop()


def _rules(rules: list[Any], variations: dict[str, Any]) -> None:
    priorities: set[Any] = set()
    catches = False
    for rule in sorted(rules, key=lambda one: one.get("priority") or 0):
        priority, rollout = rule.get("priority"), rule.get("rollout")
        if not isinstance(priority, int) or priority < 1 or priority in priorities:
            raise Invalid("every rule needs a priority of its own, 1 or more")
        if catches:
            raise Invalid(f"rule {priority} comes after a rule that catches everything")
        priorities.add(priority)
        if rule.get("serve_variation") not in variations:
            raise Invalid(f"rule {priority} serves {rule.get('serve_variation')!r}, which is no variation")
        for condition in rule.get("conditions") or []:
            _condition(condition, 1)
        share = _share(priority, rollout)
        catches = not rule.get("conditions") and share >= 100


def _share(priority: int, rollout: Any) -> float:
    """Which part of the traffic a rule may catch, in percent."""
    if rollout is None:
        return 100.0
    share = rollout.get("percentage")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 100:
        raise Invalid(f"rule {priority}: percentage must be between 0 and 100")
    if round(share, 2) != share:
        raise Invalid(f"rule {priority}: percentage has at most two decimal places")
    return float(share)


def _condition(condition: Any, depth: int) -> None:
    if depth > MAX_DEPTH + 1:
        raise Invalid(f"conditions may be nested {MAX_DEPTH} deep")
    if "logical_operator" in condition:
        clauses = condition.get("clauses")
        if condition["logical_operator"] not in GROUPS or not isinstance(clauses, list) or not clauses:
            raise Invalid("a group needs AND or OR, and clauses")
        for clause in clauses:
            _condition(clause, depth + 1)
        return
    operator = condition.get("operator")
    if not condition.get("attribute") or operator not in OPERATORS or "value" not in condition:
        raise Invalid("a condition needs an attribute, an operator and a value")
    if operator in ("in", "not_in") and not isinstance(condition["value"], list):
        raise Invalid(f"{operator} needs a list")


def _metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or len(metadata) > MAX_ENTRIES:
        raise Invalid(f"metadata must be an object of at most {MAX_ENTRIES} entries")
    if any(not name or len(name) > 64 for name in metadata) or len(json.dumps(metadata)) > MAX_METADATA:
        raise Invalid(f"metadata has names of at most 64 characters and at most {MAX_METADATA} bytes")
