"""Which route a path means: a tree of path segments, literal names before parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from trailboss.sandbox.routes import Route


class _Node:
    __slots__ = ("literal", "parameter", "rest", "routes")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.rest: dict[str, Route] = {}
        self.routes: dict[str, Route] = {}


class Table:
    """Routes by path. `{name}` takes one segment, a last `{name:path}` the whole rest, slashes included."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, route: Route) -> None:
        """Enter a route; two routes of one method and shape are a mistake.

        Raises:
            ValueError: the place is taken.
        """
        node = self._root
        for segment in route.path.strip("/").split("/"):
            if segment.endswith(":path}"):
                _enter(node.rest, route)
                return
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literal.setdefault(segment, _Node())
        _enter(node.routes, route)

    def find(self, method: str, raw_path: str) -> tuple[Route | None, dict[str, str], bool]:
        """(route, path values, whether the path is known at all) for a percent-encoded path."""
        segments = raw_path.strip("/").split("/")
        rest_segments = [*segments, ""] if raw_path.endswith("/") else segments
        known = False
        for route, values in _matches(self._root, segments, rest_segments, 0, ()):
            if route.method in (method, "*"):
                return route, _named(route, values), True
            known = True
        return None, {}, known


def _enter(place: dict[str, Route], route: Route) -> None:
    if route.method in place:
        raise ValueError(f"{route.method} {route.path} is declared twice")
    place[route.method] = route


def _named(route: Route, values: tuple[str, ...]) -> dict[str, str]:
    return {name: unquote(value) for name, value in zip(route.parameters, values, strict=True)}


def _matches(
    node: _Node, segments: list[str], rest: list[str], at: int, values: tuple[str, ...]
) -> list[tuple[Route, tuple[str, ...]]]:
    if at == len(segments):
        return [(route, values) for route in node.routes.values()]
    found: list[tuple[Route, tuple[str, ...]]] = []
    literal = node.literal.get(segments[at]) or node.literal.get(unquote(segments[at]))
    if literal is not None:
        found += _matches(literal, segments, rest, at + 1, values)
    if node.parameter is not None and segments[at]:
        found += _matches(node.parameter, segments, rest, at + 1, (*values, segments[at]))
    if node.rest:
        tail = "/".join(rest[at:])
        found += [(route, (*values, tail)) for route in node.rest.values()]
    return found
