"""Signatures against what botocore signs, bodies against what they promise, XML there and back."""

import asyncio
import base64
import hashlib
import zlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trailboss.sandbox.products import s3_body, s3_xml
from trailboss.sandbox.products.s3_signature import (
    UNSIGNED,
    S3Error,
    Signed,
    chunk_signature,
    signing_key,
    verify,
)

SECRET = "s" * 64
KEYS = Credentials("key-id", SECRET)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _signing_clock(monkeypatch):
    """botocore signs at NOW, however long after this file was read its tests run."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)


def _verify(request, secret=SECRET, now=NOW):
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers.setdefault("host", parts.netloc)
    return verify(
        request.method,
        parts.path,
        parts.query,
        headers,
        secret_of={"key-id": secret}.get,
        now=now,
    )


def _signed(url, method="GET", data=b""):
    request = AWSRequest(method=method, url=url, data=data, headers={})
    request.context["client_config"] = None
    S3SigV4Auth(KEYS, "s3", "auto").add_auth(request)
    return request


@pytest.mark.parametrize(
    "path",
    ["/bucket/key", "/bucket/a%20b/%C3%BC%2Bx", "/bucket?list-type=2&prefix=a%2Fb", "/bucket/x?uploads", "/"],
)
def test_what_botocore_signs_is_accepted(path):
    signed = _verify(_signed(f"http://127.0.0.1:1{path}"))
    assert signed.access_key == "key-id"


def test_a_pre_signed_url_is_accepted_until_it_ends():
    request = AWSRequest(method="GET", url="http://127.0.0.1:1/b/k?versionId=1")
    S3SigV4QueryAuth(KEYS, "s3", "auto", expires=60).add_auth(request)
    assert _verify(request, now=NOW + timedelta(seconds=59)).payload == UNSIGNED
    with pytest.raises(S3Error, match="expired"):
        _verify(request, now=NOW + timedelta(seconds=61))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda request: setattr(request, "url", request.url + "x"), "SignatureDoesNotMatch"),
        (lambda request: request.headers.__delitem__("Authorization"), "Unauthorized"),
        (lambda request: request.headers.replace_header("Authorization", "Basic x"), "InvalidArgument"),
    ],
)
def test_a_changed_request_is_refused(change, code):
    request = _signed("http://127.0.0.1:1/b/k")
    change(request)
    with pytest.raises(S3Error) as caught:
        _verify(request)
    assert caught.value.code == code


def test_an_old_request_and_an_unknown_key_are_refused():
    request = _signed("http://127.0.0.1:1/b/k")
    with pytest.raises(S3Error, match="time"):
        _verify(request, now=NOW + timedelta(minutes=20))
    with pytest.raises(S3Error, match="unknown"):
        verify("GET", "/", "", {**_lower(request)}, secret_of=lambda _: None, now=NOW)


def _lower(request):
    return {name.lower(): value for name, value in request.headers.items()}


def _stream(payload):
    scope = "20260101/auto/s3/aws4_request"
    return Signed("key-id", payload, signing_key(SECRET, scope), scope, "20260101T000000Z", "seed", "")


def _receive(pieces, headers, signed):
    async def stream():
        for piece in pieces:
            yield piece

    async def main():
        with await s3_body.receive(stream(), headers, signed) as body:
            return body.read(), body.md5, [piece async for piece in body.pieces()]

    return asyncio.run(main())


def test_signed_chunks_arrive_in_any_pieces():
    signed, previous, wire = _stream("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "seed", b""
    for chunk in (b"hello ", b"world", b""):
        previous = chunk_signature(signed, previous, hashlib.sha256(chunk).hexdigest())
        wire += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk + b"\r\n"
    for size in (1, 7, len(wire)):
        pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
        body, md5, _ = _receive(pieces, {"x-amz-decoded-content-length": "11"}, signed)
        assert (body, md5) == (b"hello world", hashlib.md5(b"hello world").hexdigest())
    with pytest.raises(S3Error, match="chunk"):
        _receive([wire.replace(b"world", b"wor1d")], {}, signed)
    with pytest.raises(S3Error, match="last chunk"):
        _receive([wire[:20]], {}, signed)


def test_a_trailing_checksum_is_checked():
    signed = _stream("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    crc = base64.b64encode(zlib.crc32(b"data").to_bytes(4, "big"))
    wire = b"4\r\ndata\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n"
    assert _receive([wire % crc], {}, signed)[0] == b"data"
    with pytest.raises(S3Error, match="crc32"):
        _receive([wire % b"AAAAAA=="], {}, signed)


def test_a_plain_body_must_be_what_was_signed():
    digest = hashlib.sha256(b"x").hexdigest()
    assert _receive([b"x"], {}, _stream(digest))[0] == b"x"
    with pytest.raises(S3Error, match="sha256"):
        _receive([b"y"], {}, _stream(digest))
    with pytest.raises(S3Error, match="content-md5"):
        _receive([b"y"], {"content-md5": "bad"}, _stream(UNSIGNED))


def test_xml_there_and_back():
    raw = s3_xml.document("R", {"A": 1, "B": [{"C": "x<y"}, {"C": True}], "D": None})
    element = s3_xml.parse(raw, "R")
    assert [s3_xml.text(one, "C") for one in element.findall("B")] == ["x<y", "true"]
    assert s3_xml.text(element, "D") == ""
    assert s3_xml.coded("a b/ü", "url") == "a%20b/%C3%BC"
    for bad in (b"<R", b"<Other/>"):
        with pytest.raises(S3Error):
            s3_xml.parse(bad, "R")
