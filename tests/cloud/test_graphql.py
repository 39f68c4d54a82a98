"""GraphQL errors arrive as HTTP 200."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Loopback
from trailboss.cloud import Cloud
from trailboss.cloud.graphql import graphql
from trailboss.errors import CloudError, PermissionDenied, RateLimited, Unavailable


def ask(connect: Callable[..., Cloud], body: bytes) -> tuple[Any, Loopback]:
    async def main() -> tuple[Any, Loopback]:
        async with Loopback(lambda _: Answer(200, body)) as server, connect(server) as cloud:
            return await graphql(cloud, "query q", {"a": 1}), server

    return asyncio.run(main())


def test_data(connect: Callable[..., Cloud]) -> None:
    data, server = ask(connect, b'{"data":{"viewer":{}},"errors":null}')
    assert data == {"viewer": {}}
    assert json.loads(server.requests[0].body) == {"query": "query q", "variables": {"a": 1}}
    assert server.requests[0].path == "/client/v4/graphql"


@pytest.mark.parametrize(
    ("message", "kind", "code"),
    [
        ("not authorized for that account", PermissionDenied, "TB2601"),
        ("rate limiter budget depleted, try again after 5 minutes", RateLimited, "TB2602"),
        ('unknown field "x"', CloudError, "TB2603"),
    ],
)
def test_errors(connect: Callable[..., Cloud], message: str, kind: type[CloudError], code: str) -> None:
    with pytest.raises(kind) as caught:
        ask(connect, json.dumps({"data": None, "errors": [{"message": message}]}).encode())
    assert caught.value.code == code
    assert message in str(caught.value)


def test_no_json(connect: Callable[..., Cloud]) -> None:
    with pytest.raises(Unavailable):
        ask(connect, b"<html>")
