"""R2 objects over the REST API: the very objects a Worker's `r2_bucket` binding reads.

Faithful: keys as they are typed (slashes and all), HTTP and custom metadata, listing with delimiters.
Bodies pass through in pieces in both directions; a put may have 300 MB, as at Cloudflare.
https://developers.cloudflare.com/api/resources/r2/subresources/buckets/subresources/objects/
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from trailboss.sandbox.call import Call, Disconnected
from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.event_notifications import notify
from trailboss.sandbox.routes.r2 import bucket_of, data_of
from trailboss.sandbox.routes.r2_settings import check_lock

if TYPE_CHECKING:
    from trailboss.sandbox.runtime import Answer
    from trailboss.sandbox.store import Record

HTTP_METADATA = (
    "content-type",
    "content-language",
    "content-disposition",
    "content-encoding",
    "cache-control",
    "expires",
)
CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
SHOWN = (*HTTP_METADATA, "etag", "last-modified", "content-length", "content-range", "accept-ranges")
MAX_KEY = 1024
MAX_PUT = 300 * 1024 * 1024


def no_such_key() -> ApiError:
    """No object under that key."""
    return ApiError(404, 10007, "The specified key does not exist.")


def too_large() -> ApiError:
    """More than one put may have."""
    return ApiError(413, 10021, "Your proposed upload exceeds the maximum allowed object size.")


async def refusal(answer: Answer) -> ApiError:
    """What the storage refused, as the API says it."""
    error = (await answer.json()).get("error") or {}
    code, message = int(error.get("code") or 10001), str(error.get("message") or "")
    return no_such_key() if code == 10007 else ApiError(answer.status, code, message)


def key_of(call: Call) -> str:
    """The key exactly as the path has it, trailing slashes included."""
    key = unquote(call.raw_path.partition("/objects/")[2])
    if not key or len(key.encode()) > MAX_KEY:
        raise ApiError(400, 10020, f"An object's key must have 1 to {MAX_KEY} bytes.")
    return key


def path_of(record: Record, key: str) -> str:
    """Where the data plane has an object."""
    return f"r2/{data_of(record)}/objects/{quote(key, safe='')}"


async def list_objects(call: Call) -> Reply:
    """In order of keys; `delimited` holds what the delimiter folded."""
    record = bucket_of(call)
    params = {
        "prefix": call.query("prefix"),
        "delimiter": call.query("delimiter"),
        "cursor": call.query("cursor"),
        "start_after": call.query("start_after"),
        "limit": str(call.number("per_page", 20, 1, 1000)),
        "include": "http_metadata,custom_metadata",
    }
    wanted = {name: value for name, value in params.items() if value}
    async with call.runtime.data("GET", f"r2/{data_of(record)}/objects", params=wanted) as answer:
        if answer.status >= 400:
            raise await refusal(answer)
        page = await answer.json()
    fields = ("key", "etag", "size", "last_modified", "storage_class", "http_metadata", "custom_metadata")
    items = [{field: one[field] for field in fields} for one in page["objects"]]
    info = {
        "cursor": page.get("cursor") or "",
        "is_truncated": page["truncated"],
        "delimited": page["delimited_prefixes"],
        "per_page": int(params["limit"]),
    }
    return Reply(items, info=info)


async def get_object(call: Call) -> Raw:
    """The bytes, with metadata as headers; ranges and conditions are honoured."""
    record = bucket_of(call)
    asked = {name: call.headers[name] for name in (*CONDITIONS, "range") if name in call.headers}
    stack = AsyncExitStack()
    opened = call.runtime.data("GET", path_of(record, key_of(call)), headers=asked)
    answer = await stack.enter_async_context(opened)
    if answer.status >= 400:
        async with stack:
            raise await refusal(answer)
    headers = {name: answer.headers[name] for name in SHOWN if name in answer.headers}
    return Raw(pieces(stack, answer), answer.status, headers)


async def pieces(stack: AsyncExitStack, answer: Answer) -> AsyncIterator[bytes]:
    """An answer's body as it comes; what keeps the answer open is let go at its end."""
    async with stack:
        async for piece in answer.chunks():
            yield piece


class _Body:
    """A put's body on its way through; `failure` is why it stopped."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.failure: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for piece in self._call.stream():
                size += len(piece)
                if size > MAX_PUT:
                    raise too_large()
                yield piece
        except (ApiError, Disconnected) as error:
            self.failure = error  # the HTTP client that reads this raises one of its own
            raise


async def put_object(call: Call) -> dict[str, Any]:
    """Create or replace."""
    record, key = bucket_of(call), key_of(call)
    if int(call.headers.get("content-length", 0)) > MAX_PUT:
        raise too_large()
    await guard(call, record, key)
    kept = (*HTTP_METADATA, *CONDITIONS, "content-md5", "content-length")
    headers = {name: call.headers[name] for name in kept if name in call.headers}
    made = await _put(call, path_of(record, key), headers)
    notify(call.box, data_of(record))
    return {
        "key": made["key"],
        "etag": made["etag"],
        "version": made["version"],
        "size": str(made["size"]),
        "storage_class": made["storage_class"],
        "uploaded": made["last_modified"],
    }


async def _put(call: Call, path: str, headers: dict[str, str]) -> Record:
    body = _Body(call)
    try:
        async with call.runtime.data("PUT", path, headers=headers, body=aiter(body)) as answer:
            if answer.status >= 400:
                raise await refusal(answer)
            made: Record = await answer.json()
            return made
    except ApiError as error:
        raise body.failure or error from None


async def guard(call: Call, record: Record, key: str) -> None:
    """Refuse to replace or delete an object that a lock keeps."""
    async with call.runtime.data("HEAD", path_of(record, key)) as answer:
        if answer.status == 200:
            uploaded = _iso(answer.headers["last-modified"])
            check_lock(call.store, record, key, uploaded, call.clock.now())


def _iso(http_date: str) -> str:
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(http_date).isoformat()


async def delete_object(call: Call) -> dict[str, str]:
    """404 when it is not there."""
    record, key = bucket_of(call), key_of(call)
    async with call.runtime.data("HEAD", path_of(record, key)) as answer:
        if answer.status == 404:
            raise no_such_key()
    await guard(call, record, key)
    async with call.runtime.data("DELETE", path_of(record, key)) as answer:
        if answer.status >= 400:
            raise await refusal(answer)
    notify(call.box, data_of(record))
    return {"key": key}


router = Router("r2_objects")
_ROOT = "A/r2/buckets/{bucket_name}/objects"
_ONE, _SDK = f"{_ROOT}/{{object_key:path}}", "r2.buckets.objects"
router.add("GET", _ROOT, list_objects, sdk=f"{_SDK}.list", reply="r2.buckets.ObjectListResponse")
router.add("GET", _ONE, get_object, sdk=f"{_SDK}.get", unchecked="raw bytes")
router.add(
    "PUT",
    _ONE,
    put_object,
    sdk=f"{_SDK}.upload",
    reply="r2.buckets.ObjectUploadResponse",
    unchecked="the request is raw bytes",
)
router.add("DELETE", _ONE, delete_object, sdk=f"{_SDK}.delete", reply="r2.buckets.ObjectDeleteResponse")
