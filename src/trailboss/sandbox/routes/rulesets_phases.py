"""The entry points of phases, and the versions of rulesets. See `rulesets.py`.

https://developers.cloudflare.com/ruleset-engine/rulesets-api/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.products import ruleset_refusals as refusals
from trailboss.sandbox.products.ruleset_phases import KINDS
from trailboss.sandbox.products.ruleset_state import (
    VERSION,
    born,
    dry,
    entrypoint,
    find,
    known_phase,
    level,
    own,
    replace,
    shown,
)
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record


async def get_entrypoint(call: Call) -> Record:
    """The phase's own ruleset; 404 before the first rule."""
    phase = known_phase(call, call["ruleset_phase"])
    found = entrypoint(call, phase)
    if found is None:
        raise refusals.no_entrypoint(phase)
    return shown(found)


async def update_entrypoint(call: Call) -> Any:
    """PUT: replaces all rules of the phase; the first one makes the ruleset."""
    body, phase = await call.object(), known_phase(call, call["ruleset_phase"])
    for name in body:
        if name not in {"description", "name", "rules"}:
            raise refusals.unknown_field(name, f"/{name}")
    record = entrypoint(call, phase) or born(call, body, KINDS[level(call)][0], phase)
    return replace(call, record, body)


def _version(call: Call, record: Record) -> Record:
    wanted = call["ruleset_version"]
    if record["version"] == wanted:
        return record
    found = call.store.get(VERSION, f"{record['id']}/{wanted}")
    if found is None:
        raise refusals.no_version()
    return found


def _versions(call: Call, record: Record) -> Reply:
    kept = call.store.all(VERSION, record["id"]) or [record]
    return call.single([shown(one, rules=False) for one in kept])


def _entrypoint_of(call: Call) -> Record:
    found = entrypoint(call, known_phase(call, call["ruleset_phase"]))
    if found is None:
        raise refusals.no_entrypoint(call["ruleset_phase"])
    return found


async def list_versions(call: Call) -> Reply:
    """Oldest first, without rules."""
    return _versions(call, find(call))


async def get_version(call: Call) -> Record:
    """A ruleset as it was."""
    return shown(_version(call, find(call)))


async def delete_version(call: Call) -> Raw:
    """An old version; the latest stays."""
    record = own(call)
    old = _version(call, record)
    if old["version"] == record["version"]:
        raise refusals.last_version()
    if not dry(call):
        call.store.delete(VERSION, f"{old['id']}/{old['version']}")
    return Raw(status=204, content_type="")


async def list_entrypoint_versions(call: Call) -> Reply:
    """Of the phase's own ruleset."""
    return _versions(call, _entrypoint_of(call))


async def get_entrypoint_version(call: Call) -> Record:
    """The phase's own ruleset as it was."""
    return shown(_version(call, _entrypoint_of(call)))


router = Router("rulesets_phases")
_TYPE, _VERSION = "rulesets.", "versions/{ruleset_version}"
for _root in ("A/rulesets", "Z/rulesets"):
    _PHASE, _ONE = f"{_root}/phases/{{ruleset_phase}}/entrypoint", f"{_root}/{{ruleset_id}}"
    router.add("GET", _PHASE, get_entrypoint, sdk="rulesets.phases.get", reply=f"{_TYPE}PhaseGetResponse")
    router.add(
        "PUT",
        _PHASE,
        update_entrypoint,
        sdk="rulesets.phases.update",
        request=f"{_TYPE}PhaseUpdateParams",
        reply=f"{_TYPE}PhaseGetResponse",
    )
    for _where, _sdk, _types, _list, _get in (
        (_PHASE, "rulesets.phases", f"{_TYPE}phases.", list_entrypoint_versions, get_entrypoint_version),
        (_ONE, "rulesets", _TYPE, list_versions, get_version),
    ):
        _reply = f"{_types}VersionListResponse"
        router.add("GET", f"{_where}/versions", _list, sdk=f"{_sdk}.versions.list", reply=_reply)
        _reply = f"{_types}VersionGetResponse"
        router.add("GET", f"{_where}/{_VERSION}", _get, sdk=f"{_sdk}.versions.get", reply=_reply)
    router.add("DELETE", f"{_ONE}/{_VERSION}", delete_version, sdk="rulesets.versions.delete", reply="None")
