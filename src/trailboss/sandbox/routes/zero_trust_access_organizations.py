"""What surrounds Access: the organization with its team domain, identity providers, tags, signing keys.

Faithful: shapes, tags that applications may carry, one one-time-PIN provider. Simplified: the account has an
organization from the start; providers are kept, and nobody can log in with them.
https://developers.cloudflare.com/api/resources/zero_trust/subresources/organizations/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.access_rules import (
    APPLICATION,
    PROVIDER,
    TAG,
    conflict,
    in_use,
    invalid,
    not_found,
    scope_of,
    seconds_of,
)
from trailboss.sandbox.products.access_table import KEYS, ORGANIZATION, moment_of, organization
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

SUFFIX = ".cloudflareaccess.com"
_PROVIDERS = (
    "onetimepin azureAD saml centrify facebook github google-apps google linkedin oidc okta onelogin pingone"
)
PROVIDERS = frozenset([*_PROVIDERS.split(), "yandex", "cloudflare"])
SINGLE = frozenset({"onetimepin", "cloudflare"})
DAY = 86400.0


async def get_organization(call: Call) -> Record:
    """The account's, or a zone's own."""
    return organization(call.box, scope_of(call.path))


async def _write_organization(call: Call, present: Record, body: Record) -> Record:
    domain = body.get("auth_domain", present["auth_domain"])
    if not str(domain).endswith(SUFFIX) or len(str(domain)) <= len(SUFFIX):
        raise invalid(f"auth_domain must end in {SUFFIX}")
    if "session_duration" in body:
        seconds_of(body["session_duration"])
    record = {**present, **body, "updated_at": call.clock.iso()}
    record.setdefault("created_at", record["updated_at"])
    call.store.put(ORGANIZATION, scope_of(call.path) or "account", record)
    await call.runtime.sync()
    return record


async def create_organization(call: Call) -> Reply:
    """A zone may have one of its own; the account's is there already."""
    if not scope_of(call.path) or call.store.get(ORGANIZATION, scope_of(call.path)) is not None:
        raise conflict("an organization already exists")
    present = organization(call.box, scope_of(call.path))
    return Reply(await _write_organization(call, present, await call.object()), status=201)


async def update_organization(call: Call) -> Record:
    """What is not named stays."""
    return await _write_organization(call, await get_organization(call), await call.object())


async def revoke_user(call: Call) -> bool:
    """A user's sessions end; there are none."""
    if not (await call.object()).get("email"):
        raise invalid("email is required")
    return True


def _provider_of(call: Call) -> Record:
    found = call.store.get(PROVIDER, call["identity_provider_id"])
    if found is None or found["zone"] != scope_of(call.path):
        raise not_found()
    return found


def _shown(provider: Record) -> Record:
    config = {name: value for name, value in provider["config"].items() if name != "client_secret"}
    return {**{name: value for name, value in provider.items() if name != "zone"}, "config": config}


async def _write_provider(call: Call, present: Record | None) -> Record:
    body = await call.object()
    kind, scope = body.get("type"), scope_of(call.path)
    if kind not in PROVIDERS:
        raise invalid("identity provider type is missing or invalid")
    if not isinstance(body.get("name"), str):
        raise invalid("identity provider name is required")
    alike = [one for one in call.store.all(PROVIDER, scope) if one["type"] == kind]
    if kind in SINGLE and any(present is None or one["id"] != present["id"] for one in alike):
        raise conflict(f"a {kind} identity provider already exists")
    record: Record = {
        "id": present["id"] if present else call.ids.uuid(),
        "type": kind,
        "name": body["name"],
        "config": {**((present or {}).get("config") or {}), **(body.get("config") or {})},
        "scim_config": body.get("scim_config") or {"enabled": False},
        "zone": scope,
    }
    return _shown(call.store.put(PROVIDER, record["id"], record, parent=scope))


async def list_providers(call: Call) -> Reply:
    """All of them, without secrets."""
    return call.paged([_shown(one) for one in call.store.all(PROVIDER, scope_of(call.path))], per_page=25)


async def create_provider(call: Call) -> Reply:
    """Kept; nobody is asked."""
    return Reply(await _write_provider(call, None), status=201)


async def get_provider(call: Call) -> Record:
    """One provider."""
    return _shown(_provider_of(call))


async def update_provider(call: Call) -> Record:
    """Everything anew; a secret that is not named stays."""
    return await _write_provider(call, _provider_of(call))


async def delete_provider(call: Call) -> Reply:
    """Not while a policy or a group names it."""
    provider = _provider_of(call)
    if in_use(call.store, "login_method", provider["id"]):
        raise invalid("identity provider is used by one or more policies or groups")
    call.store.delete(PROVIDER, provider["id"])
    return Reply({"id": provider["id"]}, status=202)


def _tag_of(call: Call) -> Record:
    found = call.store.get(TAG, call["tag_name"])
    if found is None:
        raise not_found()
    return found


def _counted(call: Call, tag: Record) -> Record:
    apps = [app for app in call.store.all(APPLICATION) if tag["name"] in (app.get("tags") or [])]
    return {**tag, "app_count": len(apps)}


