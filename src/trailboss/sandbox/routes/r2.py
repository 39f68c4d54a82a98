"""R2 buckets: create, find, delete, metrics, temporary credentials.

Faithful: shapes, codes, one name per jurisdiction, only an empty bucket can be deleted. Simplified: one
location; every object is kept as Standard.
https://developers.cloudflare.com/api/resources/r2/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

KIND = "r2_bucket"
JURISDICTIONS = frozenset({"default", "eu", "us", "fedramp", "fedramp-high"})
CLASSES = frozenset({"Standard", "InfrequentAccess"})
PERMISSIONS = frozenset({"admin-read-write", "admin-read-only", "object-read-write", "object-read-only"})
LONGEST_CREDENTIAL = 604_800


def no_such_bucket() -> ApiError:
    """No bucket of that name in that jurisdiction."""
    return ApiError(404, 10006, "The specified bucket does not exist.")


def bucket_exists() -> ApiError:
    """The name is taken."""
    return ApiError(409, 10004, "The bucket you tried to create already exists, and you own it.")


def bucket_not_empty() -> ApiError:
    """Objects are in the way of deleting."""
    return ApiError(409, 10008, "The bucket you tried to delete is not empty (account).")


def invalid_bucket_name() -> ApiError:
    """A name R2 would not take."""
    return ApiError(400, 10005, "The specified bucket name is not valid.")


def jurisdiction_of(call: Call) -> str:
    """The jurisdiction the request is about."""
    value = call.headers.get("cf-r2-jurisdiction", "default").lower()
    if value not in JURISDICTIONS:
        raise bad_request(f"unknown jurisdiction {value!r}", 10040)
    return value


def find_bucket(store: Store, name: str, jurisdiction: str = "default") -> Record | None:
    """The bucket, if there is one."""
    return store.get(KIND, data_name(name, jurisdiction))


def bucket_of(call: Call) -> Record:
    """The bucket the path and the jurisdiction header name."""
    found = find_bucket(call.store, call["bucket_name"], jurisdiction_of(call))
    if found is None:
        raise no_such_bucket()
    return found


def data_name(name: str, jurisdiction: str) -> str:
    """What the runtime calls the bucket: jurisdictions have name spaces of their own."""
    return name if jurisdiction == "default" else f"{name}.{jurisdiction}"


def data_of(record: Record) -> str:
    """The runtime's name for a bucket's record."""
    return data_name(record["name"], record["jurisdiction"])


def make_bucket(box: Box, name: Any, jurisdiction: str = "default", **fields: Any) -> Record:
    """A new bucket, its name checked."""
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name):
        raise invalid_bucket_name()
    if find_bucket(box.store, name, jurisdiction) is not None:
        raise bucket_exists()
    record: Record = {
        "name": name,
        "creation_date": box.clock.iso(),
        "location": str(fields.get("location") or "weur").lower(),
        "storage_class": fields.get("storage_class") or "Standard",
        "jurisdiction": jurisdiction,
    }
    return box.store.put(KIND, data_of(record), record)


async def list_buckets(call: Call) -> Reply:
    """Of one jurisdiction, in order of names."""
    where = jurisdiction_of(call)
    part, after = call.query("name_contains"), call.query("cursor") or call.query("start_after")
    found = [one for one in call.store.all(KIND) if one["jurisdiction"] == where and part in one["name"]]
    found.sort(key=lambda one: one["name"], reverse=call.query("direction") == "desc")
    if after:
        found = [one for one in found if (one["name"] > after) != (call.query("direction") == "desc")]
        found = [one for one in found if one["name"] != after]
    size = call.number("per_page", 20, 1, 1000)
    page = found[:size]
    info: dict[str, Any] = {"per_page": size}
    if len(found) > size:
        info["cursor"] = page[-1]["name"]
    return Reply({"buckets": page}, info=info)


async def create_bucket(call: Call) -> Record:
    """Names are unique in the account and jurisdiction."""
    body = await call.object()
    storage_class = body.get("storageClass") or "Standard"
    if storage_class not in CLASSES:
        raise bad_request("storageClass must be Standard or InfrequentAccess", 10062)
    record = make_bucket(
        call.box,
        body.get("name"),
        jurisdiction_of(call),
        location=body.get("locationHint"),
        storage_class=storage_class,
    )
    await call.begin_storage(KIND)
    return record


async def get_bucket(call: Call) -> Record:
    """One bucket."""
    return bucket_of(call)


async def update_bucket(call: Call) -> Record:
    """The default storage class, given in a header."""
    record = bucket_of(call)
    storage_class = call.headers.get("cf-r2-storage-class")
    if storage_class not in CLASSES:
        raise bad_request("cf-r2-storage-class must be Standard or InfrequentAccess", 10062)
    return call.store.put(KIND, data_of(record), {**record, "storage_class": storage_class})


async def delete_bucket(call: Call) -> dict[str, Any]:
    """Only an empty one."""
    record = bucket_of(call)
    await remove_bucket(call, record)
    return {}


async def remove_bucket(call: Call, record: Record) -> None:
    """Delete a bucket and what is configured for it; 10008 when it holds objects."""
    path = f"r2/{data_of(record)}/objects"
    async with call.runtime.data("GET", path, params={"limit": "1"}) as answer:
        if (await answer.json())["objects"]:
            raise bucket_not_empty()
    with call.store.transaction():
        call.store.delete(KIND, data_of(record))
        for kind in ("r2_document", "r2_domain", "r2_event_rules", "r2_upload"):
            call.store.delete_all(kind, data_of(record))


async def get_metrics(call: Call) -> dict[str, Any]:
    """Objects and bytes of the account, counted now."""
    objects = size = metadata = 0
    for record in call.store.all(KIND):
        async for item in all_objects(call, record):
            objects += 1
            size += item["size"]
            metadata += len(item["key"].encode())
    counted = {"objects": objects, "payloadSize": size, "metadataSize": metadata}
    none = {"objects": 0, "payloadSize": 0, "metadataSize": 0}
    return {
        "standard": {"published": counted, "uploaded": none},
        "infrequentAccess": {"published": none, "uploaded": none},
    }


async def all_objects(call: Call, record: Record, prefix: str = "") -> Any:
    """Every object of a bucket, page by page."""
    params = {"limit": "1000", "prefix": prefix}
    while True:
        async with call.runtime.data("GET", f"r2/{data_of(record)}/objects", params=params) as answer:
            page = await answer.json()
        for item in page["objects"]:
            yield item
        if not page["truncated"]:
            return
        params["cursor"] = page["cursor"]


async def create_credentials(call: Call) -> dict[str, str]:
    """S3 credentials for one bucket that end by themselves."""
    body = await call.object()
    bucket, seconds = str(body.get("bucket", "")), body.get("ttlSeconds", 3600)
    if find_bucket(call.store, bucket) is None:
        raise no_such_bucket()
    if body.get("permission") not in PERMISSIONS:
        raise bad_request("unknown permission", 10040)
    if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_CREDENTIAL:
        raise bad_request(f"ttlSeconds must be between 1 and {LONGEST_CREDENTIAL}", 10040)
    if body.get("parentAccessKeyId") != call.box.identity.token_id:
        raise ApiError(403, 10003, "parentAccessKeyId is not an access key of this account")
    made = {
        "accessKeyId": call.ids.hex(),
        "secretAccessKey": call.ids.hex(64),
        "sessionToken": call.ids.hex(128),
    }
    grant = {
        "bucket": bucket,
        "permission": body["permission"],
        "prefixes": body.get("prefixes") or [],
        "objects": body.get("objects") or [],
        "until": call.clock.now() + seconds,
    }
    call.store.put("r2_credentials", made["accessKeyId"], {**made, **grant})
    return made


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a bucket that exists."""
    name = str(binding.get("bucket_name", ""))
    if find_bucket(store, name, binding.get("jurisdiction") or "default") is not None:
        return None
    return ApiError(400, 10085, f"R2 bucket '{name}' not found. Please use a different name and try again.")


