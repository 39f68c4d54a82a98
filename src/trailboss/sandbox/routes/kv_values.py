"""Workers KV values, in the very storage a Worker's `kv_namespace` binding reads.

Faithful: raw and multipart writes, metadata, expiration, bulk operations in both spellings, limits and codes.
Simplified: a write is seen at once (Cloudflare: within a minute), a key may be written many times a second,
and expiration follows real time even when the sandbox's clock does not.
https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/subresources/values/
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.kv import bulk, invalid_body, keys_page, namespace_of

Record = dict[str, Any]

MAX_KEY = 512
MAX_VALUE = 25 * 1024 * 1024
MAX_METADATA = 1024
MAX_BULK_WRITE = 10_000
MAX_BULK_READ = 100
SHORTEST_TTL = 60


def key_not_found() -> ApiError:
    """No value under that key."""
    return ApiError(404, 10009, "get: 'key not found'")


def invalid_key(detail: str) -> ApiError:
    """A key Cloudflare would not store."""
    return ApiError(414 if "512" in detail else 400, 10033, f"put: '{detail}'")


def invalid_expiration(detail: str) -> ApiError:
    """An expiration in the past or too near."""
    return ApiError(400, 10034, f"Invalid expiration_ttl: {detail}")


async def list_keys(call: Call) -> Reply:
    """In order of their bytes, up to 1000; the cursor is empty at the end."""
    record = namespace_of(call)
    limit = call.number("limit", 1000)
    if not 10 <= limit <= 1000:
        raise ApiError(400, 10005, "list keys: 'invalid limit: must be between 10 and 1000'")
    params = {"prefix": call.query("prefix"), "cursor": call.query("cursor"), "limit": str(limit)}
    page = await keys_page(call, record["id"], params)
    return Reply(page["keys"], info={"count": len(page["keys"]), "cursor": page.get("cursor") or ""})


def check_key(key: str) -> str:
    """The key, if it may be one."""
    if key in {"", ".", ".."}:
        raise invalid_key("key cannot be empty, '.' or '..'")
    if len(key.encode()) > MAX_KEY:
        raise invalid_key("key too long: must be at most 512 bytes")
    return key


async def get_value(call: Call) -> Raw:
    """The bytes, without an envelope."""
    record = namespace_of(call)
    async with call.runtime.data("GET", _value_path(record, call)) as answer:
        if answer.status == 404:
            raise key_not_found()
        headers = {}
        if "x-trailboss-expiration" in answer.headers:
            headers["expiration"] = answer.headers["x-trailboss-expiration"]
        return Raw(await answer.read(), headers=headers)


async def get_metadata(call: Call) -> Any:
    """The value's metadata, null without any."""
    record = namespace_of(call)
    async with call.runtime.data("GET", _value_path(record, call)) as answer:
        if answer.status == 404:
            raise key_not_found()
        return _decoded(answer.headers.get("x-trailboss-metadata"))


def _decoded(header: str | None) -> Any:
    return None if header is None else json.loads(base64.b64decode(header))


def _value_path(record: Record, call: Call) -> str:
    return f"kv/{record['id']}/values/{quote(check_key(call['key_name']), safe='')}"


async def put_value(call: Call) -> Record:
    """Raw bytes, or a form of `value` and `metadata`."""
    record = namespace_of(call)
    value, metadata = await _value_of(call)
    headers = {}
    if metadata is not None:
        headers["x-trailboss-metadata"] = base64.b64encode(json.dumps(metadata).encode()).decode()
    params = _expiration(call, dict(call.query_pairs))
    path = _value_path(record, call)
    async with call.runtime.data("PUT", path, params=params, headers=headers, body=value) as answer:
        if answer.status >= 400:
            raise invalid_body(str((await answer.json())["error"]["message"]))
    return {}


async def _value_of(call: Call) -> tuple[bytes, Any]:
    metadata = None
    if call.is_form():
        parts = {part.name: part.data for part in await call.form()}
        if "value" not in parts:
            raise invalid_body("the form has no part named value")
        value = parts["value"]
        metadata = _json(parts["metadata"]) if parts.get("metadata") else None
    else:
        value = await call.body()
    _check_size(value, metadata)
    return value, metadata


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise invalid_body("metadata must be valid JSON") from None


def _check_size(value: bytes, metadata: Any) -> None:
    if len(value) > MAX_VALUE:
        raise ApiError(413, 10047, "put: 'value exceeds the maximum size of 25 MiB'")
    if metadata is not None and len(json.dumps(metadata).encode()) > MAX_METADATA:
        raise ApiError(413, 10046, "put: 'metadata exceeds the maximum size of 1024 bytes'")


