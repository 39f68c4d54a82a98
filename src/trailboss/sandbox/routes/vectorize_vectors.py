"""Vectorize v2: writing, finding and listing vectors, for the API and for the Workers' binding.

Faithful: NDJSON raw or in a form, insert keeps the first and upsert the last, metrics, filters over metadata
indexes, namespaces, limits. Simplified: scores are exact where Cloudflare's are approximate.
https://developers.cloudflare.com/api/resources/vectorize/subresources/indexes/
"""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, encode_json
from trailboss.sandbox.products import vector_filter
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.vectorize import index_named, index_of, info_of, mutate, vectors_of

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

MAX_VECTORS = 5000
MAX_ID, MAX_NAMESPACE, MAX_METADATA = 64, 64, 10 * 1024
MAX_TOP, MAX_TOP_WHOLE = 100, 20
MAX_IDS = 100
IN_LOOP = 2_000_000
"""Numbers a query may compare before it moves to a thread."""
BOOLEANS = {True: "all", False: "none"}


def invalid_vector(detail: str) -> ApiError:
    """A vector that cannot be stored."""
    return ApiError(400, 40012, detail)


def invalid_query(detail: str, code: int = 40006) -> ApiError:
    """A query that cannot be meant."""
    return ApiError(400, code, detail)


async def insert_vectors(call: Call) -> Record:
    """Existing ids stay as they are."""
    return await _write(call, index_of(call), "insert")


async def upsert_vectors(call: Call) -> Record:
    """Existing ids are replaced."""
    return await _write(call, index_of(call), "upsert")


async def _write(call: Call, record: Record, operation: str) -> Record:
    discard = call.query("unparsable-behavior") == "discard"
    vectors = [
        one
        for line in (await _ndjson(call)).splitlines()
        if line.strip() and (one := _parsed(line, record["config"]["dimensions"], discard)) is not None
    ]
    if len(vectors) > MAX_VECTORS:
        raise invalid_vector(f"at most {MAX_VECTORS} vectors can be written at once")
    return mutate(call, record, operation, vectors)


async def _ndjson(call: Call) -> bytes:
    if not call.is_form():
        return await call.body()
    for part in await call.form():
        if part.name == "vectors":
            return part.data
    raise invalid_vector("the form has no part named vectors")


def _parsed(line: bytes, dimensions: int, discard: bool) -> Record | None:
    try:
        return _checked(msgspec.json.decode(line), dimensions)
    except (msgspec.DecodeError, UnicodeDecodeError):
        refusal = invalid_vector("vectors must be newline-delimited JSON")
    except ApiError as error:
        refusal = error
    if discard:
        return None
    raise refusal


def _checked(vector: Any, dimensions: int) -> Record:
    if not isinstance(vector, dict) or not isinstance(vector.get("id"), str) or not vector["id"]:
        raise invalid_vector("every vector needs an id")
    name, values = vector["id"], vector.get("values")
    if len(name.encode()) > MAX_ID:
        raise invalid_vector(f"id must be at most {MAX_ID} bytes")
    if not isinstance(values, list) or not all(type(one) in (int, float) for one in values):
        raise invalid_vector(f'values of id="{name}" must be a list of numbers')
    if len(values) != dimensions:
        detail = f"expected {dimensions} dimensions, and got {len(values)} dimensions"
        raise invalid_vector(f'invalid vector for id="{name}", {detail}')
    namespace = vector.get("namespace")
    if namespace is not None and (not isinstance(namespace, str) or len(namespace.encode()) > MAX_NAMESPACE):
        raise invalid_vector(f"namespace must be a string of at most {MAX_NAMESPACE} bytes")
    metadata = vector.get("metadata")
    if metadata is not None and (
        not isinstance(metadata, dict) or len(msgspec.json.encode(metadata)) > MAX_METADATA
    ):
        raise invalid_vector(f"metadata must be an object of at most {MAX_METADATA} bytes")
    kept = ("id", "values", "namespace", "metadata")
    return {field: vector[field] for field in kept if vector.get(field) is not None}


async def query_index(call: Call) -> Record:
    """The nearest vectors."""
    return await _query(call, index_of(call))


async def _query(call: Call, record: Record) -> Record:
    body = await call.object()
    values, metadata = bool(body.get("returnValues")), body.get("returnMetadata", "none")
    metadata = BOOLEANS.get(metadata, metadata) if isinstance(metadata, bool) else metadata
    if metadata not in {"none", "indexed", "all"}:
        raise invalid_query("returnMetadata must be none, indexed or all", 40025)
    top = _top(body.get("topK", 5), whole=values or metadata == "all")
    try:
        wanted = vector_filter.normalise(body.get("filter"))
    except vector_filter.FilterError as error:
        raise invalid_query(str(error), 40026) from None
    target = _target(call, record, body)
    search = vectors_of(call.store).query
    namespace = body.get("namespace")
    arguments = (record["name"], record["config"]["metric"], target)
    if vectors_of(call.store).count(record["name"]) * len(target) > IN_LOOP:
        found = await asyncio.to_thread(search, *arguments, top=top, namespace=namespace, wanted=wanted)
    else:
        found = search(*arguments, top=top, namespace=namespace, wanted=wanted)
    matches = [_match(call, record, score, name, values, metadata) for score, name in found]
    return {"count": len(matches), "matches": matches}


def _top(value: Any, *, whole: bool) -> int:
    most = MAX_TOP_WHOLE if whole else MAX_TOP
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= most:
        extra = " when values or all metadata are returned" if whole else ""
        raise invalid_query(f"topK must be between 1 and {most}{extra}", 40025)
    return int(value)


