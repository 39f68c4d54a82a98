"""S3 operations on whole objects: get, head, put, copy, delete one or many."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw
from trailboss.sandbox.products import s3_xml
from trailboss.sandbox.products.s3_signature import S3Error
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes.event_notifications import copying, notify
from trailboss.sandbox.routes.r2 import data_of, find_bucket
from trailboss.sandbox.routes.r2_objects import (
    CONDITIONS,
    HTTP_METADATA,
    SHOWN,
    guard,
    path_of,
    pieces,
    refusal,
)
from trailboss.sandbox.routes.r2_settings import document

if TYPE_CHECKING:
    from trailboss.sandbox.products.s3_body import Body
    from trailboss.sandbox.runtime import Answer
    from trailboss.sandbox.store import Record

CODES = {
    10004: "BucketAlreadyOwnedByYou",
    10005: "InvalidBucketName",
    10006: "NoSuchBucket",
    10007: "NoSuchKey",
    10008: "BucketNotEmpty",
    10011: "EntityTooSmall",
    10012: "MetadataTooLarge",
    10020: "InvalidObjectName",
    10024: "NoSuchUpload",
    10025: "InvalidPart",
    10031: "PreconditionFailed",
    10037: "BadDigest",
    10039: "InvalidRange",
    10069: "ObjectLockedByBucketPolicy",
}
META = "x-amz-meta-"
MAX_METADATA = 8192


@dataclass(frozen=True, slots=True)
class Request:
    """One S3 request about an object."""

    call: Call
    bucket: Record
    key: str
    query: dict[str, str]
    body: Body


def failure(error: ApiError) -> S3Error:
    """A refusal of the account or the storage in S3's words."""
    status = 400 if error.code in {10011, 10012, 10025, 10037} else error.status
    return S3Error(status, CODES.get(error.code, "InternalError"), error.message)


def xml(root: str, content: s3_xml.Tree) -> Raw:
    """A reply document."""
    return Raw(s3_xml.document(root, content), content_type="application/xml")


async def page_of(call: Call, bucket: Record, params: dict[str, str]) -> Record:
    """One page of a bucket's objects."""
    async with call.runtime.data("GET", f"r2/{data_of(bucket)}/objects", params=params) as answer:
        if answer.status >= 400:
            raise failure(await refusal(answer))
        page: Record = await answer.json()
    for item in page["objects"]:
        item["uploaded"] = item["last_modified"]
    return page


async def dispatch(request: Request) -> Raw:
    """The operation a method means."""
    method = request.call.method
    if method in {"GET", "HEAD"}:
        return await _get(request)
    if method == "PUT":
        copies = "x-amz-copy-source" in request.call.headers
        return await (_copy(request) if copies else _put(request))
    if method == "DELETE":
        return await _delete(request)
    raise S3Error(405, "MethodNotAllowed", "The method is not allowed on an object.")


def _shown(answer: Answer, query: dict[str, str]) -> dict[str, str]:
    headers = {name: answer.headers[name] for name in SHOWN if name in answer.headers}
    custom = json.loads(base64.b64decode(answer.headers.get("x-trailboss-custom-metadata", "e30=")))
    headers |= {f"{META}{name}": _header(value) for name, value in custom.items()}
    for name in HTTP_METADATA:
        if f"response-{name}" in query:
            headers[name] = query[f"response-{name}"]
    return headers


def _header(value: str) -> str:
    return value.encode().decode("latin-1")


async def _get(request: Request) -> Raw:
    call = request.call
    asked = {name: call.headers[name] for name in (*CONDITIONS, "range") if name in call.headers}
    stack = AsyncExitStack()
    opened = call.runtime.data(call.method, path_of(request.bucket, request.key), headers=asked)
    answer = await stack.enter_async_context(opened)
    if answer.status >= 300:
        async with stack:
            return await _not_got(call, answer)
    headers = _shown(answer, request.query)
    if call.method == "HEAD":
        await stack.aclose()
        return Raw(b"", answer.status, headers)
    return Raw(pieces(stack, answer), answer.status, headers)


async def _not_got(call: Call, answer: Answer) -> Raw:
    if answer.status == 304:
        return Raw(b"", 304, content_type="")
    if call.method == "HEAD":
        raise S3Error(answer.status, "NotFound", "")
    raise failure(await refusal(answer))


def metadata_of(call: Call) -> tuple[dict[str, str], dict[str, str]]:
    """(HTTP metadata as headers, custom metadata) of an upload."""
    http = {name: call.headers[name] for name in HTTP_METADATA if name in call.headers}
    encodings = [one.strip() for one in http.pop("content-encoding", "").split(",")]
    kept = [one for one in encodings if one and one != "aws-chunked"]
    if kept:
        http["content-encoding"] = ", ".join(kept)
    custom = {
        name.removeprefix(META): value.encode("latin-1").decode("utf-8", "replace")
        for name, value in call.headers.items()
        if name.startswith(META)
    }
    if sum(len(name) + len(value.encode()) for name, value in custom.items()) > MAX_METADATA:
        raise S3Error(
            400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size."
        )
    return http, custom


