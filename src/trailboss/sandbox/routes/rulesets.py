"""Rulesets of zones and of the account: entry points of phases, custom rulesets, Cloudflare's managed ones.

Faithful: shapes, versions, identity of rules by id and `ref`, positions, which action goes in which phase,
limits and entitlements of the zone's plan, expressions checked with a parser of our own, dry runs.
Simplified: nothing is enforced at the edge; lists named in expressions are not looked up; the last 50
versions are kept.
https://developers.cloudflare.com/ruleset-engine/rulesets-api/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.products import ruleset_refusals as refusals
from trailboss.sandbox.products.ruleset_managed import managed_rulesets
from trailboss.sandbox.products.ruleset_phases import KINDS
from trailboss.sandbox.products.ruleset_rules import completed, merged, placed
from trailboss.sandbox.products.ruleset_state import (
    KIND,
    all_checked,
    born,
    checked,
    dry,
    entrypoint,
    executes,
    find,
    forget,
    known_phase,
    level,
    own,
    replace,
    scope,
    shown,
    write,
)
from trailboss.sandbox.routes import Handler, Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

PER_PAGE = 50


async def list_rulesets(call: Call) -> Reply:
    """Managed ones first, without their rules, by cursor."""
    own = [shown(one, rules=False) for one in call.store.all(KIND, scope(call))]
    found = [*managed_rulesets(level(call)), *own]
    start = int(call.query("cursor")) if call.query("cursor").isdigit() else 0
    size = call.number("per_page", PER_PAGE, 1, PER_PAGE)
    info: Record = {"count": len(found[start : start + size])}
    if start + size < len(found):
        info |= {"cursor": str(start + size), "cursors": {"after": str(start + size)}}
    return Reply(found[start : start + size], info=info)


async def create_ruleset(call: Call) -> Any:
    """An entry point, of which a phase has one, or a custom ruleset."""
    body = await call.object()
    phase, kind = known_phase(call, body.get("phase")), str(body.get("kind"))
    if not body.get("name"):
        raise refusals.required("name", "/name")
    if kind not in KINDS[level(call)]:
        raise refusals.invalid(kind, "kind", f"it cannot be made in {level(call)}s", "/kind", 20217)
    if kind != "custom" and entrypoint(call, phase) is not None:
        raise refusals.too_many_rulesets(kind, phase)
    rules = all_checked(call, body.get("rules", []), phase)
    record = born(call, body, kind, phase)
    return write(call, record, rules=merged(rules, [], call.clock.iso(), call.ids))


async def get_ruleset(call: Call) -> Record:
    """One ruleset with its rules."""
    return shown(find(call))


async def update_ruleset(call: Call) -> Any:
    """PUT: the rules given replace all there were; name and description stay unless named."""
    body, record = await call.object(), own(call)
    for name in ("kind", "phase"):
        if body.get(name, record[name]) != record[name]:
            raise refusals.invalid(body[name], name, "it cannot be changed", f"/{name}", 20013)
    return replace(call, record, body)


async def delete_ruleset(call: Call) -> Raw:
    """With all versions; not while a rule executes it."""
    record = own(call)
    if any(executes(one, record["id"]) for one in call.store.all(KIND)):
        raise refusals.in_use()
    if not dry(call):
        with call.store.transaction():
            forget(call.store, record["id"])
    return Raw(status=204, content_type="")


async def create_rule(call: Call) -> Any:
    """One more rule, last or at its `position`; answers the whole ruleset."""
    body, record = await call.object(), own(call)
    position = body.pop("position", None)
    rule = completed(checked(call, body, record["phase"], ""), None, call.clock.iso(), call.ids)
    return write(call, record, rules=placed(record["rules"], rule, position))


async def edit_rule(call: Call) -> Any:
    """PATCH: the rule whole, or nothing but its `position`."""
    body, record = await call.object(), own(call)
    present = _rule_of(call, record)
    if body.get("id", present["id"]) != present["id"]:
        raise refusals.invalid(body["id"], "id", "it cannot be changed", "/id", 20013)
    position, rule = body.pop("position", None), present
    if body or not position:
        rule = completed(checked(call, body, record["phase"], ""), present, call.clock.iso(), call.ids)
    if position is None:
        rules = [rule if one["id"] == rule["id"] else one for one in record["rules"]]
    else:
        others = [one for one in record["rules"] if one["id"] != rule["id"]]
        rules = placed(others, rule, position)
    return write(call, record, rules=rules)


async def delete_rule(call: Call) -> Any:
    """One rule less; answers the whole ruleset."""
    record = own(call)
    present = _rule_of(call, record)
    return write(call, record, rules=[one for one in record["rules"] if one["id"] != present["id"]])


def _rule_of(call: Call, record: Record) -> Record:
    found: Record | None = next((one for one in record["rules"] if one["id"] == call["rule_id"]), None)
    if found is None:
        raise refusals.no_rule()
    return found


router = Router("rulesets")


def _declare(method: str, path: str, handler: Handler, name: str, types: str = "") -> None:
    """One route for zones and one for the account; `types` names the SDK's request and reply."""
    request, _, reply = types.rpartition(" ")
    for root in ("A", "Z"):
        where = f"{root}/rulesets{path}"
        router.add(method, where, handler, sdk=f"rulesets.{name}", request=request, reply=reply)


_ONE, _R = "/{ruleset_id}", "rulesets.Ruleset"
_RULES, _T = f"{_ONE}/rules", "rulesets.Rule"
_declare("GET", "", list_rulesets, "list", f"{_R}ListResponse")
_declare("POST", "", create_ruleset, "create", f"{_R}CreateParams {_R}GetResponse")
_declare("GET", _ONE, get_ruleset, "get", f"{_R}GetResponse")
_declare("PUT", _ONE, update_ruleset, "update", f"{_R}UpdateParams {_R}GetResponse")
_declare("DELETE", _ONE, delete_ruleset, "delete", "None")
_declare("POST", _RULES, create_rule, "rules.create", f"{_T}CreateParams {_R}GetResponse")
_declare("PATCH", f"{_RULES}/{{rule_id}}", edit_rule, "rules.edit", f"{_T}EditParams {_R}GetResponse")
_declare("DELETE", f"{_RULES}/{{rule_id}}", delete_rule, "rules.delete", f"{_R}GetResponse")