def _check_tag(call: Call, name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise invalid("tag name is required")
    if call.store.get(TAG, name) is not None:
        raise conflict("a tag with this name already exists")
    return name


async def list_tags(call: Call) -> Reply:
    """With the number of applications that carry each."""
    return call.paged([_counted(call, one) for one in call.store.all(TAG)], per_page=25)


async def create_tag(call: Call) -> Reply:
    """Names are unique."""
    name, now = _check_tag(call, (await call.object()).get("name")), call.clock.iso()
    tag = call.store.put(TAG, name, {"name": name, "created_at": now, "updated_at": now})
    return Reply(_counted(call, tag), status=201)


async def get_tag(call: Call) -> Record:
    """One tag."""
    return _counted(call, _tag_of(call))


async def update_tag(call: Call) -> Record:
    """Another name, also where it is carried."""
    tag, wanted = _tag_of(call), (await call.object()).get("name")
    if wanted == tag["name"]:
        return _counted(call, tag)
    name = _check_tag(call, wanted)
    with call.store.transaction():
        call.store.delete(TAG, tag["name"])
        call.store.put(TAG, name, {**tag, "name": name, "updated_at": call.clock.iso()})
        for app in call.store.all(APPLICATION):
            if tag["name"] in (app.get("tags") or []):
                tags = [name if one == tag["name"] else one for one in app["tags"]]
                call.store.put(APPLICATION, app["id"], {**app, "tags": tags}, parent=app["zone"])
    return _counted(call, {**tag, "name": name})


async def delete_tag(call: Call) -> Reply:
    """Not while an application carries it."""
    tag = _counted(call, _tag_of(call))
    if tag["app_count"]:
        raise invalid("tag is used by one or more applications")
    call.store.delete(TAG, tag["name"])
    return Reply({"name": tag["name"]}, status=202)


def _keys(call: Call) -> Record:
    return call.store.get(KEYS, "keys") or {
        "key_rotation_interval_days": 90,
        "last_key_rotation_at": call.clock.iso(0),
    }


def _due(call: Call, keys: Record) -> Record:
    due = moment_of(keys["last_key_rotation_at"]) + keys["key_rotation_interval_days"] * DAY
    return {**keys, "days_until_next_rotation": max(0, round((due - call.clock.now()) / DAY))}


async def get_keys(call: Call) -> Record:
    """How often the keys that sign Access's tokens change."""
    return _due(call, _keys(call))


async def update_keys(call: Call) -> Record:
    """Every so many days, 21 to 365."""
    days = (await call.object()).get("key_rotation_interval_days")
    if not isinstance(days, int | float) or not 21 <= days <= 365:
        raise invalid("key_rotation_interval_days must be between 21 and 365")
    return _due(call, call.store.put(KEYS, "keys", {**_keys(call), "key_rotation_interval_days": days}))


async def rotate_keys(call: Call) -> Record:
    """New keys now: what the old ones signed is not taken any more."""
    keys = call.store.put(KEYS, "keys", {**_keys(call), "last_key_rotation_at": call.clock.iso()})
    await call.runtime.sync()
    return _due(call, keys)


router = Router("zero_trust_access_organizations")
_ORG, _IDP, _ACCESS = "zero_trust.organizations", "zero_trust.identity_providers", "zero_trust.access"
for _scope in ("A", "Z"):
    _root, _type = f"{_scope}/access/organizations", "zero_trust.Organization"
    router.add("GET", _root, get_organization, sdk=f"{_ORG}.list", reply=f"{_type}ListResponse")
    router.add(
        "POST",
        _root,
        create_organization,
        sdk=f"{_ORG}.create",
        request=f"{_type}CreateParams",
        reply=_type,
    )
    router.add(
        "PUT", _root, update_organization, sdk=f"{_ORG}.update", request=f"{_type}UpdateParams", reply=_type
    )
    router.add(
        "POST",
        f"{_root}/revoke_user",
        revoke_user,
        sdk=f"{_ORG}.revoke_users",
        request=f"{_type}RevokeUsersParams",
        unchecked="true",
    )
    _root, _type = f"{_scope}/access/identity_providers", "zero_trust.IdentityProvider"
    _one = f"{_root}/{{identity_provider_id}}"
    router.add("GET", _root, list_providers, sdk=f"{_IDP}.list", reply=f"{_type}ListResponse")
    router.add(
        "POST", _root, create_provider, sdk=f"{_IDP}.create", request=f"{_type}CreateParams", reply=_type
    )
    router.add("GET", _one, get_provider, sdk=f"{_IDP}.get", reply=_type)
    router.add(
        "PUT", _one, update_provider, sdk=f"{_IDP}.update", request=f"{_type}UpdateParams", reply=_type
    )
    router.add("DELETE", _one, delete_provider, sdk=f"{_IDP}.delete", reply=f"{_type}DeleteResponse")
_TAGS, _TAG_OF, _TYPE = "A/access/tags", "A/access/tags/{tag_name}", f"{_ACCESS}.Tag"
router.add("GET", _TAGS, list_tags, sdk=f"{_ACCESS}.tags.list", reply=_TYPE)
router.add(
    "POST", _TAGS, create_tag, sdk=f"{_ACCESS}.tags.create", request=f"{_TYPE}CreateParams", reply=_TYPE
)
router.add("GET", _TAG_OF, get_tag, sdk=f"{_ACCESS}.tags.get", reply=_TYPE)
router.add(
    "PUT", _TAG_OF, update_tag, sdk=f"{_ACCESS}.tags.update", request=f"{_TYPE}UpdateParams", reply=_TYPE
)
router.add("DELETE", _TAG_OF, delete_tag, sdk=f"{_ACCESS}.tags.delete", reply=f"{_TYPE}DeleteResponse")
_KEYS, _TYPE = "A/access/keys", f"{_ACCESS}.Key"
router.add("GET", _KEYS, get_keys, sdk=f"{_ACCESS}.keys.get", reply=f"{_TYPE}GetResponse")
router.add(
    "PUT",
    _KEYS,
    update_keys,
    sdk=f"{_ACCESS}.keys.update",
    request=f"{_TYPE}UpdateParams",
    reply=f"{_TYPE}UpdateResponse",
)
router.add(
    "POST", f"{_KEYS}/rotate", rotate_keys, sdk=f"{_ACCESS}.keys.rotate", reply=f"{_TYPE}RotateResponse"
)