def complete_binding(_store: Store, binding: Record) -> Record:
    """The runtime knows the bucket by its own name."""
    where = binding.get("jurisdiction") or "default"
    return {**binding, "bucket_name": data_name(binding["bucket_name"], where)}


async def plant(box: Box, names: Any) -> list[Record]:
    """Seed `{"r2_buckets": ["name", ...]}`."""
    return [find_bucket(box.store, name) or make_bucket(box, name) for name in names]


router = Router("r2")
_ROOT, _ONE, _SDK = "A/r2/buckets", "A/r2/buckets/{bucket_name}", "r2.buckets"
router.add("GET", _ROOT, list_buckets, sdk=f"{_SDK}.list", reply="r2.BucketListResponse")
router.add(
    "POST",
    _ROOT,
    create_bucket,
    sdk=f"{_SDK}.create",
    request="r2.BucketCreateParams",
    reply="r2.Bucket",
)
router.add("GET", _ONE, get_bucket, sdk=f"{_SDK}.get", reply="r2.Bucket")
router.add("PATCH", _ONE, update_bucket, sdk=f"{_SDK}.edit", reply="r2.Bucket")
router.add("DELETE", _ONE, delete_bucket, sdk=f"{_SDK}.delete", reply="None")
router.add(
    "GET", "A/r2/metrics", get_metrics, sdk=f"{_SDK}.metrics.list", reply="r2.buckets.MetricListResponse"
)
router.add(
    "POST",
    "A/r2/temp-access-credentials",
    create_credentials,
    sdk="r2.temporary_credentials.create",
    request="r2.TemporaryCredentialCreateParams",
    reply="r2.TemporaryCredentialCreateResponse",
)
router.stores("r2", lambda store: store.count(KIND) > 0)
router.target("r2_bucket", check_binding)
router.enrich("r2_bucket", complete_binding)
router.seed("r2_buckets", plant)
