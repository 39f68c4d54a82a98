"""Single rules in the entry point of a zone's phase: custom, managed, rate limit, cache. Source: edge 3.2.

The ruleset of a phase is everybody's. Ours are known by their `ref`, and are added, changed and removed one
by one; other rules are never sent, and keep their order. Where a rule stands is said in relation to them
(`position`) or to another rule of ours (`after`, `before`), so what others add does not make a difference.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound, PlanError
from trailboss.resources import expressions
from trailboss.resources.marks import (
    IDENTITY,
    MARKER,
    MUTABLE,
    SERVER_SET,
    UNSET,
    Difference,
    Mark,
    Ref,
    Unset,
    covers,
    to,
)
from trailboss.resources.protocol import Basis, Marked, Permissions
from trailboss.resources.ruleset_limits import (
    ACTIONS,
    BARE,
    COLO,
    COUNTED,
    GROUPS,
    LONGEST_DESCRIPTION,
    limit_problems,
    response_problems,
)

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

OURS = "trailboss:"
FIRST, LAST = "first", "last"


@dataclass(frozen=True, slots=True)
class RulesetRule:
    """What a file may want. `phase`, `action` and what is in the tables are Cloudflare's words.

    `position` 'first' is above all rules that no Trailboss made, 'last' below them; `after` and `before` are
    keys of other rules. `ratelimit.characteristics` need not name cf.colo.id, which Cloudflare demands.
    """

    zone: str = field(metadata=IDENTITY)
    phase: str = field(metadata=IDENTITY)
    expression: str = field(metadata=MUTABLE)
    action: str = field(metadata=MUTABLE)
    action_parameters: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    ratelimit: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    logging: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    enabled: bool = field(default=True, metadata=MUTABLE)
    description: str = field(default="", metadata=MUTABLE)
    position: str | Unset = field(default=UNSET, metadata=MUTABLE)
    after: str | Ref | Unset = field(default=UNSET, metadata=MUTABLE | to("ruleset_rule"))
    before: str | Ref | Unset = field(default=UNSET, metadata=MUTABLE | to("ruleset_rule"))
    marker: str = field(default="", metadata=MARKER)


@dataclass(frozen=True, slots=True)
class ObservedRulesetRule:
    """A rule of the phase; `above` and `below` are the ids of the others, each with whether a Trailboss made
    it."""

    zone: str = field(metadata=IDENTITY)
    phase: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    ruleset_id: str = field(metadata=SERVER_SET)
    expression: str = field(metadata=MUTABLE)
    action: str = field(metadata=MUTABLE)
    action_parameters: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)
    ratelimit: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)
    logging: bool | None = field(default=None, metadata=MUTABLE)
    enabled: bool = field(default=True, metadata=MUTABLE)
    description: str = field(default="", metadata=MUTABLE)
    above: tuple[tuple[str, bool], ...] = field(default=(), metadata=SERVER_SET)
    below: tuple[tuple[str, bool], ...] = field(default=(), metadata=SERVER_SET)
    marker: str = field(default="", metadata=MARKER)


class RulesetRuleKind(Basis):
    """The kind `ruleset_rule`."""

    name = "ruleset_rule"
    spec = RulesetRule
    scope = "zone"
    ownership = Marked()
    repeats = True
    permissions = Permissions("Zone WAF Read", "Zone WAF Write")

    def permissions_for(self, spec: RulesetRule | None) -> Permissions:
        """Each phase is a product with a group of its own."""
        group = GROUPS.get(spec.phase) if spec is not None else None
        return Permissions(f"{group} Read", f"{group} Write") if group else self.permissions

    def problems(self, spec: RulesetRule) -> Iterable[str]:
        allowed = ACTIONS.get(spec.phase)
        if allowed is None:
            yield f"a zone has no phase '{spec.phase}'; it has {', '.join(ACTIONS)}"
        elif spec.action not in allowed:
            yield f"the phase {spec.phase} has no action '{spec.action}'; it has {', '.join(allowed)}"
        wrong = expressions.problem(spec.expression)
        if wrong:
            yield f"the expression, {wrong}"
        if len(spec.description) > LONGEST_DESCRIPTION:
            yield f"the description has {len(spec.description)} characters; {LONGEST_DESCRIPTION} are allowed"
        yield from _table_problems(spec)
        if spec.position not in (UNSET, FIRST, LAST):
            yield f"position is '{spec.position}'; it may be {FIRST} or {LAST}"
        if sum(bool(place) for place in (spec.position, spec.after, spec.before)) > 1:
            yield "give one of position, after and before"

    def scope_of(self, spec: RulesetRule) -> tuple[Any, ...]:
        return (spec.zone, spec.phase)

    def clashes(self, spec: RulesetRule, observed: ObservedRulesetRule) -> bool:
        return False

    def differs(self, spec: RulesetRule, observed: ObservedRulesetRule) -> tuple[Difference, ...]:
        """Tables may hold more than the file gives: Cloudflare fills in."""
        found: list[Difference] = []
        for name in ("expression", "action", "enabled", "description"):
            wanted, has = getattr(spec, name), getattr(observed, name)
            if wanted != has:
                found.append(Difference(name, Mark.MUTABLE, wanted, has))
        for name in ("action_parameters", "ratelimit"):
            wanted, has = _normal(_table(getattr(spec, name))), _normal(getattr(observed, name))
            if bool(wanted) != bool(has) or not covers(wanted, has):
                found.append(Difference(name, Mark.MUTABLE, wanted, has))
        if isinstance(spec.logging, bool) and spec.logging != observed.logging:
            found.append(Difference("logging", Mark.MUTABLE, spec.logging, observed.logging))
        return (*found, *_misplaced(spec, observed))

    def to_wire(self, spec: RulesetRule) -> dict[str, Any]:
        body: dict[str, Any] = {
            "action": spec.action,
            "expression": spec.expression,
            "description": spec.description,
            "enabled": spec.enabled,
        }
        for name in ("action_parameters", "ratelimit"):
            table = _normal(_table(getattr(spec, name)))
            if table:
                body[name] = table
        if isinstance(spec.logging, bool):
            body["logging"] = {"enabled": spec.logging}
        return {**body, "ref": spec.marker} if spec.marker else body

    def from_wire(self, data: Mapping[str, Any]) -> ObservedRulesetRule:
        ref = str(data.get("ref") or "")
        return ObservedRulesetRule(
            str(data["zone"]),
            str(data["phase"]),
            str(data["id"]),
            str(data["ruleset_id"]),
            str(data.get("expression") or ""),
            str(data.get("action") or ""),
            _normal(data.get("action_parameters") or {}),
            _normal(data.get("ratelimit") or {}),
            (data.get("logging") or {}).get("enabled"),
            bool(data.get("enabled", True)),
            str(data.get("description") or ""),
            tuple(data.get("above") or ()),
            tuple(data.get("below") or ()),
            ref if ref.startswith(OURS) else "",
        )

    async def list(self, cloud: Cloud, like: RulesetRule | None = None) -> AsyncIterator[ObservedRulesetRule]:
        assert like is not None
        for rule in self._rules(like.zone, like.phase, await _entrypoint(cloud, like.zone, like.phase)):
            yield rule

    async def create(self, cloud: Cloud, spec: RulesetRule) -> ObservedRulesetRule:
        present = await _entrypoint(cloud, spec.zone, spec.phase) or await _born(cloud, spec)
        before = {rule["id"] for rule in present.get("rules") or ()}
        path = f"{await _path(cloud, spec.zone)}/{present['id']}/rules"
        after = await cloud.post(path, json=self.to_wire(spec) | _place(spec))
        made = [rule for rule in self._rules(spec.zone, spec.phase, after) if rule.id not in before]
        marked = [rule for rule in made if spec.marker and rule.marker == spec.marker]
        for rule in (*marked, *made[::-1]):
            return rule
        raise PlanError(
            "TB6115",
            f"Cloudflare took a rule for {spec.phase} of {spec.zone}, and does not show it",
            hint="Run the same command again; a rule that is there is found by its ref.",
        )

    async def update(
        self, cloud: Cloud, spec: RulesetRule, observed: ObservedRulesetRule
    ) -> ObservedRulesetRule:
        changes = self.differs(spec, observed)
        if not changes and spec.marker == observed.marker:
            return observed
        body = self.to_wire(spec)
        if observed.logging is not None:
            body.setdefault("logging", {"enabled": observed.logging})
        if observed.marker:
            body.setdefault("ref", observed.id)  # as a rule has it that nobody marked
        if {change.field for change in changes} & {"position", "after", "before"}:
            body |= _place(spec)
        path = f"{await _path(cloud, observed.zone)}/{observed.ruleset_id}/rules/{observed.id}"
        after = await cloud.patch(path, json=body, idempotent=True)
        return next(
            rule for rule in self._rules(observed.zone, observed.phase, after) if rule.id == observed.id
        )

    async def delete(self, cloud: Cloud, observed: ObservedRulesetRule) -> None:
        path = f"{await _path(cloud, observed.zone)}/{observed.ruleset_id}/rules/{observed.id}"
        with contextlib.suppress(NotFound):
            await cloud.delete(path)

    def _rules(self, zone: str, phase: str, ruleset: Mapping[str, Any]) -> Iterable[ObservedRulesetRule]:
        """The rules of an entry point, each with those above and below it."""
        rules = ruleset.get("rules") or ()
        known = [(str(rule["id"]), str(rule.get("ref") or "").startswith(OURS)) for rule in rules]
        place = {"zone": zone, "phase": phase, "ruleset_id": ruleset.get("id")}
        for at, rule in enumerate(rules):
            yield self.from_wire({**rule, **place, "above": known[:at], "below": known[at + 1 :]})


def _table_problems(spec: RulesetRule) -> Iterable[str]:
    parameters = _table(spec.action_parameters)
    if not parameters and spec.action not in BARE:
        yield f"the action {spec.action} says nothing without action_parameters"
    if spec.action == "execute" and parameters and not parameters.get("id"):
        yield "the action execute needs action_parameters.id, the id of a ruleset"
    if spec.action == "block" and isinstance(parameters.get("response"), Mapping):
        yield from response_problems(parameters["response"])
    if spec.phase == COUNTED and spec.action != "execute":
        yield from limit_problems(_table(spec.ratelimit))
    elif spec.ratelimit:
        yield f"only the phase {COUNTED} counts requests (ratelimit)"


def _table(value: Mapping[str, Any] | Unset) -> Mapping[str, Any]:
    return {} if isinstance(value, Unset) else value


def _normal(value: Any) -> Any:
    """A table with lists for tuples; the characteristics of a rate limit complete and sorted."""
    if isinstance(value, Mapping):
        table = {str(name): _normal(inner) for name, inner in value.items()}
        if isinstance(table.get("characteristics"), list):
            table["characteristics"] = sorted({*table["characteristics"], COLO})
        return table
    return [_normal(inner) for inner in value] if isinstance(value, list | tuple) else value


def _misplaced(spec: RulesetRule, observed: ObservedRulesetRule) -> Iterable[Difference]:
    """Where the rule does not stand as wanted."""
    others_above = sum(not ours for _, ours in observed.above)
    others_below = sum(not ours for _, ours in observed.below)
    if spec.position == FIRST and others_above:
        yield Difference("position", Mark.MUTABLE, FIRST, f"below {others_above} other rules")
    if spec.position == LAST and others_below:
        yield Difference("position", Mark.MUTABLE, LAST, f"above {others_below} other rules")
    if spec.after and spec.after not in dict(observed.above):
        yield Difference("after", Mark.MUTABLE, spec.after, "above it")
    if spec.before and spec.before not in dict(observed.below):
        yield Difference("before", Mark.MUTABLE, spec.before, "below it")


def _place(spec: RulesetRule) -> dict[str, Any]:
    """An empty id stands for the very first and the very last rule."""
    if spec.position == FIRST or spec.before:
        return {"position": {"before": "" if spec.position == FIRST else spec.before}}
    if spec.position == LAST or spec.after:
        return {"position": {"after": "" if spec.position == LAST else spec.after}}
    return {}


async def _entrypoint(cloud: Cloud, zone: str, phase: str) -> Mapping[str, Any]:
    """The ruleset of the phase, {} before its first rule."""
    path = f"{await _path(cloud, zone)}/phases/{phase}/entrypoint"
    with contextlib.suppress(NotFound):
        found: Mapping[str, Any] = await cloud.get(path)
        return found
    return {}


async def _born(cloud: Cloud, spec: RulesetRule) -> Mapping[str, Any]:
    """The phase's ruleset, made empty; when somebody else made it just now, theirs."""
    body = {"kind": "zone", "name": "default", "phase": spec.phase, "rules": []}
    try:
        made: Mapping[str, Any] = await cloud.post(await _path(cloud, spec.zone), json=body)
    except CloudError:
        there = await _entrypoint(cloud, spec.zone, spec.phase)
        if not there:
            raise
        return there
    return made


async def _path(cloud: Cloud, zone: str) -> str:
    return f"{await cloud.zone(zone)}/rulesets"


KIND = RulesetRuleKind()
