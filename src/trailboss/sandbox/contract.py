"""Requests and replies against the types of Cloudflare's SDK; for tests and `--strict`, never otherwise.

The SDK itself builds its models without checking anything. Here they are checked: a field that is missing,
or of another type, is refused; a field the SDK does not know is allowed, because Cloudflare adds fields all
the time.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any, get_origin

from trailboss.sandbox.call import Call
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


async def check_request(call: Call, route: Route) -> None:
    """Refuse a JSON body that is not what the SDK's parameters describe.

    Raises:
        Broken: with the places and reasons.
    """
    if not route.request or call.is_form():
        return
    from pydantic import ValidationError

    body = await call.json({})
    fields = body if isinstance(body, dict) else {"body": body}
    try:
        _adapter(route.request).validate_python({**call.path, **fields})
    except ValidationError as error:
        raise Broken(400, route, _places(error)) from None


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
