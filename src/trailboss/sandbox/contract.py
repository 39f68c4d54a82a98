"""Requests and replies against the types of Cloudflare's SDK; for tests and `--strict`, never otherwise.

The SDK itself builds its models without checking anything. Here they are checked: a field that is missing,
or of another type, is refused; a field the SDK does not know is allowed, in requests because wrangler sends
some, in replies because Cloudflare adds fields all the time.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any, get_origin

from trailboss.sandbox.call import Call
from trailboss.sandbox.contract_deviations import BODIES, OPEN_FIELDS, RAW, excused
from trailboss.sandbox.contract_wire import record_names, required_names, wire_names, wire_type
from trailboss.sandbox.envelope import encode_json
from trailboss.sandbox.refusals import ApiError

if TYPE_CHECKING:
    from trailboss.sandbox.routes import Route

NOTHING = "None"
WRAPPERS = ("items", "deployments")


class Broken(ApiError):
    """The contract is broken: by the client (400) or by the sandbox (500)."""

    def __init__(self, status: int, route: Route, what: str) -> None:
        super().__init__(status, 10599, f"contract of {route.name} ({route.sdk}): {what}")


@cache
def sdk_type(name: str) -> Any:
    """`workers.ScriptListResponse` as the type below `cloudflare.types`.

    Raises:
        LookupError: the SDK has no such type.
    """
    module_name, _, type_name = name.rpartition(".")
    try:
        module = importlib.import_module(f"cloudflare.types.{module_name}")
        return getattr(module, type_name)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"the SDK has no type {name}") from error


@cache
def _adapter(name: str) -> Any:
    from pydantic import TypeAdapter

    kind = sdk_type(name)
    if name in OPEN_FIELDS:
        kind = _opened(kind, OPEN_FIELDS[name][0].split("."))
    return TypeAdapter(kind)


def _opened(model: Any, path: list[str]) -> Any:
    """The model with anything at all in one field."""
    from pydantic import create_model

    field = model.model_fields[path[0]]
    kind = Any if len(path) == 1 else _opened(field.annotation, path[1:])
    default = ... if field.is_required() else field.default
    changed: Any = {path[0]: (kind, default)}
    return create_model(model.__name__, __base__=model, **changed)


@cache
def _request_adapter(name: str, elsewhere: frozenset[str]) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(wire_type(sdk_type(name), elsewhere))


async def check_request(call: Call, route: Route) -> None:
    """Refuse a body that is not what the SDK's parameters describe, by the names the wire has for them.

    A JSON body is checked in full, and so are the JSON parts of a form; of its other parts only that they
    are there. An array is what the SDK calls `body`.

    Raises:
        Broken: with the places and reasons.
    """
    if not route.request:
        return
    elsewhere = frozenset(call.path) | _named_outside(call, route.request)
    if call.is_form():
        parts = {part.name: part.data for part in await call.form()}
        problem = form_problem(route.request, parts, elsewhere)
    elif route.request in RAW:
        return
    else:
        body = await call.json({})
        name = BODIES.get(route.request, "" if isinstance(body, dict) else "body")
        problem = request_problem(route.request, {name: body} if name else body, elsewhere)
    if problem:
        raise Broken(400, route, problem)


def _named_outside(call: Call, type_name: str) -> frozenset[str]:
    """Which fields of the type this call has in its query or headers."""
    asked = {name for name, _ in call.query_pairs}
    return frozenset(
        name for name in wire_names(sdk_type(type_name)) if name in asked or name.lower() in call.headers
    )


def form_problem(type_name: str, parts: dict[str, bytes], elsewhere: frozenset[str] = frozenset()) -> str:
    """What is wrong with one form, "" when nothing is. A part that is no JSON is left to the handler, which
    has Cloudflare's own words for it."""
    import msgspec

    declared = sdk_type(type_name)
    missing = required_names(declared, elsewhere) - parts.keys()
    if missing:
        return "; ".join(f"{name}: Part required" for name in sorted(missing))
    fields: dict[str, Any] = {}
    for name in record_names(declared) & parts.keys():
        try:
            fields[name] = msgspec.json.decode(parts[name])
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return request_problem(type_name, fields, elsewhere | wire_names(declared) - fields.keys())


def request_problem(type_name: str, fields: Any, elsewhere: frozenset[str] = frozenset()) -> str:
    """What is wrong with one JSON request, "" when nothing is; `elsewhere` as `wire_type` has it."""
    from pydantic import ValidationError

    try:
        _request_adapter(type_name, elsewhere).validate_json(encode_json(fields), strict=True)
    except ValidationError as error:
        found = [item for item in error.errors() if not excused(_place(item), item["type"], type_name)]
        return _told(found)
    return ""


def check_reply(route: Route, result: Any) -> None:
    """Refuse a result the SDK's type does not fit; of a list, every item.

    Raises:
        Broken: with the places and reasons.
    """
    if not route.reply or route.reply == NOTHING:
        return
    for item in _items(route, result):
        problem = reply_problem(route.reply, item)
        if problem:
            raise Broken(500, route, problem)


def _items(route: Route, result: Any) -> list[Any]:
    if {"success", "errors"} <= set(getattr(sdk_type(route.reply), "model_fields", ())):
        return [{"success": True, "errors": [], "messages": [], "result": result}]  # the type is the envelope
    if isinstance(result, list):
        return [result] if get_origin(sdk_type(route.reply)) is list else result
    if isinstance(result, dict) and route.sdk.endswith(".list"):
        for wrapper in WRAPPERS:
            if isinstance(result.get(wrapper), list):
                return list(result[wrapper])
    return [result]


def reply_problem(type_name: str, item: Any) -> str:
    """What is wrong with one reply, "" when nothing is."""
    from pydantic import ValidationError

    try:
        _adapter(type_name).validate_json(encode_json(item), strict=True)
    except ValidationError as error:
        mistakes = error.errors()
        found = [item for item in mistakes if not excused(_place(item), item["type"], type_name, reply=True)]
        return _told(found)
    return ""


def _place(found: Any) -> str:
    """Where, in steps; for a union without such a member, that member's name is the last."""
    unknown = found["ctx"]["tag"] if found["type"] == "union_tag_invalid" else None
    return ".".join(map(str, found["loc"] if unknown is None else (*found["loc"], unknown))) or "it"


def _told(found: list[Any]) -> str:
    return "; ".join(f"{_place(item)}: {item['msg']}" for item in found[:6])
