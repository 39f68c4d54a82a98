"""Requests are checked by the names and shapes the wire has, not by those of the SDK's Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import IO, Annotated, Any, Literal, NotRequired, Required, Union

import pytest
from cloudflare._utils import PropertyInfo
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from tests.conftest import Sandbox
from trailboss.sandbox.contract import request_problem
from trailboss.sandbox.contract_wire import required_names, wire_names, wire_type
from trailboss.sandbox.routes import discover

CREDENTIALS = "r2.TemporaryCredentialCreateParams"
HERE = frozenset({"account_id"})
GOOD = {"bucket": "b", "parentAccessKeyId": "k", "permission": "object-read-only", "ttlSeconds": 900}


class Inner(TypedDict, total=False):
    max_age: Required[Annotated[int, PropertyInfo(alias="maxAge")]]
    again: Inner


class Other(TypedDict):
    kind: Required[Literal["other"]]
    plain: str
    maybe: NotRequired[str]


class Outer(TypedDict, total=False):
    account_id: Required[str]
    kind: Required[Literal["outer"]]
    many: Iterable[Inner]
    few: Sequence[str]
    by_name: Annotated[Mapping[str, Inner], PropertyInfo(alias="byName")]
    one_of: Annotated[Union[Inner, str], PropertyInfo(alias="oneOf")]  # noqa: UP007
    if_match: Annotated[str, PropertyInfo(alias="If-Match")]
    blob: Annotated[Union[str, IO[bytes]], PropertyInfo(format="base64")]  # noqa: UP007
    file: Union[IO[bytes], bytes, PathLike[str]]  # noqa: UP007


Either = Union[Outer, Other]  # noqa: UP007


def problems(annotation: Any, value: Any, elsewhere: frozenset[str] = HERE) -> set[str]:
    """Where a value does not fit."""
    import json

    try:
        TypeAdapter(wire_type(annotation, elsewhere)).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        return {".".join(map(str, item["loc"])) for item in error.errors()}
    return set()


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({}, set()),
        ({"many": [{"maxAge": 1}], "few": ["a"], "byName": {"x": {"maxAge": 1}}, "oneOf": "s"}, set()),
        ({"oneOf": {"maxAge": 1, "again": {"anything": 1}}, "unknown": {"to": "the SDK"}}, set()),
        ({"blob": "aGk=", "file": "a part"}, set()),
        ({"kind": "else"}, {"kind"}),
        ({"many": [{"maxAge": 1}, {"max_age": 1}]}, {"many.1.maxAge"}),
        ({"many": {"maxAge": 1}}, {"many"}),
        ({"few": ["a", 1]}, {"few.1"}),
        ({"few": "abc"}, {"few"}),
        ({"byName": {"x": {"maxAge": "1"}}}, {"byName.x.maxAge"}),
        ({"oneOf": {}}, {"oneOf.Inner.maxAge", "oneOf.str"}),
        ({"blob": 1}, {"blob"}),
    ],
)
def test_names_arrays_unions_and_files(value: dict[str, Any], where: set[str]) -> None:
    assert problems(Outer, {"kind": "outer", **value}) == where


def test_what_must_be_there() -> None:
    assert problems(Outer, {}) == {"kind"}
    assert problems(Outer, {"kind": "outer"}, frozenset()) == {"account_id"}
    assert problems(Other, {"kind": "other"}) == {"plain"}
    assert problems(Either, {"kind": "other", "plain": "x"}) == set()
    assert problems(Either, {"kind": "outer"}) == set()
    assert problems(Either, {"kind": "none"}) >= {"Outer.kind", "Other.kind"}
    assert required_names(Either, frozenset()) == {"kind"}
    assert required_names(Outer, HERE | {"kind"}) == set()
    assert {"byName", "If-Match", "plain"} <= wire_names(Either)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ""),
        ({"colour": "unknown fields are let through"}, ""),
        ({"ttlSeconds": "900"}, "ttlSeconds: Input should be a valid number"),
        ({"permission": "all"}, "permission: Input should be 'admin-read-write'"),
        ({"prefixes": "a"}, "prefixes: Input should be a valid array"),
        ({"bucket": None}, "bucket: Input should be a valid string"),
    ],
)
def test_each_way_to_be_wrong(change: dict[str, Any], problem: str) -> None:
    found = request_problem(CREDENTIALS, {**GOOD, **change}, HERE)
    assert found.startswith(problem) and bool(found) is bool(problem)


def test_the_sdks_own_names_are_not_the_wires() -> None:
    fields = {**GOOD, "ttl_seconds": 900}
    fields.pop("ttlSeconds")
    assert request_problem(CREDENTIALS, fields, HERE) == "ttlSeconds: Field required"


UNDECLARED = {
    "a form or raw bytes, which the handler takes apart": {
        "r2.buckets.objects.upload",
        "vectorize.indexes.insert",
        "vectorize.indexes.upsert",
        "workers.assets.upload.create",
    },
    "the SDK has no parameter for the body": {
        "accounts.tokens.value.update",
        "user.tokens.value.update",
        "alerting.destinations.pagerduty.create",
        "cache.cache_reserve.clear",
        "hyperdrive.configs.restart",
        "r2.buckets.edit",
        "workers.scripts.tail.create",
        "zero_trust.access.applications.cas.create",
        "zero_trust.access.applications.revoke_tokens",
        "zero_trust.access.gateway_ca.create",
        "zero_trust.access.keys.rotate",
        "zero_trust.access.service_tokens.refresh",
    },
    "depends on a path value": {"ai.run", "zones.settings.edit"},
}
"""Calls with a body whose type is not declared, by the reason."""


def test_every_body_has_a_type_or_a_reason() -> None:
    bodies = {"POST", "PUT", "PATCH"}
    undeclared = {
        route.sdk
        for router in discover()
        for route in router.routes
        if route.sdk and route.method in bodies and not route.request
    }
    assert undeclared <= set().union(*UNDECLARED.values()), "give the route request=, or a reason here"


def test_every_declared_request_can_be_checked() -> None:
    for router in discover():
        for route in router.routes:
            if route.request:
                assert isinstance(request_problem(route.request, {}, frozenset(route.parameters)), str)


def test_a_refusal_over_http(account: Sandbox) -> None:
    """Arrays are the SDK's `body`; what is in the path, the query or a header is not asked of the body."""
    spaces, zones = f"{account.account}/storage/kv/namespaces", account.call("GET", "/zones")
    space = account.call("POST", spaces, {"title": "t"})["id"]
    error = account.call("PUT", f"{spaces}/{space}/bulk", [{"key": 1, "value": "v"}], expect=400)
    assert (error["code"], "body.0.key" in error["message"]) == (10599, True)
    error = account.call("PUT", f"{spaces}/{space}/bulk", {"key": "k"}, expect=400)
    assert "body: Field required" in error["message"]
    url = f"{account.connection.api_url}/zones/{zones[0]['id']}/dns_records/import"
    answer = account.http.post(url, files={"wrong": ("a", b"x")})
    assert "file: Part required" in answer.json()["errors"][0]["message"]
    base = account.call("POST", f"{account.account}/d1/database", {"name": "d"})["uuid"]
    path = f"{account.account}/d1/database/{base}/time_travel"
    mark = account.call("GET", f"{path}/bookmark")["bookmark"]
    account.call("POST", f"{path}/restore?bookmark={mark}")
