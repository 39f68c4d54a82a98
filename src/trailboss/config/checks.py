"""Turns what pydantic finds wrong into one ConfigError that points into the user's file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from trailboss.config.keys import closest
from trailboss.errors import ConfigError
from trailboss.values import Location

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    Model = TypeVar("Model", bound=BaseModel)

Locate = Callable[..., Location]
Keys = tuple[str | int, ...]

_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_SHOWN = 5


def validate(model: type[Model], data: Mapping[str, Any], locate: Locate, code: str) -> Model:
    """`data` as a `model`. Raises ConfigError `code` (TB1201: unknown key) at the first wrong key."""
    import pydantic

    try:
        return model.model_validate(data)
    except pydantic.ValidationError as error:
        raise explain(error, model, data, locate, code) from None


def explain(
    error: ValidationError, model: type[BaseModel], data: Mapping[str, Any], locate: Locate, code: str
) -> ConfigError:
    """All problems in one error: the first is the message, the others stand below it with their places."""
    grouped: dict[Keys, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False, include_input=False, include_context=True):
        grouped.setdefault(_path(detail, data), []).append(detail)
    lines, hints = [], []
    for keys, details in grouped.items():
        lines.append((locate(*keys), _sentence(keys, details, data)))
        hints.append(_hint(keys, details, model))
    where, message = lines[0]
    more = [f"{place}: {text}" for place, text in lines[1:_SHOWN]]
    if len(lines) > _SHOWN:
        more.append(f"and {len(lines) - _SHOWN} more")
    if any(detail["type"] == "extra_forbidden" for detail in next(iter(grouped.values()))):
        code = "TB1201"
    return ConfigError(code, "\n".join([message, *more]), hint=next(filter(None, hints), ""), where=where)


def dotted(keys: Keys) -> str:
    """`kv_namespaces[0].binding`."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


def _path(detail: ErrorDetails, data: Any) -> Keys:
    """The error's place in the data: pydantic's own names of union members left out."""
    keys: list[str | int] = []
    here = data
    for part in detail["loc"]:
        if _holds(here, part):
            here = here[part]
        elif detail["type"] == "missing" and part == detail["loc"][-1]:
            pass
        else:
            continue
        keys.append(part)
    return tuple(keys)


def _holds(here: Any, part: str | int) -> bool:
    if isinstance(here, Mapping):
        return part in here
    return isinstance(here, list) and isinstance(part, int) and part < len(here)


def _sentence(keys: Keys, details: list[ErrorDetails], data: Any) -> str:
    kinds = [detail["type"] for detail in details]
    name = f'"{dotted(keys)}"' if keys else "the file"
    if "missing" in kinds:
        return f"{name} is required"
    if "extra_forbidden" in kinds:
        return f"{name} is not a key Trailboss knows"
    expected: list[str] = []
    for detail in details:
        context = detail.get("ctx", {})
        if detail["type"] in _EXPECTED:
            expected.append(_EXPECTED[detail["type"]])
        elif "expected" in context:
            expected.append(f"one of {context['expected']}")
        else:
            return f"{name}: {detail['msg'].removeprefix('Value error, ')}"
    return f"{name} must be {' or '.join(dict.fromkeys(expected))}, not {_kind(_value(keys, data))}"


def _value(keys: Keys, data: Any) -> Any:
    for key in keys:
        data = data[key]
    return data


def _kind(value: Any) -> str:
    """What a wrong value is; the value itself could be a secret."""
    if value is None:
        return "null"
    names = {bool: "true or false", str: "this text", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "a table")


def _hint(keys: Keys, details: list[ErrorDetails], model: type[BaseModel]) -> str:
    if not keys or details[0]["type"] != "extra_forbidden":
        return ""
    return closest(str(keys[-1]), fields_at(model, keys[:-1]))


def fields_at(model: type[BaseModel], keys: Keys) -> list[str]:
    """The keys `model` knows in the table at `keys`."""
    from pydantic import BaseModel

    here: Any = model
    for key in keys:
        field = here.model_fields.get(key) if hasattr(here, "model_fields") else None
        annotation = field.annotation if field else here
        inner = [a for a in (annotation, *getattr(annotation, "__args__", ())) if isinstance(a, type)]
        here = next((a for a in inner if issubclass(a, BaseModel)), here if field is None else BaseModel)
    return [info.alias or name for name, info in here.model_fields.items()]
