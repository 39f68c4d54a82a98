"""Rules: checked, completed with what the server adds, merged with those of the version before, ordered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.products import expression
from trailboss.sandbox.products.ruleset_actions import check_parameters
from trailboss.sandbox.products.ruleset_phases import (
    ACTIONS,
    LONGEST_PERIOD,
    LONGEST_TIMEOUT,
    PERIODS,
    actions_at,
    most_rules,
)
from trailboss.sandbox.products.ruleset_refusals import (
    bad_expression,
    invalid,
    no_rule,
    not_entitled,
    refusal,
    required,
    too_many_rules,
    unknown_field,
)

if TYPE_CHECKING:
    from trailboss.sandbox.ids import Ids

Record = dict[str, Any]
KNOWN = frozenset(
    {
        *("id", "version", "action", "action_parameters", "categories", "description", "enabled"),
        *("exposed_credential_check", "expression", "last_updated", "logging", "ratelimit", "ref"),
    }
)
SERVER_SET = ("id", "version", "last_updated", "ref")
CONTENT = tuple(sorted(KNOWN - {"id", "version", "last_updated"}))
CHALLENGES = frozenset({"challenge", "js_challenge", "managed_challenge"})
COLO = "cf.colo.id"
LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule is to be: the phase, the level ("zone" or "account") and the zone's plan."""

    phase: str
    level: str
    plan: str


def check_rule(rule: Any, place: Place, pointer: str) -> None:
    """A whole rule as the API wants it; `pointer` is its place in the body ("" for a body that is the rule).

    Raises:
        ApiError: the first thing wrong.
    """
    if not isinstance(rule, dict):
        raise refusal(10026, "invalid JSON: a rule must be an object", pointer)
    for name in rule:
        if name not in KNOWN:
            raise unknown_field(name, f"{pointer}/{name}")
    _check_action(rule, place, pointer)
    text = rule.get("expression")
    if not isinstance(text, str) or not text:
        raise required("expression", f"{pointer}/expression")
    _check_expression(text, "expression", place, f"{pointer}/expression")
    check_parameters(
        rule["action"], rule.get("action_parameters"), place.phase, f"{pointer}/action_parameters"
    )
    _check_ratelimit(rule, place, f"{pointer}/ratelimit")
    if len(rule.get("description") or "") > LONGEST_DESCRIPTION:
        why = f"it is longer than {LONGEST_DESCRIPTION} characters"
        raise invalid(rule["description"], "description", why, f"{pointer}/description")


def _check_action(rule: Record, place: Place, pointer: str) -> None:
    action, at = rule.get("action"), f"{pointer}/action"
    if not action:
        raise required("action", at)
    if action not in ACTIONS:
        raise refusal(10026, f"unknown variant for action: {action}", at)
    if action not in actions_at(place.phase, place.level):
        raise invalid(action, "action", f"it is not supported in the phase {place.phase}", at, 20016)
    if action == "log" and place.plan != "enterprise":
        raise not_entitled("use the log action", at)


def _check_expression(text: str, field: str, place: Place, pointer: str) -> None:
    try:
        expression.check_filter(text, place.phase)
    except expression.ExpressionError as error:
        raise bad_expression(text, field, error, pointer) from None
    if (" matches " in text or " ~ " in text) and place.plan in {"free", "pro"}:
        raise not_entitled("use the matches operator", pointer)


def _check_ratelimit(rule: Record, place: Place, pointer: str) -> None:
    limit = rule.get("ratelimit")
    wanted = place.phase in {"http_ratelimit", "magic_transit_ratelimit"} and rule["action"] != "execute"
    if limit is None:
        if wanted:
            raise required("ratelimit", pointer)
        return
    if not wanted:
        raise invalid("ratelimit", "rule", f"the phase {place.phase} does not count requests", pointer)
    _check_characteristics(limit, place, f"{pointer}/characteristics")
    period, timeout = limit.get("period"), limit.get("mitigation_timeout", 0)
    if period not in PERIODS:
        raise invalid(period, "period", f"it must be one of {sorted(PERIODS)}", f"{pointer}/period")
    if period > LONGEST_PERIOD[place.plan]:
        raise not_entitled(f"use the period {period}", f"{pointer}/period")
    if timeout not in PERIODS | {0}:
        why = f"it must be 0 or one of {sorted(PERIODS)}"
        raise invalid(timeout, "mitigation_timeout", why, f"{pointer}/mitigation_timeout")
    if timeout > LONGEST_TIMEOUT[place.plan]:
        raise not_entitled(f"use the mitigation timeout {timeout}", f"{pointer}/mitigation_timeout")
    _check_mitigation(rule["action"], timeout, place, f"{pointer}/mitigation_timeout")
    if not (limit.get("requests_per_period", 0) >= 1 or limit.get("score_per_period", 0) >= 1):
        raise required("requests_per_period", f"{pointer}/requests_per_period")
    if limit.get("counting_expression"):
        at = f"{pointer}/counting_expression"
        _check_expression(limit["counting_expression"], "counting_expression", place, at)


