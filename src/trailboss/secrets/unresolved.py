"""The error for references without an answer: all of them at once, each with the part that is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from trailboss.errors import SecretError
from trailboss.secrets.backends import Unresolved
from trailboss.secrets.reference import Reference
from trailboss.values import Location

_CODES = {"vault": "TB7030", "item": "TB7031", "section": "TB7032", "field": "TB7033", "attribute": "TB7035"}
AMBIGUOUS, UNNAMED = "TB7034", "TB7036"
MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One reference, who asked for it and where, and what is wrong."""

    reference: Reference
    wrong: Unresolved
    name: str | None = None
    where: Location | None = None

    def __str__(self) -> str:
        return f"{self.reference}: {_sentence(self.reference, self.wrong)}"

    @property
    def code(self) -> str:
        """One for each part that is unknown, one for everything ambiguous, one for what is unsupported,
        one for a reference that names no field."""
        if self.wrong.reason == "ambiguous":
            return AMBIGUOUS
        if self.wrong.reason == "unnamed":
            return UNNAMED
        return _CODES["attribute" if self.wrong.reason == "unsupported" else self.wrong.part]


class UnresolvedError(SecretError):
    """TB7030 vault, TB7031 item, TB7032 section, TB7033 field unknown; TB7034 ambiguous; TB7035 an attribute
    that is not there; TB7036 no field is named and none is obvious. The code is the first problem's;
    `problems` has all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        if len(problems) == 1:
            text = (f"{first.name}: " if first.name else "") + str(first)
        else:
            text = f"{len(problems)} references cannot be resolved:" + "".join(map(_line, problems))
        super().__init__(first.code, text, hint=_hint(first), where=first.where)
        self.problems = tuple(problems)


def _line(problem: Problem) -> str:
    place = f" ({problem.where})" if problem.where else ""
    return f"\n  {problem.name or 'value'}{place}: {problem}"


def _sentence(reference: Reference, wrong: Unresolved) -> str:
    if wrong.reason == "unnamed":
        return f'this names no field, and which one of the item "{reference.item}" is meant is not obvious.'
    name = getattr(reference, wrong.part) if wrong.part != "attribute" else reference.attribute
    place = {
        "vault": "",
        "item": f' in the vault "{reference.vault}"',
        "section": f' in the item "{reference.item}"',
        "field": f' in the item "{reference.item}"',
        "attribute": f' of the field "{reference.field}"',
    }[wrong.part]
    if wrong.reason == "ambiguous":
        text = f'there is more than one {wrong.part} "{name}"{place}'
    elif wrong.reason == "unsupported":
        text = f'the {wrong.part} "{name}"{place} cannot be read'
    else:
        text = f'there is no {wrong.part} "{name}"{place}'
    return text + (f" ({wrong.detail})." if wrong.detail else ".")


def _hint(problem: Problem) -> str:
    wrong = problem.wrong
    if wrong.reason == "ambiguous":
        return "Use the id instead of the name, or name the section."
    if wrong.reason == "unnamed":
        shown = ", ".join(f"{problem.reference}/{name}" for name in wrong.known[:MOST_NAMES])
        return f"Name it: {shown}." if shown else "No field of the item holds anything."
    name = getattr(problem.reference, wrong.part, problem.reference.attribute) or ""
    near = difflib.get_close_matches(name.casefold(), {k.casefold() for k in wrong.known}, 1)
    for known in wrong.known:
        if near and known.casefold() == near[0]:
            return f'Did you mean "{known}"?'
    if wrong.known:
        shown = ", ".join(f'"{known}"' for known in wrong.known[:MOST_NAMES])
        more = f" and {len(wrong.known) - MOST_NAMES} more" if len(wrong.known) > MOST_NAMES else ""
        return f"There is: {shown}{more}."
    return "Check the name in 1Password, and that this account may see it."
