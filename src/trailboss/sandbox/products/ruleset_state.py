"""Where rulesets are kept: of a zone or of the account, by version; what every write checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.products import ruleset_refusals as refusals
from trailboss.sandbox.products.ruleset_managed import PAID, managed_ruleset
from trailboss.sandbox.products.ruleset_phases import KINDS, PHASES, actions_at
from trailboss.sandbox.products.ruleset_rules import Place, check_count, check_refs, check_rule, merged

if TYPE_CHECKING:
    from trailboss.sandbox.call import Call
    from trailboss.sandbox.store import Record, Store

KIND, VERSION = "ruleset", "ruleset_version"
ACCOUNT = "account"
KEPT = 50
"""Versions of a ruleset."""


def scope(call: Call) -> str:
    """The zone's id, or "account"."""
    return call.path.get("zone_id", ACCOUNT)


def level(call: Call) -> str:
    """Of the account or a zone, by the path."""
    return "zone" if "zone_id" in call.path else "account"


def place_of(call: Call, phase: str) -> Place:
    """Where the rules of a phase will be, with the plan of the zone."""
    zone = call.store.get("zone", call.path.get("zone_id", "")) or {}
    return Place(phase, level(call), str(zone.get("plan", {}).get("legacy_id") or "enterprise"))


def known_phase(call: Call, phase: Any) -> str:
    """A phase that exists and that the zone or account may use.

    Raises:
        ApiError: it does not, or may not.
    """
    if phase not in PHASES:
        raise refusals.refusal(10026, f"unknown variant for phase: {phase}", "/phase")
    if not actions_at(phase, level(call)):
        raise refusals.not_entitled(f"use the phase {phase}", "/phase")
    return str(phase)


def entrypoint(call: Call, phase: str) -> Record | None:
    """The phase's own ruleset, None before its first rule."""
    kind = KINDS[level(call)][0]
    found = call.store.all(KIND, scope(call))
    return next((one for one in found if one["phase"] == phase and one["kind"] == kind), None)


def find(call: Call) -> Record:
    """The ruleset of the path: of this zone or account, or managed."""
    identifier = call["ruleset_id"]
    found = call.store.get(KIND, identifier)
    if found is not None and found["scope"] == scope(call):
        return found
    managed = managed_ruleset(identifier)
    if managed is None:
        raise refusals.no_ruleset()
    return managed


def own(call: Call) -> Record:
    """As `find`, but one that may be changed.

    Raises:
        ApiError: there is none, or it is managed.
    """
    found = find(call)
    if found["kind"] == "managed":
        raise refusals.not_yours()
    return found


def shown(record: Record, *, rules: bool = True) -> Record:
    """As the API shows it."""
    hidden = {"scope"} if rules else {"scope", "rules"}
    return {name: value for name, value in record.items() if name not in hidden}


def dry(call: Call) -> bool:
    """Whether the request only asks if it would do.

    Raises:
        ApiError: `dry_run` is neither true nor false.
    """
    if call.query("dry_run", "false") not in {"true", "false"}:
        raise refusals.refusal(20006, "dry_run must be true or false")
    return call.flag("dry_run")


def write(call: Call, record: Record, **changed: Any) -> Any:
    """A new version of a ruleset, checked as a whole; nothing is kept of a dry run."""
    fresh = {**record, **changed, "last_updated": call.clock.iso()}
    fresh["version"] = str(int(record.get("version", "0")) + 1)
    check_refs(fresh["rules"])
    check_count(fresh["rules"], place_of(call, fresh["phase"]))
    if dry(call):
        return Raw(Reply(None).body(), content_type="application/json")
    with call.store.transaction():
        call.store.put(KIND, fresh["id"], fresh, parent=fresh["scope"])
        call.store.put(VERSION, f"{fresh['id']}/{fresh['version']}", fresh, parent=fresh["id"])
        call.store.delete(VERSION, f"{fresh['id']}/{int(fresh['version']) - KEPT}")
    return shown(fresh)


def checked(call: Call, rule: Any, phase: str, pointer: str) -> Any:
    """A rule that may be in the phase, and executes what exists."""
    place = place_of(call, phase)
    check_rule(rule, place, pointer)
    if rule["action"] != "execute":
        return rule
    target = str(rule["action_parameters"]["id"])
    known = managed_ruleset(target) or call.store.get(KIND, target)
    where = f"{pointer}/action_parameters/id"
    if known is None or known["kind"] not in {"managed", "custom"} or known["phase"] != phase:
        raise refusals.invalid(target, "id", f"there is no such ruleset in the phase {phase}", where, 20015)
    if target in PAID and place.plan == "free":
        raise refusals.not_entitled(f"execute the ruleset {known['name']}", where)
    return rule


def all_checked(call: Call, rules: Any, phase: str) -> list[Any]:
    """Every rule of a body's `rules`.

    Raises:
        ApiError: the first thing wrong.
    """
    if not isinstance(rules, list):
        raise refusals.refusal(10026, "invalid JSON: rules must be an array", "/rules")
    return [checked(call, rule, phase, f"/rules/{at}") for at, rule in enumerate(rules)]


def born(call: Call, body: Record, kind: str, phase: str) -> Record:
    """A ruleset before its first version."""
    return {
        "id": call.ids.hex(),
        "name": body.get("name") or "default",
        "description": body.get("description") or "",
        "kind": kind,
        "version": "0",
        "rules": [],
        "phase": phase,
        "scope": scope(call),
    }


def replace(call: Call, record: Record, body: Record) -> Any:
    """A version with the rules, name and description of the body; what it does not name stays."""
    changed = {name: body[name] for name in ("name", "description") if body.get(name) is not None}
    rules = record["rules"]
    if "rules" in body:
        wanted = all_checked(call, body["rules"], record["phase"])
        rules = merged(wanted, record["rules"], call.clock.iso(), call.ids)
    return write(call, record, rules=rules, **changed)


def executes(ruleset: Record, target: str) -> bool:
    """Whether a rule of the ruleset executes `target`."""
    return any(rule.get("action_parameters", {}).get("id") == target for rule in ruleset["rules"])


def forget(store: Store, identifier: str) -> None:
    """A ruleset and its versions."""
    store.delete(KIND, identifier)
    store.delete_all(VERSION, identifier)
