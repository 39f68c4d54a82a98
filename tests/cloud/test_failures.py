"""Status, Cloudflare's code and the product together decide which error it is."""

from __future__ import annotations

import pytest

from trailboss.cloud.codes import family, permission
from trailboss.cloud.failures import refusal, unreachable
from trailboss.cloud.redact import Redactor
from trailboss.errors import (
    AlreadyExists,
    AuthenticationError,
    CloudError,
    NotFound,
    PermissionDenied,
    RateLimited,
    Unavailable,
)
from trailboss.values import Secret

A = "/accounts/a"


def fail(method: str, path: str, status: int, code: int, message: str = "m") -> CloudError:
    errors = [{"code": code, "message": message}] if code else []
    return refusal(method, path, status, {}, errors, redactor=Redactor())


@pytest.mark.parametrize(
    ("path", "status", "code", "kind"),
    [
        (f"{A}/workers/scripts/x", 404, 10007, NotFound),
        (f"{A}/workers/services/x", 404, 10090, NotFound),
        (f"{A}/workers/subdomain", 404, 10007, NotFound),
        (f"{A}/workers/scripts/x/tails", 404, 10007, NotFound),
        (f"{A}/r2/buckets/b/objects/k", 404, 10007, NotFound),
        (f"{A}/r2/buckets/b", 404, 10006, NotFound),
        (f"{A}/r2/buckets", 409, 10004, AlreadyExists),
        (f"{A}/storage/kv/namespaces", 400, 10014, AlreadyExists),
        (f"{A}/workers/scripts/x", 400, 10014, CloudError),
        (f"{A}/d1/database/x", 404, 7404, NotFound),
        (f"{A}/d1/database", 400, 7502, AlreadyExists),
        (f"{A}/d1/database", 400, 7406, CloudError),
        (f"{A}/workers/scripts/x/versions", 400, 10021, CloudError),
        (f"{A}/workers/scripts", 401, 10000, AuthenticationError),
        (f"{A}/workers/scripts", 403, 10000, PermissionDenied),
        ("/user/tokens/verify", 401, 1000, AuthenticationError),
        ("/user", 400, 9106, AuthenticationError),
        ("/user", 403, 9109, PermissionDenied),
        ("/user", 400, 6003, AuthenticationError),
        (f"{A}/cfd_tunnel", 409, 1013, AlreadyExists),
        (f"{A}/workers/scripts/x/schedules", 400, 10100, CloudError),
        (f"{A}/workers/scripts/x/schedules", 429, 10100, RateLimited),
        (f"{A}/anything", 429, 0, RateLimited),
        (f"{A}/anything", 403, 971, RateLimited),
        (f"{A}/anything", 404, 0, NotFound),
        (f"{A}/anything", 403, 0, PermissionDenied),
        (f"{A}/anything", 500, 10007, Unavailable),
        (f"{A}/anything", 400, 77, CloudError),
        (f"{A}/anything", 501, 10501, CloudError),
        (f"{A}/anything", 404, 7003, NotFound),
    ],
)
def test_classes(path: str, status: int, code: int, kind: type[CloudError]) -> None:
    assert type(fail("POST", path, status, code)) is kind


def test_messages_decide_where_codes_do_not() -> None:
    assert isinstance(fail("GET", "/user", 400, 9109, "Invalid access token"), AuthenticationError)
    taken = fail("POST", f"{A}/unheard/of", 409, 123, "A thing with this name already exists")
    assert isinstance(taken, AlreadyExists)


def test_a_missing_permission_is_named() -> None:
    error = fail("PUT", f"{A}/d1/database/x", 403, 10000, "Authentication error")
    assert "'D1 Write'" in error.hint
    assert "'Workers Tail Read'" in fail("POST", f"{A}/workers/scripts/x/tails", 403, 10000).hint
    assert permission("/zones/z/dns_records", writes=False) == "DNS Read"
    assert family("/zones/z/workers/routes") == "routes"
    assert permission("/nothing/known", writes=True) == ""


def test_the_whole_chain_is_told() -> None:
    chain = [{"code": 6111, "message": "Invalid format"}]
    errors = [
        {"code": 6003, "message": "Invalid request headers", "error_chain": chain},
        {"code": 1, "message": "b"},
    ]
    error = refusal("GET", "/user", 400, {"cf-ray": "ray-AMS"}, errors, redactor=Redactor())
    expected = "GET /user: Invalid request headers [code: 6003] <- Invalid format [code: 6111]; b [code: 1]"
    assert str(error) == f"{expected} (cf-ray ray-AMS)"
    assert error.has_code(1)


def test_an_echoed_token_is_masked() -> None:
    token = Secret("abcdefghijklmnop")
    errors = [{"code": 1, "message": "bad abcdefghijklmnop", "meta": {"got": ["Bearer abcdefghijklmnop"]}}]
    error = refusal("GET", "/x/abcdefghijklmnop", 400, {}, errors, redactor=Redactor([token]))
    assert "abcdefghijklmnop" not in f"{error} {error.errors} {error!r} {error.as_json()} {vars(error)}"


def test_only_writes_can_be_in_doubt() -> None:
    for method, sent, doubt in [("GET", True, False), ("PUT", True, True), ("PUT", False, False)]:
        assert unreachable(method, "/x", "cut", Redactor(), sent=sent).effect_unknown is doubt
