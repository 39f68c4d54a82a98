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
from trailboss.sandbox.contract_wire import required_names, wire_names, wire_type
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

    return TypeAdapter(sdk_type(name))


@cache
def _request_adapter(name: str, elsewhere: frozenset[str]) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(wire_type(sdk_type(name), elsewhere))


async def check_request(call: Call, route: Route) -> None:
    """Refuse a body that is not what the SDK's parameters describe, by the names the wire has for them.

    A JSON body is checked in full. Of a form only that its parts are there: what they hold, the handlers
    read themselves. An array is what the SDK calls `body`.

    Raises:
        Broken: with the places and reasons.
    """
    if not route.request:
        return
    elsewhere = frozenset(call.path) | _named_outside(call, route.request)
    if call.is_form():
        problem = _form_problem(route.request, elsewhere, {part.name for part in await call.form()})
    else:
        body = await call.json({})
        fields = body if isinstance(body, dict) else {"body": body}
        problem = request_problem(route.request, fields, elsewhere)
    if problem:
        raise Broken(400, route, problem)


def _named_outside(call: Call, type_name: str) -> frozenset[str]:
    """Which fields of the type this call has in its query or headers."""
    asked = {name for name, _ in call.query_pairs}
    return frozenset(
        name for name in wire_names(sdk_type(type_name)) if name in asked or name.lower() in call.headers
    )


def _form_problem(type_name: str, elsewhere: frozenset[str], parts: set[str]) -> str:
    missing = required_names(sdk_type(type_name), elsewhere) - parts
    return "; ".join(f"{name}: Part required" for name in sorted(missing))


def request_problem(type_name: str, fields: Any, elsewhere: frozenset[str] = frozenset()) -> str:
    """What is wrong with one JSON request, "" when nothing is; `elsewhere` as `wire_type` has it."""
    from pydantic import ValidationError

    try:
        _request_adapter(type_name, elsewhere).validate_json(encode_json(fields), strict=True)
    except ValidationError as error:
        return _places(error)
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
        return _places(error)
    return ""


def _places(error: Any) -> str:
    found = [f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg']}" for item in error.errors()[:6]]
    return "; ".join(found)