def _check_mitigation(action: str, timeout: int, place: Place, pointer: str) -> None:
    if place.plan == "enterprise":
        return
    if action in CHALLENGES and timeout:
        raise invalid(timeout, "mitigation_timeout", f"it must be 0 for the action {action}", pointer)
    if action == "block" and not timeout:
        raise not_entitled("throttle requests above the rate", pointer)


def _check_characteristics(limit: Record, place: Place, pointer: str) -> None:
    given = limit.get("characteristics") or []
    if COLO not in given:
        raise invalid(str(given), "characteristics", f"it must include {COLO}", pointer, 20155)
    if {"ip.src", "cf.unique_visitor_id"} <= set(given):
        raise invalid(
            str(given), "characteristics", "ip.src and cf.unique_visitor_id exclude each other", pointer
        )
    for at, one in enumerate(given):
        if one != "ip.src":
            try:
                expression.check_filter(_as_filter(one), place.phase)
            except expression.ExpressionError:
                raise invalid(one, "characteristics", "it is not a field", f"{pointer}/{at}") from None


def _as_filter(characteristic: str) -> str:
    """A field or a function of fields, inside a condition of any type."""
    return (
        f"len(to_string({characteristic})) gt 0"
        if "[" not in characteristic
        else f"len({characteristic}) gt 0"
    )


def completed(rule: Record, present: Record | None, now: str, ids: Ids) -> Record:
    """The rule as it is stored: what the server adds, and a new version when something changed."""
    identifier = present["id"] if present else ids.hex()
    stored: Record = {
        "id": identifier,
        "version": "1",
        "action": rule["action"],
        "expression": rule["expression"],
        "description": rule.get("description") or "",
        "last_updated": now,
        "ref": rule.get("ref") or identifier,
        "enabled": rule.get("enabled", True),
    }
    for name in ("action_parameters", "ratelimit", "logging", "exposed_credential_check"):
        if rule.get(name) is not None:
            stored[name] = rule[name]
    if rule["action"] == "execute":
        stored["action_parameters"] = {"version": "latest", **stored["action_parameters"]}
    if rule["action"] == "skip":
        stored.setdefault("logging", {"enabled": True})
    if "ratelimit" in stored:
        stored["ratelimit"] = {"requests_to_origin": False, "mitigation_timeout": 0, **stored["ratelimit"]}
    if present is None:
        return stored
    if all(stored.get(name) == present.get(name) for name in CONTENT):
        return present
    return {**stored, "version": str(int(present["version"]) + 1)}


def merged(wanted: list[Record], present: list[Record], now: str, ids: Ids) -> list[Record]:
    """All rules anew; those with a known `id` or `ref` stay the same rules.

    Raises:
        ApiError: an id of another ruleset, or one twice.
    """
    by_id = {rule["id"]: rule for rule in present}
    by_ref = {rule["ref"]: rule for rule in present}
    used: set[str] = set()
    rules = []
    for at, rule in enumerate(wanted):
        if rule.get("id") and rule["id"] not in by_id:
            raise invalid(rule["id"], "id", "the ruleset has no such rule", f"/rules/{at}/id")
        found = by_id.get(rule.get("id", "")) or by_ref.get(rule.get("ref", ""))
        if found is not None and found["id"] in used:
            found = None
        used.add(found["id"] if found else "")
        rules.append(completed(rule, found, now, ids))
    check_refs(rules)
    return rules


def check_refs(rules: list[Record]) -> None:
    """A `ref` is one rule's.

    Raises:
        ApiError: two rules have the same.
    """
    seen: set[str] = set()
    for at, rule in enumerate(rules):
        if rule["ref"] in seen:
            why = "another rule of the ruleset has it"
            raise invalid(rule["ref"], "ref", why, f"/rules/{at}/ref", 20014)
        seen.add(rule["ref"])


def check_count(rules: list[Record], place: Place) -> None:
    """No more rules than the plan allows.

    Raises:
        ApiError: there are.
    """
    most = most_rules(place.phase, place.plan)
    if len(rules) > most:
        raise too_many_rules(place.phase, most)


def placed(rules: list[Record], rule: Record, position: Any) -> list[Record]:
    """`rules` (without `rule`) with it at its place: last, or `{before}`, `{after}` (an id, "" for the very
    first and the very last), `{index}` counted from 1.

    Raises:
        ApiError: a place that is not there.
    """
    if not position:
        return [*rules, rule]
    if not isinstance(position, dict) or len(position) != 1:
        raise refusal(20005, "position must have one of before, after and index", "/position")
    (how, where), *_ = position.items()
    if how == "index":
        if not isinstance(where, int) or not 1 <= where <= len(rules) + 1:
            raise invalid(where, "index", "it is out of range", "/position/index")
        at = where - 1
    elif how in {"before", "after"} and where == "":
        at = 0 if how == "before" else len(rules)
    elif how in {"before", "after"}:
        ids = [one["id"] for one in rules]
        if where not in ids:
            raise no_rule()
        at = ids.index(where) + (how == "after")
    else:
        raise unknown_field(how, f"/position/{how}")
    return [*rules[:at], rule, *rules[at:]]
