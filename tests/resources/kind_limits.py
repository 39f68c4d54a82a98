"""What fields of a kind may hold, read off what `problems` says of values that no field may have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import Field, fields, replace
from typing import Any

from tests.resources.kind_examples import spec_of
from trailboss.resources.marks import is_named, is_secret, target_of
from trailboss.resources.registry import kind

NAMES = ("x" * 3000, "Ä !", "")
NUMBERS = (-(10**9), 10**9)
WORD = "no-such-word"
LONGEST = 130
"""Characters of a list of values that a table still holds."""
_NAME = re.compile(r"(?:is not possible: |characters; |' may have )(.*)")


def name_rules(name: str) -> str:
    """What the kind's names may be; "" where nothing is known."""
    spec, rules = spec_of(name), dict[str, None]()
    for place in (place for place in fields(spec) if is_named(place)):
        for text in NAMES:
            for problem in kind(name).problems(replace(spec, **{place.name: text})):
                rule = _NAME.search(problem)
                if rule:
                    shown = re.sub(r"^(?:Cloudflare|DNS) allows ([\d to]+)$", r"up to \1 characters", rule[1])
                    rules[shown.replace("up to 1 to", "1 to")] = None
    return "; ".join(rules)


def values(name: str, place: Field[Any], hint: str) -> str:
    """What a field may be, in short: `worker or http_pull`, `1 to 100`; "" where nothing is known."""
    if is_named(place) or is_secret(place) or target_of(place) is not None:
        return ""
    tried: tuple[Any, ...] = ()
    if "int" in hint or "float" in hint:
        tried = NUMBERS
    elif "str" in hint and "tuple" not in hint and "Mapping" not in hint:
        tried = (WORD,)
    found = dict.fromkeys(rule for value in tried for rule in _rules(name, place.name, value))
    shown = "; ".join(found)
    return shown if len(shown) <= LONGEST else ""


def _rules(name: str, field: str, value: Any) -> Iterator[str]:
    said: list[str] = []
    with suppress(AttributeError, KeyError, TypeError, ValueError):  # it never gets such a value
        said += kind(name).problems(replace(spec_of(name), **{field: value}))
    for text in said:
        found = re.match(rf"{field} is (?:from )?(.+), not ", text) or re.match(
            rf"{field} is \S+(?: seconds)?; (?:it may be|it is|Cloudflare allows|\w+ gives) (.+)$", text
        )
        if found:
            yield re.sub(r"^(\d+)$", r"up to \1", found[1])
