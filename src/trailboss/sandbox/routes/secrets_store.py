"""Secrets Store: stores and their secrets, which Workers read through `secrets_store_secret` bindings.

Faithful: shapes, codes, values that are never shown, secrets counted over the account. Simplified: a secret
is active at once; there may be several stores (the beta allows one).
https://developers.cloudflare.com/api/resources/secrets_store/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record, Store

STORE, SECRET = "secrets_store", "secrets_store_secret"
SCOPES = frozenset({"workers", "ai_gateway", "dex", "access", "containers", "websearch"})
MAX_SECRETS = 100
MAX_VALUE = 65_536


def refused(code: int, reason: str, status: int = 400) -> ApiError:
    """The product's errors are words with underscores."""
    return ApiError(status, code, reason)


def store_not_found() -> ApiError:
    """No store of that id."""
    return refused(1001, "store_not_found", 404)


def secret_not_found() -> ApiError:
    """No secret of that id in the store."""
    return refused(1001, "secret_not_found", 404)


def _store_of(call: Call) -> Record:
    found = call.store.get(STORE, call["store_id"])
    if found is None:
        raise store_not_found()
    return found


def _secret_of(call: Call) -> Record:
    store = _store_of(call)
    found = call.store.get(SECRET, call["secret_id"])
    if found is None or found["store_id"] != store["id"]:
        raise secret_not_found()
    return found


def _shown(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "value"}


def _scopes(asked: Any) -> list[str]:
    if not isinstance(asked, list) or not asked:
        raise refused(1001, "secret_scopes_empty")
    if not set(asked) <= SCOPES:
        raise refused(1001, "secret_scope_invalid")
    return asked


def _value(asked: Any) -> str:
    if not isinstance(asked, str) or not asked or len(asked.encode()) > MAX_VALUE:
        raise refused(1001, "secret_value_invalid")
    return asked


async def list_stores(call: Call) -> Reply:
    """All of them."""
    return call.paged_records(STORE)


async def create_store(call: Call) -> Record:
    """Names are unique in the account."""
    name = (await call.object()).get("name")
    if not isinstance(name, str) or not name:
        raise refused(1001, "store_name_empty")
    if call.store.find(STORE, name=name) is not None:
        raise refused(1003, "store_name_already_exists", 409)
    now = call.clock.iso()
    record = {
        "id": call.ids.hex(),
        "name": name,
        "created": now,
        "modified": now,
        "account_id": call.account,
    }
    return call.store.put(STORE, record["id"], record)


async def get_store(call: Call) -> Record:
    """One store."""
    return _store_of(call)


async def delete_store(call: Call) -> Record:
    """Its secrets go with it."""
    record = _store_of(call)
    with call.store.transaction():
        call.store.delete(STORE, record["id"])
        call.store.delete_all(SECRET, record["id"])
    return record


async def list_secrets(call: Call) -> Reply:
    """Without values, by part of the name."""
    part = call.query("search")
    found = [one for one in call.store.all(SECRET, _store_of(call)["id"]) if part in one["name"]]
    return call.paged([_shown(one) for one in found])


async def create_secrets(call: Call) -> list[Record]:
    """Several at once, all or none."""
    store = _store_of(call)
    with call.store.transaction():
        made = [_make(call, store, one) for one in await call.array()]
    await call.runtime.sync()
    return [_shown(one) for one in made]


def _make(call: Call, store: Record, asked: Any) -> Record:
    name = asked.get("name") if isinstance(asked, dict) else None
    if not isinstance(name, str) or not name:
        raise refused(1001, "secret_name_empty")
    present = call.store.all(SECRET, store["id"])
    if any(one["name"] == name for one in present):
        raise refused(1003, "secret_name_already_exists", 409)
    if call.store.count(SECRET) >= MAX_SECRETS:
        raise refused(1003, "maximum_secrets_exceeded")
    now = call.clock.iso()
    record = {
        "id": call.ids.hex(),
        "store_id": store["id"],
        "name": name,
        "comment": asked.get("comment") or "",
        "scopes": _scopes(asked.get("scopes")),
        "created": now,
        "modified": now,
        "status": "active",
        "value": _value(asked.get("value")),
    }
    return call.store.put(SECRET, record["id"], record, parent=store["id"])


async def get_secret(call: Call) -> Record:
    """One secret, without its value."""
    return _shown(_secret_of(call))


