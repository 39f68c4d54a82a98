"""References in every string of a table: one part of trailboss.toml, or all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trailboss.secrets.resolver import Resolver, Wanted
from trailboss.values import Location, Secret

Keys = tuple[str | int, ...]
Locate = Callable[..., Location]


def wanted_in(data: Any, locate: Locate | None = None) -> dict[Keys, Wanted]:
    """The strings in the tables and lists of `data` that ask for something, by their keys.

    `locate(*keys)` says where one is written. Raises SecretError TB7020."""
    found: dict[Keys, Wanted] = {}
    for keys, text in _strings(data, ()):
        one = Wanted(text, ".".join(map(str, keys)), locate(*keys) if locate else None)
        if not one.template().is_plain or "$${" in text or "\\op://" in text:
            found[keys] = one
    return found


def every(keys: Keys) -> bool:
    """The strings that become a `Secret`, unless somebody says otherwise: all that ask for something."""
    return True


async def resolve_tree(
    data: Any, resolver: Resolver, locate: Locate | None = None, *, secret: Callable[[Keys], bool] = every
) -> Any:
    """A copy of `data` in which each string that asks for something is a `Secret`; the rest is untouched.

    Where `secret` says no to a string's keys, it stays a plain string: an account id, a host name.
    Hand over the part that is about to be used: nobody wants to be asked for the production token when
    working on another environment. Raises SecretError as `Resolver.resolve`."""
    return _with(data, (), await resolver.resolve(wanted_in(data, locate)), secret)


def resolve_tree_now(
    data: Any, resolver: Resolver, locate: Locate | None = None, *, secret: Callable[[Keys], bool] = every
) -> Any:
    """`resolve_tree` for callers that are not asynchronous."""
    return _with(data, (), resolver.resolve_now(wanted_in(data, locate)), secret)


def _strings(data: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    if isinstance(data, str):
        yield keys, data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _strings(value, (*keys, key))
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            yield from _strings(value, (*keys, index))


def _with(data: Any, keys: Keys, values: Mapping[Keys, Secret], secret: Callable[[Keys], bool]) -> Any:
    if keys in values:
        return values[keys] if secret(keys) else values[keys].reveal()
    if isinstance(data, Mapping):
        return {key: _with(value, (*keys, key), values, secret) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(_with(x, (*keys, index), values, secret) for index, x in enumerate(data))
    return data
