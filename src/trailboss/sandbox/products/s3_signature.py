"""AWS Signature Version 4 as R2 checks it: headers, pre-signed URLs, signed chunks.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
SKEW = timedelta(minutes=15)
LONGEST = 604800
"""Seconds a pre-signed URL may live."""


class S3Error(Exception):
    """A refusal in S3's own words: `code` and `status` as R2 documents them."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed, and what is needed to check the chunks of a streamed body."""

    access_key: str
    payload: str
    """The declared SHA-256 of the body, UNSIGNED-PAYLOAD, or a STREAMING-... form."""
    key: bytes
    scope: str
    date: str
    signature: str
    session_token: str


def verify(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    *,
    secret_of: Callable[[str], str | None],
    now: datetime,
) -> Signed:
    """Check a request's signature. `path` and `query` are as sent (percent-encoded), header names lower case.

    Raises:
        S3Error: Unauthorized, SignatureDoesNotMatch, ExpiredRequest, RequestTimeTooSkewed, InvalidArgument.
    """
    parameters = _pairs(query)
    asked = dict(parameters)
    presigned = "X-Amz-Signature" in asked
    claim = _presigned_claim(asked, now) if presigned else _header_claim(headers, now)
    secret = secret_of(claim.access_key)
    if secret is None:
        raise S3Error(401, "Unauthorized", "The access key id is unknown.")
    key = signing_key(secret, claim.scope)
    canonical = canonical_request(method, path, parameters, headers, claim.names, claim.payload)
    expected = _hex(key, f"{ALGORITHM}\n{claim.date}\n{claim.scope}\n{_sha256(canonical)}")
    if not hmac.compare_digest(expected, claim.signature):
        raise S3Error(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided."
            " Check your secret access key and signing method.",
        )
    return Signed(claim.access_key, claim.payload, key, claim.scope, claim.date, expected, claim.token)


@dataclass(frozen=True, slots=True)
class _Claim:
    access_key: str
    scope: str
    names: list[str]
    signature: str
    date: str
    payload: str
    token: str


def _header_claim(headers: Mapping[str, str], now: datetime) -> _Claim:
    header = headers.get("authorization", "")
    if not header:
        raise S3Error(401, "Unauthorized", "Missing credentials.")
    fields = dict(re.findall(r"(Credential|SignedHeaders|Signature)=([^,\s]+)", header))
    if not header.startswith(ALGORITHM) or len(fields) != 3:
        raise S3Error(400, "InvalidArgument", f"Authorization must be {ALGORITHM} with its three fields.")
    date = headers.get("x-amz-date", "")
    if abs(now - _moment(date)) > SKEW:
        raise S3Error(403, "RequestTimeTooSkewed", "The request's time differs too much from the server's.")
    return _claim(
        fields["Credential"],
        fields["SignedHeaders"],
        fields["Signature"],
        date,
        headers.get("x-amz-content-sha256", EMPTY_SHA256),
        headers.get("x-amz-security-token", ""),
    )


def _presigned_claim(asked: Mapping[str, str], now: datetime) -> _Claim:
    if asked.get("X-Amz-Algorithm") != ALGORITHM:
        raise S3Error(400, "InvalidArgument", f"X-Amz-Algorithm must be {ALGORITHM}.")
    seconds = asked.get("X-Amz-Expires", "")
    if not seconds.isdigit() or not 1 <= int(seconds) <= LONGEST:
        raise S3Error(400, "InvalidArgument", f"X-Amz-Expires must be between 1 and {LONGEST} seconds.")
    date = asked.get("X-Amz-Date", "")
    if now > _moment(date) + timedelta(seconds=int(seconds)):
        raise S3Error(403, "ExpiredRequest", "Request has expired.")
    return _claim(
        asked.get("X-Amz-Credential", ""),
        asked.get("X-Amz-SignedHeaders", ""),
        asked["X-Amz-Signature"],
        date,
        UNSIGNED,
        asked.get("X-Amz-Security-Token", ""),
    )


def _claim(  # noqa: PLR0917
    credential: str, names: str, signature: str, date: str, payload: str, token: str
) -> _Claim:
    access_key, _, scope = credential.partition("/")
    parts = scope.split("/")
    if len(parts) != 4 or parts[3] != "aws4_request" or parts[2] != "s3":
        raise S3Error(400, "InvalidArgument", "The credential scope must be <date>/<region>/s3/aws4_request.")
    if parts[0] != date[:8]:
        raise S3Error(400, "InvalidArgument", "The credential's date is not the request's.")
    return _Claim(access_key, scope, names.split(";"), signature, date, payload, token)


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise S3Error(400, "InvalidArgument", "x-amz-date must be given as 20260101T000000Z.") from None


def _pairs(query: str) -> list[tuple[str, str]]:
    pieces = (piece.partition("=") for piece in query.split("&") if piece)
    return [(unquote(name), unquote(value)) for name, _, value in pieces]


def canonical_request(  # noqa: PLR0917
    method: str,
    path: str,
    parameters: list[tuple[str, str]],
    headers: Mapping[str, str],
    names: list[str],
    payload: str,
) -> str:
    """The text both sides hash."""
    query = "&".join(
        sorted(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in parameters
            if name != "X-Amz-Signature"
        )
    )
    lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names)
    resource = quote(unquote(path), safe="/-_.~")
    return "\n".join([method, resource, query, lines, ";".join(names), payload])


def signing_key(secret: str, scope: str) -> bytes:
    """The key derived for one date, region and service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def chunk_signature(signed: Signed, previous: str, data_sha256: str) -> str:
    """What the next chunk of a signed stream must carry."""
    text = f"{ALGORITHM}-PAYLOAD\n{signed.date}\n{signed.scope}\n{previous}\n{EMPTY_SHA256}\n{data_sha256}"
    return _hex(signed.key, text)


def _hex(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