async def edit_secret(call: Call) -> Record:
    """A new value, scopes or comment."""
    record, body = _secret_of(call), await call.object()
    if body.get("value") is not None:
        record["value"] = _value(body["value"])
    if body.get("scopes") is not None:
        record["scopes"] = _scopes(body["scopes"])
    if body.get("comment") is not None:
        record["comment"] = body["comment"]
    record["modified"] = call.clock.iso()
    call.store.put(SECRET, record["id"], record, parent=record["store_id"])
    await call.runtime.sync()
    return _shown(record)


async def delete_secret(call: Call) -> Record:
    """Gone."""
    record = _secret_of(call)
    call.store.delete(SECRET, record["id"])
    await call.runtime.sync()
    return _shown(record)


async def delete_secrets(call: Call) -> Reply:
    """Several, given as [{id}]."""
    store = _store_of(call)
    wanted = {one.get("id") for one in await call.array() if isinstance(one, dict)}
    gone = [one for one in call.store.all(SECRET, store["id"]) if one["id"] in wanted]
    for record in gone:
        call.store.delete(SECRET, record["id"])
    await call.runtime.sync()
    return call.paged([_shown(one) for one in gone])


async def duplicate_secret(call: Call) -> Record:
    """The same value under another name."""
    record, body, store = _secret_of(call), await call.object(), _store_of(call)
    return _shown(_make(call, store, {**body, "value": record["value"]}))


async def get_quota(call: Call) -> Record:
    """How many secrets there are and may be."""
    return {"secrets": {"quota": MAX_SECRETS, "usage": call.store.count(SECRET)}}


def _bound(store: Store, binding: Record) -> Record | None:
    secrets = store.all(SECRET, str(binding.get("store_id", "")))
    return next((one for one in secrets if one["name"] == binding.get("secret_name")), None)


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a secret that exists and is meant for Workers."""
    found = _bound(store, binding)
    if found is not None and "workers" in found["scopes"]:
        return None
    return ApiError(400, 10182, f"Secret '{binding.get('secret_name')}' not found in the secrets store.")


def complete_binding(store: Store, binding: Record) -> Record:
    """The runtime needs the value."""
    found = _bound(store, binding)
    return {**binding, "value": found["value"]} if found else binding


router = Router("secrets_store")
_ROOT, _ONE = "A/secrets_store/stores", "A/secrets_store/stores/{store_id}"
_ALL, _EACH = f"{_ONE}/secrets", f"{_ONE}/secrets/{{secret_id}}"
_SDK, _TYPE = "secrets_store.stores", "secrets_store.stores.Secret"
router.add("GET", _ROOT, list_stores, sdk=f"{_SDK}.list", reply="secrets_store.StoreListResponse")
router.add(
    "POST",
    _ROOT,
    create_store,
    sdk=f"{_SDK}.create",
    request="secrets_store.StoreCreateParams",
    reply="secrets_store.StoreCreateResponse",
)
router.add("GET", _ONE, get_store, sdk=f"{_SDK}.get", reply="secrets_store.StoreGetResponse")
router.add("DELETE", _ONE, delete_store, sdk=f"{_SDK}.delete", unchecked="any object")
router.add("GET", _ALL, list_secrets, sdk=f"{_SDK}.secrets.list", reply=f"{_TYPE}ListResponse")
router.add(
    "POST",
    _ALL,
    create_secrets,
    sdk=f"{_SDK}.secrets.create",
    request=f"{_TYPE}CreateParams",
    reply=f"{_TYPE}CreateResponse",
)
router.add(
    "DELETE", _ALL, delete_secrets, sdk=f"{_SDK}.secrets.bulk_delete", unchecked="the SDK sends no list"
)
router.add("GET", _EACH, get_secret, sdk=f"{_SDK}.secrets.get", reply=f"{_TYPE}GetResponse")
router.add(
    "PATCH",
    _EACH,
    edit_secret,
    sdk=f"{_SDK}.secrets.edit",
    request=f"{_TYPE}EditParams",
    reply=f"{_TYPE}EditResponse",
)
router.add("DELETE", _EACH, delete_secret, sdk=f"{_SDK}.secrets.delete", unchecked="any object")
router.add(
    "POST",
    f"{_EACH}/duplicate",
    duplicate_secret,
    sdk=f"{_SDK}.secrets.duplicate",
    request=f"{_TYPE}DuplicateParams",
    reply=f"{_TYPE}DuplicateResponse",
)
router.add(
    "GET",
    "A/secrets_store/quota",
    get_quota,
    sdk="secrets_store.quota.get",
    reply="secrets_store.QuotaGetResponse",
)
router.target("secrets_store_secret", check_binding)
router.enrich("secrets_store_secret", complete_binding)
