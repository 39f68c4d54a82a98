"""Where the SDK's types are behind the API, or wrong: data, each entry with its reason.

A place is where the check found something, in steps: field names, `*` for any one step (the number in an
array, a name in an object), the `type` of a union's member. `metadata.bindings.*.d1.database_id` is the
database id of a D1 binding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

PARTS = ("metadata", "settings")
"""The form parts that hold bindings."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """At `places` of a request the SDK is not followed, because of `reason`; with `only`, in that one kind of
    mistake (pydantic's word); with `type`, in requests and replies of that SDK type."""

    places: tuple[str, ...]
    reason: str
    only: str = ""
    type: str = ""


_OWN_WORDS = "the handler refuses what is wrong here in Cloudflare's own words; it may know newer things"

DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(tuple(f"{part}.bindings.*{kind}" for part in PARTS for kind in ("", ".*")), _OWN_WORDS),
    Deviation(("metadata.main_module",), _OWN_WORDS + ", and a Worker of assets only has no module"),
    Deviation(
        ("settings.bindings.*.*.*",),
        "older wranglers name what stays by name and type alone, in `secret bulk`",
        only="missing",
    ),
    Deviation(
        ("metadata.bindings.*.d1.database_id",), "wrangler sends the older spelling, id", only="missing"
    ),
    Deviation(
        ("metadata.bindings.*.analytics_engine.dataset",),
        "wrangler leaves a dataset out that is named like its binding",
        only="missing",
    ),
    Deviation(("metadata.bindings.*.pipelines.pipeline",), "its newer name is stream", only="missing"),
    Deviation(("metadata.exports.*.workflow",), "a kind of export newer than the SDK"),
    Deviation(("params", "body.*.params"), "wrangler sends a workflow's parameters as they are, no string"),
    Deviation(("*",), "a PATCH names what it changes", "missing", "workers.beta.WorkerEditParams"),
    Deviation(("config.ingress.*.hostname",), "the catch-all rule of a tunnel has no host name", "missing"),
    Deviation(("config.ingress.*.service",), _OWN_WORDS, "missing"),
    Deviation(("production_branch",), "left out, it is main", "missing", "pages.ProjectCreateParams"),
    Deviation(
        ("placement.*.*",),
        "the API answers {} where there is no placement",
        "missing",
        "workers.scripts.ScriptAndVersionSettingGetResponse",
    ),
    Deviation(("alert_type",), "the handler has the catalogue, and the SDK not its two Workers alerts"),
)


def excused(place: str, kind: str, type_name: str = "", *, reply: bool = False) -> str:
    """Why what was found at `place`, a mistake of a kind, is none; "" when it is one. A reply is excused only
    by what names its type."""
    steps = tuple(place.split("."))
    types = (type_name,) if reply else ("", type_name)
    return next(
        (
            item.reason
            for pattern, item in _patterns()
            if item.only in ("", kind) and item.type in types and _matches(pattern, steps)
        ),
        "",
    )


@cache
def _patterns() -> tuple[tuple[tuple[str, ...], Deviation], ...]:
    return tuple((tuple(place.split(".")), item) for item in DEVIATIONS for place in item.places)


def _matches(pattern: Iterable[str], steps: tuple[str, ...]) -> bool:
    wanted = tuple(pattern)
    pairs = zip(wanted, steps, strict=False)
    return len(wanted) == len(steps) and all(want in ("*", step) for want, step in pairs)


BODIES: dict[str, str] = {
    "workers.scripts.ScriptAndVersionSettingEditParams": "settings",
    "workflows.instances.EventCreateParams": "body",
}
"""Types of which one field is the whole JSON body: one form part that may be sent alone, any payload."""

RAW: dict[str, str] = {
    "kv.namespaces.ValueUpdateParams": "a value may be sent as it is, and is then not JSON",
}
"""Types of forms that may also come as bare bytes: there is nothing to check then."""

_BINDINGS = ("resources.bindings", "the SDK declares bindings as a class of its own that nothing can be")

OPEN_FIELDS: dict[str, tuple[str, str]] = {
    "workers.scripts.VersionCreateResponse": _BINDINGS,
    "workers.scripts.VersionGetResponse": _BINDINGS,
    "workflows.InstanceGetResponse": ("output", "a workflow may return any JSON"),
    "alerting.Policy": ("alert_type", "the two Workers alerts are not in the SDK"),
}
"""Replies of which one field cannot be checked, by its path."""
