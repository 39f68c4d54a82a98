"""R2's S3 API, below `/_s3`: signatures, buckets, lists. Objects are in `r2_s3_objects.py`, parts in
`r2_s3_multipart.py`.

Faithful: Signature Version 4 in headers, URLs and chunks, checksums, conditions, error documents. Simplified:
one region called auto; no ACLs, tags and versions, as in R2; the jurisdiction is always the default one.
https://developers.cloudflare.com/r2/api/s3/api/
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from trailboss.sandbox.call import Call
from trailboss.sandbox.callers import allowed, names_of_account, token_in_use
from trailboss.sandbox.envelope import Raw
from trailboss.sandbox.products import s3_xml
from trailboss.sandbox.products.permission_groups import BUCKET
from trailboss.sandbox.products.s3_body import Body, receive
from trailboss.sandbox.products.s3_signature import S3Error, Signed, verify
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router, r2_s3_multipart, r2_s3_objects
from trailboss.sandbox.routes.r2 import KIND, find_bucket, make_bucket, remove_bucket
from trailboss.sandbox.routes.r2_s3_objects import Request, failure, xml

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

PREFIX = "/_s3"
READING = frozenset({"GET", "HEAD"})
LOGGED_OUT = S3Error(401, "Unauthorized", "The temporary credentials have expired or are incomplete.")
DENIED = S3Error(403, "AccessDenied", "Access Denied.")
MAX_KEYS = 1000


async def serve(call: Call) -> Raw:
    """Any S3 request."""
    try:
        signed = _authenticate(call)
        bucket, key = _target(call)
        _authorise(call, signed, bucket, key)
        body = await receive(call.stream(), call.headers, signed)
        with body:
            return await _dispatch(call, bucket, key, body)
    except S3Error as error:
        return _refusal(call, error)
    except ApiError as error:
        return _refusal(call, failure(error))


def _refusal(call: Call, error: S3Error) -> Raw:
    body = b"" if call.method == "HEAD" else s3_xml.error(error.code, error.message)
    return Raw(body, error.status, content_type="application/xml")


def _authenticate(call: Call) -> Signed:
    def secret_of(access_key: str) -> str | None:
        if access_key == call.box.identity.token_id:
            return call.box.identity.s3_secret
        token = token_in_use(call.box, access_key)
        if token is not None:
            return str(token["digest"])
        temporary = call.store.get("r2_credentials", access_key)
        return temporary["secretAccessKey"] if temporary else None

    return verify(
        call.method,
        call.raw_path,
        call.query_string,
        call.headers,
        secret_of=secret_of,
        now=datetime.now(UTC),
    )


def _target(call: Call) -> tuple[str, str]:
    bucket, _, key = call.raw_path.removeprefix(PREFIX).lstrip("/").partition("/")
    return unquote(bucket), unquote(key)


def _authorise(call: Call, signed: Signed, bucket: str, key: str) -> None:
    if signed.access_key == call.box.identity.token_id:
        return
    token = token_in_use(call.box, signed.access_key)
    if token is not None:
        if not _may(call, token, bucket):
            raise DENIED
        return
    grant = call.store.get("r2_credentials", signed.access_key) or {}
    if signed.session_token != grant.get("sessionToken") or grant["until"] < call.clock.now():
        raise LOGGED_OUT
    if bucket != grant["bucket"] or (call.method not in READING and grant["permission"].endswith("only")):
        raise DENIED
    limits = [*grant["prefixes"], *grant["objects"]]
    wanted = key or call.query("prefix")
    inside = wanted in grant["objects"] or any(wanted.startswith(one) for one in grant["prefixes"])
    if limits and not inside:
        raise DENIED
    if not key and call.method != "GET" and grant["permission"].startswith("object"):
        raise DENIED


def _may(call: Call, token: Record, bucket: str) -> bool:
    """Whether an API token's policies allow this on the account's buckets, or on this one."""
    policies, verbs = token["policies"], ("Read", "Write") if call.method in READING else ("Write",)
    account, area = names_of_account(call.account), "Workers R2 Storage"
    if allowed(policies, frozenset(f"{area} {verb}" for verb in verbs), account.__contains__):
        return True
    items = frozenset(f"{area} Bucket Item {verb}" for verb in verbs)
    ours = (f"{BUCKET}.{call.account}_", f"_{bucket}")
    return bool(bucket) and allowed(
        policies, items, lambda name: name.startswith(ours[0]) and name.endswith(ours[1])
    )


async def _dispatch(call: Call, bucket: str, key: str, body: Body) -> Raw:
    if not bucket:
        return _list_buckets(call)
    record = find_bucket(call.store, bucket)
    if record is None:
        if call.method == "PUT" and not key:
            return await _create_bucket(call, bucket)
        raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist.")
    if not key:
        return await _bucket(call, record, body)
    request = Request(call, record, key, dict(call.query_pairs), body)
    if "uploads" in request.query or "uploadId" in request.query:
        return await r2_s3_multipart.dispatch(request)
    return await r2_s3_objects.dispatch(request)


async def _bucket(call: Call, record: Record, body: Body) -> Raw:
    asked = dict(call.query_pairs)
    if call.method == "HEAD":
        return Raw(content_type="application/xml", headers={"x-amz-bucket-region": "auto"})
    if call.method == "DELETE":
        await remove_bucket(call, record)
        return Raw(status=204, content_type="")
    if call.method == "PUT" and not asked:
        raise S3Error(409, "BucketAlreadyOwnedByYou", "You already own this bucket.")
    if call.method == "POST" and "delete" in asked:
        return await r2_s3_objects.delete_objects(call, record, body)
    if call.method != "GET":
        raise not_implemented()
    if "location" in asked:
        return xml("LocationConstraint", {})
    if "uploads" in asked:
        return r2_s3_multipart.list_uploads(call, record)
    if set(asked) & {"acl", "tagging", "versioning", "policy", "lifecycle", "cors", "object-lock"}:
        raise not_implemented()
    return await _list_objects(call, record, asked)


def not_implemented() -> S3Error:
    """R2 has it not, or the sandbox has it not."""
    return S3Error(501, "NotImplemented", "A header or query you provided implies something unimplemented.")


def _list_buckets(call: Call) -> Raw:
    if call.method != "GET":
        raise not_implemented()
    found = [one for one in call.store.all(KIND) if one["jurisdiction"] == "default"]
    buckets = [{"Name": one["name"], "CreationDate": one["creation_date"]} for one in found]
    owner = {"ID": call.account, "DisplayName": call.account}
    return xml("ListAllMyBucketsResult", {"Owner": owner, "Buckets": {"Bucket": buckets}})


async def _create_bucket(call: Call, name: str) -> Raw:
    make_bucket(call.box, name)
    await call.runtime.sync()
    return Raw(headers={"location": f"/{name}"}, content_type="")


async def _list_objects(call: Call, record: Record, asked: dict[str, str]) -> Raw:
    second = asked.get("list-type") == "2"
    encoding = asked.get("encoding-type", "")
    limit = asked.get("max-keys", str(MAX_KEYS))
    if not re.fullmatch(r"\d+", limit):
        raise S3Error(400, "InvalidMaxKeys", "MaxKeys params must be positive integer <= 1000.")
    wanted = min(int(limit), MAX_KEYS)
    after = asked.get("start-after") if second else asked.get("marker")
    params = {
        "prefix": asked.get("prefix"),
        "delimiter": asked.get("delimiter"),
        "cursor": asked.get("continuation-token"),
        "start_after": after,
        "limit": str(max(wanted, 1)),
    }
    page = await r2_s3_objects.page_of(call, record, {name: text for name, text in params.items() if text})
    if not wanted:
        page = {"objects": [], "delimited_prefixes": [], "truncated": False}
    shared: dict[str, Any] = {
        "Name": record["name"],
        "Prefix": s3_xml.coded(asked.get("prefix", ""), encoding),
        "Delimiter": s3_xml.coded(asked.get("delimiter"), encoding),
        "MaxKeys": wanted,
        "EncodingType": encoding or None,
        "IsTruncated": page["truncated"],
        "Contents": s3_xml.objects(page["objects"], encoding),
        "CommonPrefixes": s3_xml.prefixes(page["delimited_prefixes"], encoding),
    }
    more = _second(page, asked, encoding) if second else _first(page, asked, encoding)
    return xml("ListBucketResult", {**shared, **more})


def _second(page: Record, asked: dict[str, str], encoding: str) -> dict[str, Any]:
    return {
        "KeyCount": len(page["objects"]) + len(page["delimited_prefixes"]),
        "StartAfter": s3_xml.coded(asked.get("start-after"), encoding),
        "ContinuationToken": asked.get("continuation-token"),
        "NextContinuationToken": page.get("cursor") if page["truncated"] else None,
    }


def _first(page: Record, asked: dict[str, str], encoding: str) -> dict[str, Any]:
    last = max([one["key"] for one in page["objects"]] + page["delimited_prefixes"], default=None)
    return {
        "Marker": s3_xml.coded(asked.get("marker", ""), encoding),
        "NextMarker": s3_xml.coded(last, encoding) if page["truncated"] else None,
    }


router = Router("r2_s3")
_WHY = "S3's protocol, not Cloudflare's"
for _path in (PREFIX, f"{PREFIX}/{{bucket}}", f"{PREFIX}/{{bucket}}/{{key:path}}"):
    router.add("*", _path, serve, open=True, unchecked=_WHY)
