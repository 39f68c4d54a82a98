"""What is configured for an R2 bucket: lifecycle, CORS, locks, Sippy, local uploads, domains.

Faithful: shapes and codes; locks refuse deleting and overwriting. Simplified: lifecycle rules, CORS and
domains are kept and answered, not enforced; nothing serves the domains.
https://developers.cloudflare.com/api/resources/r2/subresources/buckets/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.r2 import bucket_of, data_of

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record, Store

DOCUMENT, DOMAIN = "r2_document", "r2_domain"
MAX_RULES = 1000

Handler = Callable[[Call], Awaitable[Any]]


def no_cors() -> ApiError:
    """The bucket has no CORS configuration."""
    return ApiError(404, 10059, "The CORS configuration does not exist.")


def object_locked() -> ApiError:
    """A lock rule keeps the object."""
    return ApiError(409, 10069, "The object is locked by the bucket's lock policy.")


def domain_not_found() -> ApiError:
    """The domain is not one of the bucket's."""
    return ApiError(404, 10011, "The specified custom domain does not exist.")


def _key(record: Record, name: str) -> str:
    return f"{data_of(record)}/{name}"


def document(store: Store, record: Record, name: str) -> Record | None:
    """A stored configuration of a bucket."""
    return store.get(DOCUMENT, _key(record, name))


def _reader(name: str, default: Record | None) -> Handler:
    async def get_document(call: Call) -> Record:
        found = document(call.store, bucket_of(call), name) or default
        if found is None:
            raise no_cors()
        return found

    get_document.__name__ = f"get_{name.replace('-', '_')}"
    return get_document


def _writer(name: str) -> Handler:
    async def put_document(call: Call) -> Record:
        record, body = bucket_of(call), await call.object()
        _check_rules(body.get("rules", []))
        call.store.put(DOCUMENT, _key(record, name), body, parent=data_of(record))
        return {}

    put_document.__name__ = f"put_{name.replace('-', '_')}"
    return put_document


def _remover(name: str) -> Handler:
    async def delete_document(call: Call) -> Record:
        call.store.delete(DOCUMENT, _key(bucket_of(call), name))
        return {}

    delete_document.__name__ = f"delete_{name.replace('-', '_')}"
    return delete_document


def _check_rules(rules: Any) -> None:
    if not isinstance(rules, list) or len(rules) > MAX_RULES:
        raise bad_request(f"rules must be a list of at most {MAX_RULES}", 10040)
    if not all(isinstance(rule, dict) for rule in rules):
        raise bad_request("every rule must be an object", 10040)
    names = [rule["id"] for rule in rules if "id" in rule]
    if len(names) != len(set(names)):
        raise bad_request("rule ids must be unique", 10040)


def check_lock(store: Store, record: Record, key: str, uploaded: str, now: float) -> None:
    """Refuse to touch an object that a lock rule keeps.

    Raises:
        ApiError: 10069.
    """
    for rule in (document(store, record, "lock") or {}).get("rules", []):
        if rule.get("enabled", True) and key.startswith(rule.get("prefix") or ""):
            condition = rule.get("condition") or {}
            if _locked(condition, datetime.fromisoformat(uploaded.replace("Z", "+00:00")), now):
                raise object_locked()


def _locked(condition: Record, uploaded: datetime, now: float) -> bool:
    if condition.get("type") == "Age":
        return now < uploaded.timestamp() + float(condition.get("maxAgeSeconds", 0))
    if condition.get("type") == "Date":
        return now < datetime.fromisoformat(str(condition["date"]).replace("Z", "+00:00")).timestamp()
    return True


async def list_domains(call: Call) -> Record:
    """The bucket's custom domains."""
    return {"domains": call.store.all(DOMAIN, data_of(bucket_of(call)))}


async def add_domain(call: Call) -> Record:
    """A host name of one of the account's zones."""
    record, body = bucket_of(call), await call.object()
    name, zone = str(body.get("domain", "")), call.store.get("zone", str(body.get("zoneId", "")))
    if not name or zone is None or not f".{name}".endswith(f".{zone['name']}"):
        raise bad_request("domain must belong to the zone given as zoneId", 10040)
    enabled = bool(body.get("enabled", True))
    made = {
        "domain": name,
        "enabled": enabled,
        "status": {"ownership": "active", "ssl": "active"},
        "zoneId": zone["id"],
        "zoneName": zone["name"],
        **{name: body[name] for name in ("minTLS", "ciphers") if body.get(name)},
    }
    return call.store.put(DOMAIN, _key(record, name), made, parent=data_of(record))


def _domain_of(call: Call) -> tuple[Record, Record]:
    record = bucket_of(call)
    found = call.store.get(DOMAIN, _key(record, call["domain"]))
    if found is None:
        raise domain_not_found()
    return record, found


async def get_domain(call: Call) -> Record:
    """One custom domain."""
    return _domain_of(call)[1]


