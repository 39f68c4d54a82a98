"""The GraphQL analytics API: answers of the right structure, with what the sandbox really counted.

Faithful: documents with variables, aliases and fragments; refusals as HTTP 200 with `data` null; filters,
dimensions, order and limits of `workersInvocationsAdaptive`. Simplified: all other data sets are
empty, nothing is sampled and nothing late, and there is no introspection.
https://developers.cloudflare.com/analytics/graphql-api/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, encode_json
from trailboss.sandbox.products import graphql_invocations, invocations
from trailboss.sandbox.products.graphql_document import Field, Malformed, parse
from trailboss.sandbox.products.graphql_sets import SETS
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

BUDGET = 320


class _Denied(Exception):
    """Not this token's account or zone."""


async def query(call: Call) -> Raw:
    """One query document."""
    body = await call.object()
    variables = body.get("variables")
    await invocations.collect(call.box)
    try:
        fields = parse(str(body.get("query") or ""), variables if isinstance(variables, dict) else {})
        return _answer({field.alias: _root(call, field) for field in fields}, None)
    except Malformed as error:
        return _answer(None, [_error(call, str(error), "parser")])
    except _Denied as error:
        return _answer(None, [_error(call, str(error), "authz")])


def _answer(data: Any, errors: Any) -> Raw:
    return Raw(encode_json({"data": data, "errors": errors}), content_type="application/json")


def _error(call: Call, message: str, code: str) -> Record:
    moment = datetime.fromtimestamp(call.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "message": message,
        "path": None,
        "extensions": {"code": code, "timestamp": moment, "ray_id": call.ids.hex(16)},
    }


def _root(call: Call, field: Field) -> Any:
    if field.name == "__typename":
        return "Query"
    if field.name != "viewer":
        raise Malformed(f'unknown field "{field.name}"')
    shown: Record = {}
    for inner in _selected(field):
        if inner.name in ("accounts", "zones"):
            shown[inner.alias] = [_scope(call, inner)]
        elif inner.name in ("budget", "__typename"):
            shown[inner.alias] = BUDGET if inner.name == "budget" else "viewer"
        else:
            raise Malformed(f'unknown field "{inner.name}"')
    return shown


def _scope(call: Call, field: Field) -> Record:
    """One account or zone; without a tag it is the token's own."""
    kind, tag = ("account", "accountTag") if field.name == "accounts" else ("zone", "zoneTag")
    wanted = field.arguments.get("filter") or {}
    if not isinstance(wanted, dict):
        raise Malformed(f'error parsing args for "{field.name}": filter must be an object')
    own = call.account if kind == "account" else next((z["id"] for z in call.store.all("zone")), "")
    found = wanted.get(tag, own)
    if kind == "account" and found != own:
        raise _Denied("not authorized for that account")
    if kind == "zone" and tag in wanted and call.store.get("zone", str(found)) is None:
        raise _Denied("not authorized for that zone")
    known = {tag: found, "__typename": kind}
    return {
        inner.alias: known[inner.name] if inner.name in known else _rows(call, kind, inner)
        for inner in _selected(field)
    }


def _rows(call: Call, kind: str, field: Field) -> Any:
    if field.name not in SETS[kind]:
        raise Malformed(f'unknown field "{field.name}"')
    if field.name != graphql_invocations.NAME or kind != "account":
        _selected(field)
        return []
    rows = invocations.read(call.store, *graphql_invocations.span(field))
    return graphql_invocations.answer(field, rows)


def _selected(field: Field) -> list[Field]:
    if not field.fields:
        raise Malformed(f'objects must have selections (field "{field.name}" has no selections)')
    return field.fields


router = Router("graphql")
router.schema = invocations.SCHEMA
router.on_start(invocations.watch)
router.add("POST", "/graphql", query, unchecked="GraphQL, not in the SDK")