def _target(call: Call, record: Record, body: Record) -> list[float]:
    dimensions = record["config"]["dimensions"]
    if body.get("vectorId") is not None and body.get("vector") is None:
        found = vectors_of(call.store).get(record["name"], [str(body["vectorId"])])
        if not found:
            raise invalid_query(f'vector with id="{body["vectorId"]}" not found', 40007)
        return list(found[0]["values"])
    vector = body.get("vector")
    if not isinstance(vector, list) or not all(type(one) in (int, float) for one in vector):
        raise invalid_query("vector must be a list of numbers")
    if len(vector) != dimensions:
        raise invalid_query(
            f"invalid query vector, expected {dimensions} dimensions, and got {len(vector)} dimensions"
        )
    return vector


def _match(  # noqa: PLR0917
    call: Call, record: Record, score: float, name: str, values: bool, metadata: str
) -> Record:
    (vector,) = vectors_of(call.store).get(record["name"], [name])
    match: Record = {"id": name, "score": score}
    if "namespace" in vector:
        match["namespace"] = vector["namespace"]
    if values:
        match["values"] = vector["values"]
    if metadata != "none" and "metadata" in vector:
        match["metadata"] = vector["metadata"]
        if metadata == "indexed":
            known = record["metadata_indexes"]
            match["metadata"] = {
                field: value
                for field in known
                if (value := vector_filter.look_up(vector["metadata"], field)) is not None
            }
    return match


async def get_by_ids(call: Call) -> list[Record]:
    """Vectors with their values."""
    record = index_of(call)
    return vectors_of(call.store).get(record["name"], await _ids(call))


async def delete_by_ids(call: Call) -> Record:
    """Ids that are not there are no error."""
    record = index_of(call)
    return mutate(call, record, "delete", await _ids(call))


async def _ids(call: Call) -> list[str]:
    ids = (await call.object()).get("ids")
    if not isinstance(ids, list) or not 0 < len(ids) <= MAX_IDS:
        raise invalid_query(f"ids must be a list of 1 to {MAX_IDS}", 40008)
    return [str(one) for one in ids]


async def list_vectors(call: Call) -> Record:
    """Identifiers only, in order."""
    record = index_of(call)
    count = call.number("count", 100, 1, 1000)
    after = base64.urlsafe_b64decode(call.query("cursor") or b"").decode(errors="replace")
    found = vectors_of(call.store).page(record["name"], after, count + 1)
    page, more = found[:count], len(found) > count
    shape: Record = {
        "count": len(page),
        "totalCount": vectors_of(call.store).count(record["name"]),
        "isTruncated": more,
        "vectors": [{"id": name} for name in page],
    }
    if more:
        shape["nextCursor"] = base64.urlsafe_b64encode(page[-1].encode()).decode()
        until = datetime.fromtimestamp(call.clock.now() + 86400, UTC)
        shape["cursorExpirationTimestamp"] = until.isoformat().replace("+00:00", "Z")
    return shape


async def from_binding(call: Call, rest: str) -> Raw:
    """A Worker's binding: `{index}/{operation}`, answers and errors without an envelope."""
    name, _, operation = rest.strip("/").partition("/")
    try:
        result = await _operate(call, index_named(call, name), operation)
    except ApiError as error:
        body = encode_json({"code": error.code, "error": error.message})
        return Raw(body, error.status, content_type="application/json")
    return Raw(encode_json(result), content_type="application/json")


async def _operate(call: Call, record: Record, operation: str) -> Any:
    if operation == "info":
        return info_of(call, record)
    if operation == "query":
        return await _query(call, record)
    if operation in {"insert", "upsert"}:
        return await _write(call, record, operation)
    if operation == "getByIds":
        return vectors_of(call.store).get(record["name"], await _ids(call))
    if operation == "deleteByIds":
        return mutate(call, record, "delete", await _ids(call))
    raise ApiError(404, 1003, f"unknown operation {operation!r}")


router = Router("vectorize_vectors")
_ONE, _SDK = "A/vectorize/v2/indexes/{index_name}", "vectorize.indexes"
_NDJSON = "the request is NDJSON"
router.add(
    "POST",
    f"{_ONE}/insert",
    insert_vectors,
    sdk=f"{_SDK}.insert",
    reply="vectorize.IndexInsertResponse",
    unchecked=_NDJSON,
)
router.add(
    "POST",
    f"{_ONE}/upsert",
    upsert_vectors,
    sdk=f"{_SDK}.upsert",
    reply="vectorize.IndexUpsertResponse",
    unchecked=_NDJSON,
)
router.add(
    "POST",
    f"{_ONE}/query",
    query_index,
    sdk=f"{_SDK}.query",
    request="vectorize.IndexQueryParams",
    reply="vectorize.IndexQueryResponse",
)
router.add(
    "POST",
    f"{_ONE}/get_by_ids",
    get_by_ids,
    sdk=f"{_SDK}.get_by_ids",
    request="vectorize.IndexGetByIDsParams",
    unchecked="the SDK says any object",
)
router.add(
    "POST",
    f"{_ONE}/delete_by_ids",
    delete_by_ids,
    sdk=f"{_SDK}.delete_by_ids",
    request="vectorize.IndexDeleteByIDsParams",
    reply="vectorize.IndexDeleteByIDsResponse",
)
router.add(
    "GET",
    f"{_ONE}/list",
    list_vectors,
    sdk=f"{_SDK}.list_vectors",
    reply="vectorize.IndexListVectorsResponse",
)
router.binding("vectorize", from_binding)