async def update_domain(call: Call) -> Record:
    """Switch it on or off, set the least TLS version."""
    (record, found), body = _domain_of(call), await call.object()
    changed = {name: body[name] for name in ("enabled", "minTLS", "ciphers") if body.get(name) is not None}
    key = _key(record, found["domain"])
    return call.store.put(DOMAIN, key, {**found, **changed}, parent=data_of(record))


async def delete_domain(call: Call) -> Record:
    """Detach it."""
    record, found = _domain_of(call)
    call.store.delete(DOMAIN, _key(record, found["domain"]))
    return {"domain": found["domain"]}


def _managed(call: Call, record: Record) -> Record:
    kept = document(call.store, record, "managed") or {"bucketId": call.ids.hex(), "enabled": False}
    return {**kept, "domain": f"pub-{kept['bucketId']}.r2.dev"}


async def get_managed(call: Call) -> Record:
    """The r2.dev address."""
    record = bucket_of(call)
    found = _managed(call, record)
    call.store.put(DOCUMENT, _key(record, "managed"), found, parent=data_of(record))
    return found


async def put_managed(call: Call) -> Record:
    """Switch the r2.dev address on or off."""
    record, body = bucket_of(call), await call.object()
    found = {**_managed(call, record), "enabled": bool(body.get("enabled"))}
    return call.store.put(DOCUMENT, _key(record, "managed"), found, parent=data_of(record))


router = Router("r2_settings")
_ONE, _SDK, _TYPES = "A/r2/buckets/{bucket_name}", "r2.buckets", "r2.buckets"
for _name, _default, _removable in (
    ("lifecycle", {"rules": []}, False),
    ("cors", None, True),
    ("lock", {"rules": []}, False),
    ("sippy", {"enabled": False}, True),
):
    _type = {"cors": "CORS"}.get(_name, _name.capitalize())
    _method = "locks" if _name == "lock" else _name
    _get, _put = f"{_SDK}.{_method}.get", f"{_SDK}.{_method}.update"
    router.add(
        "GET",
        f"{_ONE}/{_name}",
        _reader(_name, _default),
        sdk=_get,
        reply=f"{_TYPES}.{_type}GetResponse" if _name != "sippy" else "r2.buckets.Sippy",
    )
    router.add(
        "PUT",
        f"{_ONE}/{_name}",
        _writer(_name),
        sdk=_put,
        request=f"{_TYPES}.{_type}UpdateParams",
        unchecked="answers an empty object",
    )
    if _removable:
        router.add(
            "DELETE",
            f"{_ONE}/{_name}",
            _remover(_name),
            sdk=f"{_SDK}.{_name}.delete",
            unchecked="answers an empty object",
        )
_WHY = "not in the SDK; wrangler asks"
router.add("GET", f"{_ONE}/local-uploads", _reader("local-uploads", {"enabled": False}), unchecked=_WHY)
router.add("PUT", f"{_ONE}/local-uploads", _writer("local-uploads"), unchecked=_WHY)
_CUSTOM, _EACH = f"{_ONE}/domains/custom", f"{_ONE}/domains/custom/{{domain}}"
_DOMAINS = f"{_SDK}.domains"
_DOMAIN_TYPES = "r2.buckets.domains"
router.add(
    "GET", _CUSTOM, list_domains, sdk=f"{_DOMAINS}.custom.list", reply=f"{_DOMAIN_TYPES}.CustomListResponse"
)
router.add(
    "POST",
    _CUSTOM,
    add_domain,
    sdk=f"{_DOMAINS}.custom.create",
    request=f"{_DOMAIN_TYPES}.CustomCreateParams",
    reply=f"{_DOMAIN_TYPES}.CustomCreateResponse",
)
router.add("GET", _EACH, get_domain, sdk=f"{_DOMAINS}.custom.get", reply=f"{_DOMAIN_TYPES}.CustomGetResponse")
router.add(
    "PUT",
    _EACH,
    update_domain,
    sdk=f"{_DOMAINS}.custom.update",
    request=f"{_DOMAIN_TYPES}.CustomUpdateParams",
    reply=f"{_DOMAIN_TYPES}.CustomUpdateResponse",
)
router.add(
    "DELETE",
    _EACH,
    delete_domain,
    sdk=f"{_DOMAINS}.custom.delete",
    reply=f"{_DOMAIN_TYPES}.CustomDeleteResponse",
)
_DEV = f"{_ONE}/domains/managed"
router.add(
    "GET", _DEV, get_managed, sdk=f"{_DOMAINS}.managed.list", reply=f"{_DOMAIN_TYPES}.ManagedListResponse"
)
router.add(
    "PUT",
    _DEV,
    put_managed,
    sdk=f"{_DOMAINS}.managed.update",
    request=f"{_DOMAIN_TYPES}.ManagedUpdateParams",
    reply=f"{_DOMAIN_TYPES}.ManagedUpdateResponse",
)
