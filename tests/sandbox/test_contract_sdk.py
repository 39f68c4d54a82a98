"""The installed SDK's own paths against the routes: a new SDK with new calls of ours shows up here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cloudflare

from trailboss.sandbox.routes import API, Route, discover
from trailboss.sandbox.table import Table

RESOURCES = Path(cloudflare.__file__).parent / "resources"
STEP = re.compile(
    r"^    def (?P<method>\w+)\("
    r"|self\._(?P<verb>get|post|put|patch|delete|get_api_list)\(\s*(?:path_template\(\s*)?\"(?P<path>[^\"]+)\""
    r"|^            method=\"(?P<list_verb>\w+)\"",
    re.MULTILINE,
)
SETTING = "one zone setting each, under the path of all"
KNOWN = {
    "zero_trust.access.infrastructure.targets.bulk_delete": "not here, and so read as a target called batch",
    "accounts.tokens.permission_groups.get": "list without pages",
    "kv.namespaces.keys.bulk_delete": "the same call by an older name",
    "kv.namespaces.keys.bulk_get": "the same call by an older name",
    "kv.namespaces.keys.bulk_update": "the same call by an older name",
    **dict.fromkeys(
        (
            f"{resource}.{method}"
            for resource in (
                "csam_scanner",
                "origin_tls_compliance_modes",
                "ssl.auto_origin_tls_kex",
                "zones.nel",
                "zones.transformations_allowed_origins",
                "zones.transformations_c2pa",
            )
            for method in ("edit", "get")
        ),
        SETTING,
    ),
}
"""SDK methods that reach a route of another name."""


def _methods() -> Iterator[tuple[str, str, str]]:
    """(dotted name, HTTP method, path template) of everything the SDK can call."""
    for file in sorted(RESOURCES.rglob("*.py")):
        parts = list(file.relative_to(RESOURCES).with_suffix("").parts)
        if parts[-2:-1] == parts[-1:]:
            parts.pop()
        for name, verb, path in _calls(file.read_text("utf-8").partition("\nclass Async")[0]):
            yield ".".join([*parts, name]), verb.upper(), path


def _calls(text: str) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    name = ""
    for step in STEP.finditer(text):
        if step["method"]:
            name = step["method"]
        elif step["verb"]:
            found.append((name, "get" if step["verb"] == "get_api_list" else step["verb"], step["path"]))
        elif found:
            found[-1] = (found[-1][0], step["list_verb"], found[-1][2])
    return found


@cache
def _reached() -> tuple[tuple[str, Route], ...]:
    table = Table()
    for router in discover():
        for route in router.routes:
            table.add(route)
    found = []
    for name, verb, template in _methods():
        either = ("accounts", "zones") if "{account_or_zone}" in template else ("",)
        for scope in either:
            path = re.sub(r"{(\w+)}", r"\1", template.replace("{account_or_zone}", scope))
            route = table.find(verb, API + path)[0]
            if route is not None:
                found.append((name, route))
    return tuple(found)


def test_every_sdk_method_that_reaches_a_route_is_known() -> None:
    unknown = [f"{name} -> {route.name}" for name, route in _reached() if name not in {route.sdk, *KNOWN}]
    assert not unknown, "declare it as the route's sdk=, or add it to KNOWN"
    assert KNOWN.keys() - {name for name, _ in _reached()} == set()


def test_every_route_is_reached_by_the_method_it_names() -> None:
    reached = {(name, route.path, route.method) for name, route in _reached()}
    declared = {
        (route.sdk, route.path, route.method) for router in discover() for route in router.routes if route.sdk
    }
    assert declared - reached == set()
