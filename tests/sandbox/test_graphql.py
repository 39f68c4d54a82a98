"""GraphQL: documents, the counts of Workers by version and time, and how it refuses."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Sandbox
from tests.sandbox.upload import deploy
from trailboss.cloud import Cloud, Target
from trailboss.release.sources.analytics import estimate
from trailboss.sandbox.products.graphql_document import Malformed, parse
from trailboss.sandbox.products.graphql_invocations import NAME, answer, span
from trailboss.sandbox.products.invocations import Row, quantile
from trailboss.values import Secret

# 2026-01-01T00:00:00Z and on
NEW_YEAR = 1767225600
ROWS = [
    Row(NEW_YEAR, "api", "v1", "success", 10, 10_000.0, {80: 10}),
    Row(NEW_YEAR + 30, "api", "v2", "success", 4, 8_000.0, {88: 4}),
    Row(NEW_YEAR + 61, "api", "v2", "scriptThrewException", 1, 500.0, {72: 1}),
    Row(NEW_YEAR + 61, "web", "w1", "clientDisconnected", 2, 500.0, {64: 2}),
    Row(NEW_YEAR + 3600, "api", "v1", "success", 5, 5_000.0, {80: 5}),
]


def ask(arguments: str, fields: str, **variables: Any) -> list[dict[str, Any]]:
    document = f"query Q($v: string, $from: Time) {{ {NAME}{arguments} {{ {fields} }} }}"
    (field,) = parse(document, {"v": "v1", **variables})
    since, until = span(field)
    return answer(field, [row for row in ROWS if since <= row.second <= until])


def filtered(text: str) -> int:
    rows = ask(f"(filter: {{{text}}})", "sum { requests }")
    return rows[0]["sum"]["requests"] if rows else 0


def test_groups_sums_and_quantiles() -> None:
    rows = ask('(filter: {scriptName: "api"}, orderBy: [sum_requests_DESC])', FIELDS)
    assert [(row["dimensions"]["version"], row["sum"]["requests"], row["sum"]["errors"]) for row in rows] == [
        ("v1", 15, 0),
        ("v2", 5, 1),
    ]
    assert rows[0]["sum"]["wallTime"] == 15_000 and rows[0]["avg"] == {"sampleInterval": 1}
    assert rows[0]["quantiles"] == {"wallTimeP50": 1024, "p99": 1024, "cpuTimeP50": 0}
    assert rows[1]["quantiles"] == {"wallTimeP50": 2048, "p99": 2048, "cpuTimeP50": 0}
    assert ask("", "sum { requests clientDisconnects }") == [
        {"sum": {"requests": 22, "clientDisconnects": 2}}
    ]


FIELDS = """dimensions { version: scriptVersion } ...Numbers } }
fragment Numbers on AccountWorkersInvocationsAdaptive {
  sum { requests errors wallTime } quantiles { wallTimeP50 p99: wallTimeP99 cpuTimeP50 }
  ... on AccountWorkersInvocationsAdaptive { avg { sampleInterval }"""


@pytest.mark.parametrize(
    ("wanted", "requests"),
    [
        ('scriptVersion: "v2"', 5),
        ("scriptVersion: $v", 15),
        ('scriptVersion_in: ["v1", "w1"]', 17),
        ('scriptVersion_notin: ["v1", "w1"]', 5),
        ('scriptName_neq: "api"', 2),
        ('scriptName_like: "%e%"', 2),
        ('scriptName_notlike: "a%"', 2),
        ('status: "scriptThrewException"', 1),
        ('datetime_geq: "2026-01-01T00:00:30Z"', 12),
        ('datetime_gt: "2026-01-01T00:00:30Z"', 8),
        ('datetime_gt: "2026-01-01T00:00:29.5Z", datetime_lt: "2026-01-01T00:01:01Z"', 4),
        ('datetime_leq: "2026-01-01T01:00:30+01:00"', 14),
        ('datetimeMinute: "2026-01-01T00:01:00Z"', 3),
        ('datetimeHour_geq: "2026-01-01T01:00:00Z"', 5),
        ('date: "2026-01-01"', 22),
        ('date_gt: "2026-01-01"', 0),
        ('OR: [{scriptVersion: "v2"}, {AND: [{scriptName: "web"}, {status_neq: "success"}]}]', 7),
        ("", 22),
    ],
)
def test_filters(wanted: str, requests: int) -> None:
    assert filtered(wanted) == requests


def test_buckets_of_time_in_order_with_a_limit() -> None:
    rows = ask(
        "(limit: 2, orderBy: [datetimeMinute_DESC, scriptName_ASC])",
        "dimensions { datetimeMinute scriptName } count",
    )
    assert [(*row["dimensions"].values(), row["count"]) for row in rows] == [
        ("2026-01-01T01:00:00Z", "api", 5),
        ("2026-01-01T00:01:00Z", "api", 1),
    ]
    assert [row["dimensions"]["date"] for row in ask("", "dimensions { date }")] == ["2026-01-01"]
    assert quantile({}, 0.5) == 0


@pytest.mark.parametrize(
    ("arguments", "fields", "why"),
    [
        ('(filter: {scriptname: "a"})', "count", 'unknown field "scriptname"'),
        ('(filter: {scriptName_near: "a"})', "count", 'unknown field "scriptName_near"'),
        ('(filter: {datetime_gt: "yesterday"})', "count", "is not a time"),
        ("(filter: 3)", "count", "must be an object"),
        ("(limit: 20000)", "count", "not greater than 10000"),
        ("(orderBy: [nothing_ASC])", "count", "unknown value nothing_ASC"),
        ("(first: 1)", "count", "unknown arg first"),
        ("(filter: $none)", "count", 'unknown variable "none"'),
        ('(filter: {scriptName: "nobody"})', "sum { request }", 'unknown field "request"'),
        ("", "dimensions { version }", 'unknown field "version"'),
        ("", "sum", "objects must have selections"),
        ("", "sum { requests { a } }", "scalar fields must have not selections"),
        ("", "quantiles { wallTimeP42 }", 'unknown field "wallTimeP42"'),
        ("", "...Missing", 'unknown fragment "Missing"'),
        ("", "count } } query R { a { b", "exactly one operation"),
    ],
)
def test_refusals(arguments: str, fields: str, why: str) -> None:
    with pytest.raises(Malformed) as caught:
        ask(arguments, fields)
    assert why in str(caught.value)


def test_documents() -> None:
    document = '''query Named($a: [string!]! = ["x"], $o: Filter = {a: {}}, $yes: Boolean = true) @live {
      # a comment, with a brace }
      one: two(text: """raw "text" here""", list: [1, -2.5, true, null, NAME], s: "a\\"\\u0041\\n", v: $a) {
        ... on Thing @include(if: $yes) { three }  ... @skip(if: $yes) { four }  five @skip(if: true)
      }
    }'''
    (field,) = parse(document, {})
    assert (field.name, field.alias) == ("two", "one")
    expected = {
        "text": 'raw "text" here',
        "list": [1, -2.5, True, None, "NAME"],
        "s": 'a"A\n',
        "v": ["x"],
    }
    assert field.arguments == expected
    assert field.fields is not None and [inner.name for inner in field.fields] == ["three"]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "{}",
        "{ a(b: ) }",
        "{ a(b: 1 }",
        "mutation { a }",
        "query ($a: int!) { b }",
        "{ a: }",
        "%",
        "{a" * 30 + "}" * 30,
        "fragment F on T { ...F } { ...F }",
    ],
)
def test_documents_that_are_none(document: str) -> None:
    with pytest.raises(Malformed):
        parse(document, {})


def test_a_worker_is_counted_by_version_and_minute(account: Sandbox) -> None:
    first = version_of(deploy(account, "counted", code=CODE))
    for path in ("/", "/", "/throw"):
        account.worker("counted", path)
    account.control("PUT", "clock", {"advance": 7200})
    second = version_of(deploy(account, "counted", code=CODE + "// two"))
    account.worker("counted")
    rows = told(account, SETS)["data"]["viewer"]["accounts"][0][NAME]
    assert [
        (row["dimensions"]["scriptVersion"], row["dimensions"]["status"], row["sum"]) for row in rows
    ] == [
        (first, "scriptThrewException", {"requests": 1, "errors": 1}),
        (first, "success", {"requests": 2, "errors": 0}),
        (second, "success", {"requests": 1, "errors": 0}),
    ]
    assert rows[0]["quantiles"]["wallTimeP50"] > 0
    hours = {row["dimensions"]["datetimeHour"] for row in rows}
    assert len(hours) == 2, "the clock was advanced in between"


CODE = """export default { fetch(request) {
  if (request.url.endsWith("/throw")) throw new Error("thrown");
  return new Response("fine");
} };"""
SETS = f"""query ($a: string!) {{ viewer {{ accounts(filter: {{accountTag: $a}}) {{
  {NAME}(limit: 100, filter: {{scriptName: "counted"}}, orderBy: [datetimeHour_ASC, status_ASC]) {{
    dimensions {{ scriptVersion status datetimeHour }} sum {{ requests errors }} quantiles {{ wallTimeP50 }}
}} }} }} }}"""


def version_of(uploaded: Any) -> str:
    """The version an upload made and deployed."""
    return str(UUID(uploaded["deployment_id"]))


def told(account: Sandbox, document: str, **variables: Any) -> Any:
    body = {"query": document, "variables": {"a": account.connection.account_id, **variables}}
    reply = account.http.post(f"{account.connection.api_url}/graphql", content=json.dumps(body))
    assert reply.status_code == 200
    return reply.json()


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ viewer { accounts { workersInvocationAdaptive { count } } } }", "parser"),
        ("{ viewer { account { a } } }", "parser"),
        ("{ nobody { a } }", "parser"),
        ("not a document", "parser"),
        ('{ viewer { accounts(filter: {accountTag: "other"}) { settings { a } } } }', "authz"),
        ('{ viewer { zones(filter: {zoneTag: "other"}) { httpRequests1dGroups { a } } } }', "authz"),
    ],
)
def test_errors_have_graphqls_shape(account: Sandbox, document: str, code: str) -> None:
    answer = told(account, document)
    (error,) = answer["errors"]
    assert answer["data"] is None and error["message"] and error["extensions"]["code"] == code


def test_what_an_estimate_asks(account: Sandbox) -> None:
    version = version_of(deploy(account, "counted", code=CODE))
    for _ in range(3):
        account.worker("counted")
    found = account.connection
    target = Target(
        "sandbox:test", found.api_url, Secret(found.token), found.account_id, found.edge_url, True
    )

    async def main() -> Any:
        async with Cloud(target) as cloud:
            return await estimate(cloud, "counted", now=time.time() + 400)

    estimates = asyncio.run(main())
    assert not estimates.trouble and estimates.versions[version].requests == 3
