"""S3 multipart uploads: begun and listed by us, their parts kept by the storage."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw
from trailboss.sandbox.products import s3_xml
from trailboss.sandbox.products.s3_signature import S3Error
from trailboss.sandbox.routes.event_notifications import notify
from trailboss.sandbox.routes.r2 import data_of
from trailboss.sandbox.routes.r2_objects import CONDITIONS, guard, path_of, refusal
from trailboss.sandbox.routes.r2_s3_objects import (
    Request,
    copy_source,
    failure,
    metadata_of,
    source_conditions,
    xml,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from trailboss.sandbox.store import Record

KIND = "r2_upload"
MAX_PARTS = 10_000
_FIELDS = {
    "content-type": "contentType",
    "content-language": "contentLanguage",
    "content-disposition": "contentDisposition",
    "content-encoding": "contentEncoding",
    "cache-control": "cacheControl",
}


async def dispatch(request: Request) -> Raw:
    """The operation a method and query mean."""
    method = request.call.method
    if method == "POST" and "uploads" in request.query:
        return await _create(request)
    upload = _upload_of(request)
    if method == "PUT":
        return await _part(request, upload)
    if method == "POST":
        return await _complete(request, upload)
    if method == "DELETE":
        return await _abort(request, upload)
    if method == "GET":
        return _list_parts(request, upload)
    raise S3Error(405, "MethodNotAllowed", "The method is not allowed on an upload.")


def no_such_upload() -> S3Error:
    """Never begun, completed or aborted."""
    return S3Error(404, "NoSuchUpload", "The specified multipart upload does not exist.")


def _upload_of(request: Request) -> Record:
    found = request.call.store.get(KIND, request.query["uploadId"])
    if found is None or found["key"] != request.key or found["bucket"] != data_of(request.bucket):
        raise no_such_upload()
    return found


async def _data(
    request: Request, method: str, path: str, *, body: bytes | AsyncIterator[bytes] | None = None
) -> Record:
    call = request.call
    params = {"key": request.key}
    full = f"r2/{data_of(request.bucket)}/{path}"
    async with call.runtime.data(method, full, params=params, body=body) as answer:
        if answer.status >= 400:
            raise failure(await refusal(answer))
        made: Record = await answer.json()
        return made


async def _create(request: Request) -> Raw:
    http, custom = metadata_of(request.call)
    fields = {_FIELDS[name]: value for name, value in http.items() if name in _FIELDS}
    body = json.dumps({"key": request.key, "http_metadata": fields, "custom_metadata": custom}).encode()
    made = await _data(request, "POST", "uploads", body=body)
    record = {
        "id": made["upload_id"],
        "key": request.key,
        "bucket": data_of(request.bucket),
        "initiated": request.call.clock.iso(),
        "parts": {},
    }
    request.call.store.put(KIND, record["id"], record, parent=record["bucket"])
    answer = {"Bucket": request.bucket["name"], "Key": request.key, "UploadId": record["id"]}
    return xml("InitiateMultipartUploadResult", answer)


async def _part(request: Request, upload: Record) -> Raw:
    number = request.query.get("partNumber", "")
    if not re.fullmatch(r"\d{1,5}", number) or not 1 <= int(number) <= MAX_PARTS:
        raise S3Error(400, "InvalidArgument", f"Part number must be between 1 and {MAX_PARTS}.")
    if "x-amz-copy-source" in request.call.headers:
        made = await _copied_part(request, upload, number)
    else:
        made = await _data(request, "PUT", _path(upload, f"parts/{number}"), body=request.body.pieces())
    at = request.call.clock.iso()
    upload["parts"][number] = {"etag": made["etag"], "size": made["size"], "at": at}
    request.call.store.put(KIND, upload["id"], upload, parent=upload["bucket"])
    if "x-amz-copy-source" in request.call.headers:
        return xml("CopyPartResult", {"ETag": f'"{made["etag"]}"', "LastModified": at})
    return Raw(headers={"etag": f'"{made["etag"]}"'}, content_type="")


def _path(upload: Record, rest: str = "") -> str:
    return f"uploads/{quote(upload['id'], safe='')}" + (f"/{rest}" if rest else "")


async def _copied_part(request: Request, upload: Record, number: str) -> Record:
    call = request.call
    bucket, key = copy_source(call)
    async with call.runtime.data("GET", path_of(bucket, key), headers=source_conditions(call)) as answer:
        if answer.status == 304:
            raise S3Error(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")
        if answer.status >= 400:
            raise failure(await refusal(answer))
        return await _data(request, "PUT", _path(upload, f"parts/{number}"), body=answer.chunks())


async def _complete(request: Request, upload: Record) -> Raw:
    asked = s3_xml.parse(request.body.read(), "CompleteMultipartUpload")
    parts: list[dict[str, Any]] = [
        {"part": int(s3_xml.text(one, "PartNumber") or 0), "etag": s3_xml.text(one, "ETag").strip('"')}
        for one in asked.findall("Part")
    ]
    if [one["part"] for one in parts] != sorted({one["part"] for one in parts}):
        raise S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
    await _check_conditions(request)
    await guard(request.call, request.bucket, request.key)
    body = json.dumps({"key": request.key, "parts": parts}).encode()
    made = await _data(request, "POST", _path(upload, "complete"), body=body)
    request.call.store.delete(KIND, upload["id"])
    notify(request.call.box, data_of(request.bucket))
    answer = {
        "Location": f"/{request.bucket['name']}/{request.key}",
        "Bucket": request.bucket["name"],
        "Key": request.key,
        "ETag": f'"{made["etag"]}"',
    }
    return xml("CompleteMultipartUploadResult", answer)


async def _check_conditions(request: Request) -> None:
    call = request.call
    asked = {name: call.headers[name] for name in CONDITIONS if name in call.headers}
    if not asked:
        return
    async with call.runtime.data("HEAD", path_of(request.bucket, request.key), headers=asked) as answer:
        missing = answer.status == 404
        needed = "if-match" in asked
        if (missing and needed) or (not missing and answer.status >= 300):
            raise S3Error(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")


async def _abort(request: Request, upload: Record) -> Raw:
    await _data(request, "DELETE", _path(upload))
    request.call.store.delete(KIND, upload["id"])
    return Raw(status=204, content_type="")


def _list_parts(request: Request, upload: Record) -> Raw:
    parts: list[dict[str, Any]] = [
        {"PartNumber": number, "ETag": f'"{one["etag"]}"', "Size": one["size"], "LastModified": one["at"]}
        for number, one in sorted(upload["parts"].items(), key=lambda pair: int(pair[0]))
    ]
    answer = {
        "Bucket": request.bucket["name"],
        "Key": request.key,
        "UploadId": upload["id"],
        "MaxParts": MAX_PARTS,
        "IsTruncated": False,
        "Part": parts,
    }
    return xml("ListPartsResult", answer)


def list_uploads(call: Call, bucket: Record) -> Raw:
    """The uploads of a bucket that are under way."""
    prefix = call.query("prefix")
    found = [one for one in call.store.all(KIND, data_of(bucket)) if one["key"].startswith(prefix)]
    uploads = [{"Key": one["key"], "UploadId": one["id"], "Initiated": one["initiated"]} for one in found]
    return xml(
        "ListMultipartUploadsResult",
        {"Bucket": bucket["name"], "Prefix": prefix, "IsTruncated": False, "Upload": uploads},
    )
