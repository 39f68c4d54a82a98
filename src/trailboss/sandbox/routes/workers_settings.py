"""Settings: those of a version (a change makes and deploys one) and those of the Worker as a whole.

https://developers.cloudflare.com/api/resources/workers/subresources/scripts/subresources/settings/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.routes import Router
from trailboss.sandbox.workers.bindings import resolve
from trailboss.sandbox.workers.model import (
    bindings_by_name,
    latest_version,
    save_script,
    script_named,
    source_of,
)
from trailboss.sandbox.workers.releases import (
    CARRIED,
    SETTINGS,
    base_version,
    check_bound,
    copy_version,
    redeploy,
)
from trailboss.sandbox.workers.shapes import settings_shape
from trailboss.sandbox.workers.upload import read_settings

VERSIONED = ("compatibility_date", "compatibility_flags", *CARRIED)


async def get_settings(call: Call) -> Any:
    """GET /workers/scripts/{n}/settings: of the newest version."""
    script = script_named(call.store, call["script_name"])
    shape = settings_shape(script, latest_version(call.store, script["name"]))
    if source_of(call) == "terraform":
        # The API answers an empty object where there is no placement. The provider reads no answer without
        # one, and the SDKs' published type knows none that is empty: each is given what it can read.
        shape.setdefault("placement", {})
    return shape


async def patch_settings(call: Call) -> Any:
    """PATCH /workers/scripts/{n}/settings: a new version, deployed, when anything versioned changes."""
    name = call["script_name"]
    script = script_named(call.store, name)
    settings = await read_settings(call)
    async with call.box.lock(f"script:{name}"):
        _change(script, settings)
        versioned = {key: settings[key] for key in VERSIONED if settings.get(key) is not None}
        if versioned or "bindings" in settings:
            version = copy_version(call, script, base_version(call, name), "upload")
            version.update(versioned)
            if "bindings" in settings:
                settings["bindings"] = named_only(settings["bindings"], version)
                version["bindings"] = resolve(call, name, settings, strict=True)
                check_bound(call, script, version)
            version["annotations"].update(settings.get("annotations") or {})
            await redeploy(call, script, version, "upload")
        else:
            save_script(call.store, script)
            await call.runtime.sync()
    return settings_shape(script, latest_version(call.store, name))


def named_only(wanted: Any, base: dict[str, Any]) -> Any:
    """Bindings of a PATCH that say only name and type stay as they are: `secret bulk` of older wranglers."""
    present = bindings_by_name(base)
    kept = []
    for binding in wanted or []:
        found = present.get(binding.get("name"), {})
        bare = set(binding) == {"name", "type"} and binding["type"] == found.get("type")
        kept.append(found if bare else binding)
    return kept


def _change(script: dict[str, Any], wanted: dict[str, Any]) -> None:
    changed = {key: wanted[key] for key in SETTINGS if key in wanted}
    script["settings"] = {**script["settings"], **changed}
    if wanted.get("usage_model"):
        script["usage_model"] = wanted["usage_model"]


async def get_script_settings(call: Call) -> Any:
    """GET /workers/scripts/{n}/script-settings."""
    return _script_settings(script_named(call.store, call["script_name"]))


async def patch_script_settings(call: Call) -> Any:
    """PATCH /workers/scripts/{n}/script-settings: logpush, tags, tail consumers, observability; no
    version."""
    script = script_named(call.store, call["script_name"])
    _change(script, await call.object())
    script["modified_on"] = call.clock.iso()
    save_script(call.store, script)
    await call.runtime.sync()
    return _script_settings(script)


def _script_settings(script: dict[str, Any]) -> dict[str, Any]:
    settings = script["settings"]
    shape = {
        "logpush": settings["logpush"],
        "observability": settings["observability"],
        "tags": settings["tags"] or [],
        "tail_consumers": settings["tail_consumers"] or [],
        "streaming_tail_consumers": settings.get("streaming_tail_consumers"),
    }
    return {key: value for key, value in shape.items() if value is not None}


router = Router("workers_settings")
_SCRIPT = "A/workers/scripts/{script_name}"
_BOTH = "workers.scripts.script_and_version_settings"
router.add(
    "GET",
    f"{_SCRIPT}/settings",
    get_settings,
    sdk=f"{_BOTH}.get",
    reply="workers.scripts.ScriptAndVersionSettingGetResponse",
)
router.add(
    "PATCH",
    f"{_SCRIPT}/settings",
    patch_settings,
    sdk=f"{_BOTH}.edit",
    request="workers.scripts.ScriptAndVersionSettingEditParams",
    reply="workers.scripts.ScriptAndVersionSettingEditResponse",
)
router.add(
    "GET",
    f"{_SCRIPT}/script-settings",
    get_script_settings,
    sdk="workers.scripts.settings.get",
    reply="workers.ScriptSetting",
)
router.add(
    "PATCH",
    f"{_SCRIPT}/script-settings",
    patch_script_settings,
    sdk="workers.scripts.settings.edit",
    request="workers.scripts.SettingEditParams",
    reply="workers.ScriptSetting",
)
