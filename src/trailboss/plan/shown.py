"""A plan as plain values: what `--json` prints, a plan file holds, and lines on a terminal are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trailboss.plan.changes import Action, Change, Why
from trailboss.plan.plan import Plan
from trailboss.resources.marks import UNSET, Mark, Ref

BUDGET = 960  # calls in five minutes: 80 % of what Cloudflare allows


@dataclass(frozen=True, slots=True)
class FieldShown:
    """One field: `before` and `after` as text, `forces` whether it forces a replacement."""

    field: str
    before: Any
    after: Any
    forces: bool


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """One line of a plan. `undo` is whether it can be undone, `loses` what is lost when it cannot."""

    action: Action
    kind: str
    key: str
    name: str
    why: Why
    fields: tuple[FieldShown, ...]
    undo: bool
    loses: str
    note: str
    where: str | None


@dataclass(frozen=True, slots=True)
class NoteShown:
    """How a resource stands that there is nothing to do about."""

    kind: str
    key: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class PlanShown:
    """`calls` were spent on reading; `budget` is their share of what five minutes allow, in percent."""

    project: str
    environment: str | None
    empty: bool
    fingerprint: str
    untagged: str
    calls: int
    budget: float
    unchanged: int
    changes: tuple[ChangeShown, ...]
    notes: tuple[NoteShown, ...] = ()


def shown(plan: Plan) -> PlanShown:
    """`plan` without what is unchanged."""
    return PlanShown(
        plan.owner.project,
        plan.owner.environment or None,
        plan.is_empty,
        plan.fingerprint,
        plan.untagged,
        plan.calls,
        round(100 * plan.calls / BUDGET, 1),
        sum(one.action == "none" and not one.note for one in plan.changes),
        (*_end(plan), *(_change(one) for one in plan.changes if one.action != "none")),
        tuple(
            NoteShown(one.kind, one.key, one.name, one.note)
            for one in plan.changes
            if one.action == "none" and one.note
        ),
    )


def _end(plan: Plan) -> Iterator[ChangeShown]:
    """The end of the environment, where the account has another."""
    if plan.ending is not None:
        before, after = (moment or "never" for moment in plan.ending)
        name = plan.owner.environment
        fields = (FieldShown("expires", before, after, forces=False),)
        yield ChangeShown("update", "environment", name, name, "file", fields, True, "", "", None)


def _change(one: Change) -> ChangeShown:
    fields = tuple(
        FieldShown(
            each.field,
            None if each.found is None else _text(each.found),
            _text(each.wanted),
            one.action == "replace" and each.mark in (Mark.REPLACE, Mark.IDENTITY),
        )
        for each in one.fields
    )
    where = str(one.where) if one.where else None
    return ChangeShown(
        one.action, one.kind, one.key, one.name, one.why, fields, not one.loses, one.loses, one.note, where
    )


def _text(value: Any) -> Any:
    if isinstance(value, Ref):
        return f"{value.form.format(f'<{value.kind} {value.name}>')} (known after apply)"
    if value is UNSET:
        return None
    if isinstance(value, dict):
        return {str(name): _text(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_text(inner) for inner in value]
    return value
