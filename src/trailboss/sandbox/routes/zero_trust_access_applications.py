"""Access applications of the account and of zones, with their settings.

Faithful: shapes, codes, host names that must be in a zone and are guarded once, policies by id, link or
inline. The edge refuses what a self-hosted application's policies do not let pass. Simplified: identity
logins, so that only service tokens and bypass rules let anybody in; other types are kept and guard nothing.
https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/subresources/applications/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.access_places import GUARDING, checked_places, places_of
from trailboss.sandbox.products.access_rules import (
    APPLICATION,
    POLICY,
    TAG,
    checked_policy,
    invalid,
    scope_of,
    seconds_of,
)
from trailboss.sandbox.products.access_table import CA, access_table, policies_of
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

_TYPES = "self_hosted saas ssh vnc app_launcher warp biso bookmark dash_sso infrastructure rdp mcp mcp_portal"
TYPES = frozenset([*_TYPES.split(), "proxy_endpoint"])
OURS = frozenset({"id", "aud", "created_at", "updated_at", "policies", "uid"})
"""What only the server says."""
DEFAULTS: dict[str, Any] = {
    "app_launcher_visible": True,
    "allowed_idps": [],
    "tags": [],
    "auto_redirect_to_identity": False,
    "enable_binding_cookie": False,
    "http_only_cookie_attribute": True,
    "options_preflight_bypass": False,
    "session_duration": "24h",
}
LIMIT = 500


def unknown_application() -> ApiError:
    """No application of that id."""
    return ApiError(404, 11021, "access.api.error.unknown_application")


def application_of(call: Call) -> Record:
    """The application the path names, of the account or the zone it names."""
    found = call.store.get(APPLICATION, call["app_id"])
    if found is None or found["zone"] != scope_of(call.path):
        raise unknown_application()
    return found


def shown(call: Call, app: Record) -> Record:
    """An application as the API shows it, its policies in full."""
    fields = {name: value for name, value in app.items() if name not in ("links", "zone")}
    policies = [{name: one[name] for name in one if name != "app"} for one in policies_of(call.store, app)]
    return {**fields, "policies": policies}


def write_policy(call: Call, fields: Record, app: str, present: Record | None = None) -> Record:
    """Store a policy: of one application, or, with `app` "", a reusable one."""
    now = call.clock.iso()
    record: Record = {
        "id": (present or {}).get("id") or call.ids.uuid(),
        **fields,
        "created_at": (present or {}).get("created_at") or now,
        "updated_at": now,
        "reusable": not app,
        "app": app,
    }
    return call.store.put(POLICY, record["id"], record, parent=app)


def _links(call: Call, wanted: Any, app: str) -> list[Record]:
    """The policies of an application, given as ids, links or whole policies."""
    if not isinstance(wanted, list):
        raise invalid("policies must be a list")
    links = []
    for place, item in enumerate(wanted, 1):
        given = {"id": item} if isinstance(item, str) else item
        if not isinstance(given, dict):
            raise invalid("a policy is an id, a link, or a policy")
        links.append({"id": _policy_id(call, given, app), "precedence": given.get("precedence") or place})
    if len({link["precedence"] for link in links}) < len(links):
        raise invalid("policy precedences must be unique")
    return links


def _policy_id(call: Call, given: Record, app: str) -> str:
    present = call.store.get(POLICY, str(given.get("id"))) if given.get("id") else None
    if given.get("id") and (present is None or present["app"] not in ("", app)):
        raise invalid(f"policy {given['id']} does not exist")
    if "decision" not in given:
        if present is None:
            raise invalid("policy decision is missing or invalid")
        return str(present["id"])
    if present is not None and not present["app"]:
        return str(present["id"])
    return str(write_policy(call, checked_policy(call.store, given), app, present)["id"])


def _fields(call: Call, body: Record, own: str) -> Record:
    kind = body.get("type")
    if kind not in TYPES:
        raise invalid("app type is missing or invalid")
    fields = {name: value for name, value in body.items() if name not in OURS and value is not None}
    if kind in GUARDING:
        fields = {**DEFAULTS, **fields, **checked_places(call.store, fields, scope_of(call.path), own)}
        seconds_of(fields["session_duration"])
    if kind == "infrastructure":
        _check_targets(fields.get("target_criteria"))
    missing = [tag for tag in fields.get("tags") or [] if call.store.get(TAG, str(tag)) is None]
    if missing:
        raise invalid("tags contain a tag that does not exist")
    fields.setdefault("name", fields.get("domain", ""))
    return fields


def _check_targets(criteria: Any) -> None:
    if not isinstance(criteria, list) or not criteria:
        raise invalid("target_criteria are required for infrastructure applications")
    for one in criteria:
        if not isinstance(one, dict) or one.get("protocol") != "SSH" or not isinstance(one.get("port"), int):
            raise invalid("target criteria need a port and the protocol SSH")


async def _write(call: Call, body: Record, present: Record | None) -> Record:
    own = present["id"] if present else call.ids.uuid()
    now = call.clock.iso()
    with call.store.transaction():
        fields = _fields(call, body, own)
        keeps = present is not None and "policies" not in body
        links = present["links"] if present and keeps else _links(call, body.get("policies") or [], own)
        app: Record = {
            "id": own,
            "aud": present["aud"] if present else call.ids.hex(64),
            **fields,
            "created_at": present["created_at"] if present else now,
            "updated_at": now,
            "links": links,
            "zone": scope_of(call.path),
        }
        call.store.put(APPLICATION, own, app, parent=app["zone"])
        kept = {link["id"] for link in links}
        for policy in call.store.all(POLICY, own):
            if policy["id"] not in kept:
                call.store.delete(POLICY, policy["id"])
    await call.runtime.sync()
    return app


async def list_applications(call: Call) -> Reply:
    """By name, domain, audience, or a word of them."""
    found = call.store.all(APPLICATION, scope_of(call.path))
    exact = call.flag("exact")
    for name in ("name", "domain", "aud"):
        wanted = call.query(name).lower()
        if wanted:
            found = [
                one for one in found if _fits(str(one.get(name, "")).lower(), wanted, exact or name == "aud")
            ]
    if search := call.query("search").lower():
        found = [one for one in found if search in f"{one['name']} {' '.join(places_of(one))}".lower()]
    page = call.paged(found, per_page=25)
    page.result = [shown(call, one) for one in page.result]
    return page


def _fits(text: str, wanted: str, exact: bool) -> bool:
    return text == wanted if exact else wanted in text


async def create_application(call: Call) -> Reply:
    """In force at once."""
    if call.store.count(APPLICATION) >= LIMIT:
        raise invalid("maximum number of applications has been reached")
    return Reply(shown(call, await _write(call, await call.object(), None)), status=201)


async def get_application(call: Call) -> Record:
    """One application."""
    return shown(call, application_of(call))


async def update_application(call: Call) -> Record:
    """PUT: everything anew; the policies stay when none are named."""
    present = application_of(call)
    return shown(call, await _write(call, await call.object(), present))


async def delete_application(call: Call) -> Reply:
    """Its own policies and its certificate authority go with it."""
    app = application_of(call)
    with call.store.transaction():
        call.store.delete(APPLICATION, app["id"])
        call.store.delete(CA, app["id"])
        call.store.delete_all(POLICY, app["id"])
    await call.runtime.sync()
    return Reply({"id": app["id"]}, status=202)


async def revoke_tokens(call: Call) -> Reply:
    """Sessions begun before now end."""
    app = application_of(call)
    call.store.put(APPLICATION, app["id"], {**app, "revoked_at": call.clock.iso()}, parent=app["zone"])
    await call.runtime.sync()
    return Reply({}, status=202)


async def edit_settings(call: Call) -> Record:
    """Two settings that may be changed without the rest."""
    app, body = application_of(call), await call.object()
    changed: Record = {
        name: bool(body[name]) for name in ("allow_iframe", "skip_interstitial") if name in body
    }
    app = {**app, **changed, "updated_at": call.clock.iso()}
    call.store.put(APPLICATION, app["id"], app, parent=app["zone"])
    return {name: app.get(name, False) for name in ("allow_iframe", "skip_interstitial")}


router = Router("zero_trust_access_applications")
_SDK, _REPLY = "zero_trust.access.applications", "zero_trust.access.Application"
for _root in ("A/access/apps", "Z/access/apps"):
    _one = f"{_root}/{{app_id}}"
    router.add("GET", _root, list_applications, sdk=f"{_SDK}.list", reply=f"{_REPLY}ListResponse")
    router.add(
        "POST",
        _root,
        create_application,
        sdk=f"{_SDK}.create",
        request=f"{_REPLY}CreateParams",
        reply=f"{_REPLY}CreateResponse",
    )
    router.add("GET", _one, get_application, sdk=f"{_SDK}.get", reply=f"{_REPLY}GetResponse")
    router.add(
        "PUT",
        _one,
        update_application,
        sdk=f"{_SDK}.update",
        request=f"{_REPLY}UpdateParams",
        reply=f"{_REPLY}UpdateResponse",
    )
    router.add("DELETE", _one, delete_application, sdk=f"{_SDK}.delete", reply=f"{_REPLY}DeleteResponse")
    router.add(
        "POST",
        f"{_one}/revoke_tokens",
        revoke_tokens,
        sdk=f"{_SDK}.revoke_tokens",
        unchecked="an empty object",
    )
    for _method, _verb in (("PUT", "update"), ("PATCH", "edit")):
        _setting = f"zero_trust.access.applications.Setting{_verb.capitalize()}"
        router.add(
            _method,
            f"{_one}/settings",
            edit_settings,
            sdk=f"{_SDK}.settings.{_verb}",
            request=f"{_setting}Params",
            reply=f"{_setting}Response",
        )
router.edge("access", access_table)
