"""Vectorize v2: indexes and their metadata indexes. The vectors are in `vectorize_vectors.py`.

Faithful: shapes, presets, no resizing, writes and metadata indexes that become visible a little later by the
sandbox's clock. Simplified: a little later is a third of a second; search is exact.
https://developers.cloudflare.com/api/resources/vectorize/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.vectors import SCHEMA, VectorIndexes
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record, Store

KIND = "vectorize_index"
METRICS = frozenset({"cosine", "euclidean", "dot-product"})
PRESETS = {
    "@cf/baai/bge-small-en-v1.5": 384,
    "@cf/baai/bge-base-en-v1.5": 768,
    "@cf/baai/bge-large-en-v1.5": 1024,
    "openai/text-embedding-ada-002": 1536,
    "cohere/embed-multilingual-v2.0": 768,
}
MAX_DIMENSIONS = 1536
MAX_METADATA_INDEXES = 10
INDEX_TYPES = frozenset({"string", "number", "boolean"})

_vectors: WeakKeyDictionary[Store, VectorIndexes] = WeakKeyDictionary()


def index_not_found() -> ApiError:
    """No index of that name."""
    return ApiError(404, 3000, "vectorize.index.not_found")


def index_exists() -> ApiError:
    """The name is taken."""
    return ApiError(409, 3002, "vectorize.index.duplicate_name")


def vectors_of(store: Store) -> VectorIndexes:
    """The account's vectors."""
    if store not in _vectors:
        _vectors[store] = VectorIndexes(store)
    return _vectors[store]


def index_named(call: Call, name: str) -> Record:
    """An index, with every write applied that is due.

    Raises:
        ApiError: 3000.
    """
    found = call.store.get(KIND, name)
    if found is None:
        raise index_not_found()
    known = found["metadata_indexes"]
    now = vectors_of(call.store).settle(name, call.clock.now(), known)
    if now != known:
        call.store.put(KIND, name, {**found, "metadata_indexes": now})
        found["metadata_indexes"] = now
    return found


def index_of(call: Call) -> Record:
    """The index the path names."""
    return index_named(call, call["index_name"])


def shown(record: Record) -> Record:
    """The index as the API shows it."""
    return {name: value for name, value in record.items() if name != "metadata_indexes"}


def make_index(box: Box, body: Record) -> Record:
    """A new index, its configuration checked."""
    name = body.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", name):
        raise bad_request("vectorize.index.invalid_name", 3001)
    if box.store.get(KIND, name) is not None:
        raise index_exists()
    record = {
        "name": name,
        "description": body.get("description") or "",
        "config": _config(body.get("config")),
        "created_on": box.clock.iso(),
        "modified_on": box.clock.iso(),
        "metadata_indexes": {},
    }
    return box.store.put(KIND, name, record)


def _config(asked: Any) -> Record:
    if not isinstance(asked, dict):
        raise bad_request("vectorize.index.missing_config", 1004)
    if "preset" in asked:
        if asked["preset"] not in PRESETS:
            raise bad_request("vectorize.index.unknown_preset", 1004)
        return {"dimensions": PRESETS[asked["preset"]], "metric": "cosine", "preset": asked["preset"]}
    dimensions, metric = asked.get("dimensions"), asked.get("metric")
    if not isinstance(dimensions, int) or not 1 <= dimensions <= MAX_DIMENSIONS:
        raise bad_request(f"dimensions must be between 1 and {MAX_DIMENSIONS}", 1004)
    if metric not in METRICS:
        raise bad_request(f"metric must be one of {', '.join(sorted(METRICS))}", 1004)
    return {"dimensions": dimensions, "metric": metric}


async def list_indexes(call: Call) -> Reply:
    """All of them."""
    return call.single([shown(one) for one in call.store.all(KIND)])


async def create_index(call: Call) -> Record:
    """Dimensions and metric are for good."""
    return shown(make_index(call.box, await call.object()))


async def get_index(call: Call) -> Record:
    """One index."""
    return shown(index_of(call))


async def delete_index(call: Call) -> None:
    """The vectors go with it."""
    record = index_of(call)
    call.store.delete(KIND, record["name"])
    vectors_of(call.store).drop(record["name"])


async def get_info(call: Call) -> Record:
    """How many vectors are visible, and up to which write."""
    return info_of(call, index_of(call))