def _expiration(call: Call, asked: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    now = call.clock.now()
    for name in ("expiration", "expiration_ttl"):
        if asked.get(name) in (None, ""):
            continue
        try:
            number = int(asked[name])
        except (TypeError, ValueError):
            raise invalid_expiration(f"{name} must be a number of seconds") from None
        if (number if name == "expiration_ttl" else number - now) < SHORTEST_TTL:
            raise invalid_expiration(f"{name} must be at least {SHORTEST_TTL} seconds in the future")
        found[name] = str(number)
    return found


async def delete_value(call: Call) -> Record:
    """Deleting what is not there is no error."""
    record = namespace_of(call)
    async with call.runtime.data("DELETE", _value_path(record, call)) as answer:
        await answer.read()
    return {}


async def put_bulk(call: Call) -> Record:
    """Up to 10,000 pairs."""
    record, pairs = namespace_of(call), await call.array()
    if len(pairs) > MAX_BULK_WRITE:
        raise invalid_body(f"at most {MAX_BULK_WRITE} keys can be written at once")
    for pair in pairs:
        if not isinstance(pair, dict) or not isinstance(pair.get("value"), str):
            raise invalid_body("every pair needs a key and a value, both strings")
        check_key(pair.get("key", ""))
        _expiration(call, pair)
        _check_size(pair["value"].encode(), pair.get("metadata"))
    await bulk(call, record["id"], {"put": pairs})
    return {"successful_key_count": len(pairs), "unsuccessful_keys": []}


async def delete_bulk(call: Call) -> Record:
    """Up to 10,000 keys; wrangler sends a DELETE with a body, the SDK a POST."""
    record, keys = namespace_of(call), await call.array()
    if len(keys) > MAX_BULK_WRITE or not all(isinstance(key, str) for key in keys):
        raise invalid_body(f"a list of at most {MAX_BULK_WRITE} keys is expected")
    await bulk(call, record["id"], {"delete": keys})
    return {"successful_key_count": len(keys), "unsuccessful_keys": []}


async def get_bulk(call: Call) -> Record:
    """Up to 100 keys; missing ones are null."""
    record, body = namespace_of(call), await call.object()
    keys = body.get("keys")
    if not isinstance(keys, list) or not keys:
        raise ApiError(400, 10029, "bulk get: 'at least one key is required'")
    if len(keys) > MAX_BULK_READ:
        raise invalid_body(f"at most {MAX_BULK_READ} keys can be read at once")
    found = await bulk(call, record["id"], {"get": keys})
    as_json, with_metadata = body.get("type") == "json", bool(body.get("withMetadata"))
    return {"values": {key: _shown(found["values"].get(key), as_json, with_metadata) for key in keys}}


def _shown(entry: Record | None, as_json: bool, with_metadata: bool) -> Any:
    if entry is None:
        return None
    value: Any = entry["value"]
    if as_json:
        try:
            value = json.loads(value)
        except ValueError:
            raise invalid_body("a value is not valid JSON") from None
    if not with_metadata:
        return value
    shape = {"value": value, "metadata": entry.get("metadata")}
    return {**shape, "expiration": entry["expiration"]} if entry.get("expiration") else shape


router = Router("kv_values")
_ONE = "A/storage/kv/namespaces/{namespace_id}"
_VALUE = f"{_ONE}/values/{{key_name:path}}"
_SDK = "kv.namespaces"
router.add("GET", f"{_ONE}/keys", list_keys, sdk=f"{_SDK}.keys.list", reply="kv.namespaces.Key")
router.add("GET", _VALUE, get_value, sdk=f"{_SDK}.values.get", unchecked="raw bytes")
router.add(
    "PUT",
    _VALUE,
    put_value,
    sdk=f"{_SDK}.values.update",
    request="kv.namespaces.ValueUpdateParams",
    reply="kv.namespaces.ValueUpdateResponse",
)
router.add(
    "DELETE",
    _VALUE,
    delete_value,
    sdk=f"{_SDK}.values.delete",
    reply="kv.namespaces.ValueDeleteResponse",
)
router.add(
    "GET",
    f"{_ONE}/metadata/{{key_name:path}}",
    get_metadata,
    sdk=f"{_SDK}.metadata.get",
    unchecked="any JSON value",
)
router.add(
    "PUT",
    f"{_ONE}/bulk",
    put_bulk,
    sdk=f"{_SDK}.bulk_update",
    request="kv.NamespaceBulkUpdateParams",
    reply="kv.NamespaceBulkUpdateResponse",
)
router.add("DELETE", f"{_ONE}/bulk", delete_bulk, unchecked="wrangler's spelling, a DELETE with a body")
router.add(
    "POST",
    f"{_ONE}/bulk/delete",
    delete_bulk,
    sdk=f"{_SDK}.bulk_delete",
    request="kv.NamespaceBulkDeleteParams",
    reply="kv.NamespaceBulkDeleteResponse",
)
router.add(
    "POST",
    f"{_ONE}/bulk/get",
    get_bulk,
    sdk=f"{_SDK}.bulk_get",
    request="kv.namespaces.KeyBulkGetParams",
    unchecked="the SDK's union has no null for a missing key",
)