def encoded(custom: dict[str, str]) -> dict[str, str]:
    """Custom metadata as the data plane takes it."""
    return {"x-trailboss-custom-metadata": base64.b64encode(json.dumps(custom).encode()).decode()}


async def _put(request: Request) -> Raw:
    call = request.call
    http, custom = metadata_of(call)
    conditions = {name: call.headers[name] for name in CONDITIONS if name in call.headers}
    made = await store(request, {**http, **encoded(custom), **conditions}, request.body.pieces())
    notify(call.box, data_of(request.bucket))
    return Raw(headers={"etag": f'"{made["etag"]}"', "x-amz-version-id": made["version"]}, content_type="")


async def store(request: Request, headers: dict[str, str], body: AsyncIterator[bytes]) -> Record:
    """Write an object; what the storage says of it."""
    call = request.call
    await guard(call, request.bucket, request.key)
    path = path_of(request.bucket, request.key)
    async with call.runtime.data("PUT", path, headers=headers, body=body) as answer:
        if answer.status >= 400:
            raise failure(await refusal(answer))
        made: Record = await answer.json()
        return made


def copy_source(call: Call) -> tuple[Record, str]:
    """The bucket and key of `x-amz-copy-source`."""
    path = unquote(call.headers["x-amz-copy-source"].partition("?")[0]).lstrip("/")
    name, _, key = path.partition("/")
    bucket = find_bucket(call.store, name)
    if bucket is None:
        raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist.")
    return bucket, key


def source_conditions(call: Call) -> dict[str, str]:
    """The conditions on the object that is copied."""
    lead = "x-amz-copy-source-"
    found = {name: call.headers[f"{lead}{name}"] for name in CONDITIONS if f"{lead}{name}" in call.headers}
    if f"{lead}range" in call.headers:
        found["range"] = call.headers[f"{lead}range"]
    return found


async def _copy(request: Request) -> Raw:
    call = request.call
    bucket, key = copy_source(call)
    async with call.runtime.data("GET", path_of(bucket, key), headers=source_conditions(call)) as answer:
        if answer.status == 304:
            raise S3Error(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")
        if answer.status >= 400:
            raise failure(await refusal(answer))
        headers = {name: answer.headers[name] for name in HTTP_METADATA if name in answer.headers}
        custom = json.loads(base64.b64decode(answer.headers["x-trailboss-custom-metadata"]))
        directive = call.headers.get("x-amz-metadata-directive", "COPY")
        if directive in {"REPLACE", "MERGE"}:
            new_http, new_custom = metadata_of(call)
            headers = new_http if directive == "REPLACE" else {**headers, **new_http}
            custom = new_custom if directive == "REPLACE" else {**custom, **new_custom}
        lead = "cf-copy-destination-"
        ours = {name: call.headers[f"{lead}{name}"] for name in CONDITIONS if f"{lead}{name}" in call.headers}
        with copying(call.box, data_of(request.bucket), request.key, (bucket["name"], key)):
            made = await store(request, {**headers, **encoded(custom), **ours}, answer.chunks())
    return xml("CopyObjectResult", {"ETag": f'"{made["etag"]}"', "LastModified": made["last_modified"]})


async def _delete(request: Request) -> Raw:
    call = request.call
    await guard(call, request.bucket, request.key)
    async with call.runtime.data("DELETE", path_of(request.bucket, request.key)) as answer:
        if answer.status >= 400:
            raise failure(await refusal(answer))
    notify(call.box, data_of(request.bucket))
    return Raw(status=204, content_type="")


async def delete_objects(call: Call, bucket: Record, body: Body) -> Raw:
    """Up to 1000 keys at once."""
    asked = s3_xml.parse(body.read(), "Delete")
    keys = [s3_xml.text(one, "Key") for one in asked.findall("Object")]
    if not 0 < len(keys) <= 1000:
        raise S3Error(400, "MalformedXML", "Between 1 and 1000 objects can be deleted at once.")
    kept: list[dict[str, Any]] = []
    if document(call.store, bucket, "lock"):
        kept = [refused for key in keys if (refused := await _locked(call, bucket, key))]
    held = {one["Key"] for one in kept}
    gone = [key for key in keys if key not in held]
    payload = json.dumps({"keys": gone}).encode()
    headers = {"content-type": "application/json"}
    async with call.runtime.data(
        "POST", f"r2/{data_of(bucket)}/delete", headers=headers, body=payload
    ) as answer:
        if answer.status >= 400:
            raise failure(await refusal(answer))
    notify(call.box, data_of(bucket))
    quiet = s3_xml.text(asked, "Quiet") == "true"
    return xml("DeleteResult", {"Deleted": [] if quiet else [{"Key": key} for key in gone], "Error": kept})


async def _locked(call: Call, bucket: Record, key: str) -> dict[str, Any] | None:
    try:
        await guard(call, bucket, key)
    except ApiError as error:
        return {"Key": key, "Code": CODES.get(error.code, "AccessDenied"), "Message": error.message}
    return None