def info_of(call: Call, record: Record) -> Record:
    """`info`, for the API and for `describe()` of the binding."""
    vectors = vectors_of(call.store)
    mutation, at = vectors.mark(record["name"])
    return {
        "dimensions": record["config"]["dimensions"],
        "vectorCount": vectors.count(record["name"]),
        "processedUpToMutation": mutation or "",
        "processedUpToDatetime": call.clock.iso(at) if at is not None else None,
    }


async def create_metadata_index(call: Call) -> Record:
    """Vectors written from then on are indexed by the property."""
    record, body = index_of(call), await call.object()
    name, kind = body.get("propertyName"), str(body.get("indexType", "")).lower()
    if not isinstance(name, str) or not name or kind not in INDEX_TYPES:
        raise bad_request("propertyName and an indexType of string, number or boolean are required", 40021)
    if name in record["metadata_indexes"]:
        raise bad_request("vectorize.metadata_index.duplicate", 40022)
    if len(record["metadata_indexes"]) >= MAX_METADATA_INDEXES:
        raise bad_request(f"an index has at most {MAX_METADATA_INDEXES} metadata indexes", 40023)
    return mutate(call, record, "index", {"propertyName": name, "indexType": kind})


async def delete_metadata_index(call: Call) -> Record:
    """Filters on the property stop working."""
    record, body = index_of(call), await call.object()
    if body.get("propertyName") not in record["metadata_indexes"]:
        raise bad_request("vectorize.metadata_index.not_found", 40024)
    return mutate(call, record, "unindex", {"propertyName": body["propertyName"]})


async def list_metadata_indexes(call: Call) -> Record:
    """Those that have taken effect."""
    known = index_of(call)["metadata_indexes"]
    return {"metadataIndexes": [{"propertyName": name, "indexType": kind} for name, kind in known.items()]}


def mutate(call: Call, record: Record, operation: str, body: Any) -> Record:
    """Queue a write; its id shows in `info` once it is visible."""
    mutation = call.ids.uuid()
    vectors_of(call.store).queue(record["name"], mutation, operation, body, call.clock.now())
    return {"mutationId": mutation}


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind an index that exists."""
    name = str(binding.get("index_name", ""))
    if store.get(KIND, name) is not None:
        return None
    return ApiError(
        400, 10159, f"Vectorize binding '{binding.get('name')}' references unknown index '{name}'."
    )


async def plant(box: Box, indexes: Any) -> list[Record]:
    """Seed `{"vectorize_indexes": [{"name": ..., "config": {...}}]}`."""
    return [shown(box.store.get(KIND, one["name"]) or make_index(box, one)) for one in indexes]


router = Router("vectorize")
_ROOT, _ONE, _SDK = "A/vectorize/v2/indexes", "A/vectorize/v2/indexes/{index_name}", "vectorize.indexes"
_META = f"{_ONE}/metadata_index"
router.add("GET", _ROOT, list_indexes, sdk=f"{_SDK}.list", reply="vectorize.CreateIndex")
router.add(
    "POST",
    _ROOT,
    create_index,
    sdk=f"{_SDK}.create",
    request="vectorize.IndexCreateParams",
    reply="vectorize.CreateIndex",
)
router.add("GET", _ONE, get_index, sdk=f"{_SDK}.get", reply="vectorize.CreateIndex")
router.add("DELETE", _ONE, delete_index, sdk=f"{_SDK}.delete", reply="None")
router.add("GET", f"{_ONE}/info", get_info, sdk=f"{_SDK}.info", reply="vectorize.IndexInfoResponse")
router.add(
    "POST",
    f"{_META}/create",
    create_metadata_index,
    sdk=f"{_SDK}.metadata_index.create",
    request="vectorize.indexes.MetadataIndexCreateParams",
    reply="vectorize.indexes.MetadataIndexCreateResponse",
)
router.add(
    "POST",
    f"{_META}/delete",
    delete_metadata_index,
    sdk=f"{_SDK}.metadata_index.delete",
    request="vectorize.indexes.MetadataIndexDeleteParams",
    reply="vectorize.indexes.MetadataIndexDeleteResponse",
)
router.add(
    "GET",
    f"{_META}/list",
    list_metadata_indexes,
    sdk=f"{_SDK}.metadata_index.list",
    reply="vectorize.indexes.MetadataIndexListResponse",
)
router.schema = SCHEMA
router.target("vectorize", check_binding)
router.seed("vectorize_indexes", plant)
