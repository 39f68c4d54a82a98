"""The small parts on their own: forms, the route tree, the store, the clock, guards, filters."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.sandbox.clock import Clock
from trailboss.sandbox.guard import refuse_foreign
from trailboss.sandbox.multipart import parse_form
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Route, Router
from trailboss.sandbox.runtime import plain
from trailboss.sandbox.store import Store
from trailboss.sandbox.table import Table
from trailboss.sandbox.tail_filters import passes


async def nothing(call: object) -> None:
    return None


def table(*paths: str) -> Table:
    built = Table()
    for path in paths:
        built.add(Route("GET", path, nothing, "test"))
    return built


def test_literal_segments_win_and_the_rest_takes_slashes() -> None:
    routes = table("/a/{x}", "/a/b", "/a/{x}/keys/{key:path}", "/a/{x}/{y}")
    assert routes.find("GET", "/a/b")[0] is not None
    found = {path: routes.find("GET", path) for path in ("/a/b", "/a/c%2Fd", "/a/c/keys/d/e%2Ff", "/a/c/d")}
    assert [entry[1] for entry in found.values()] == [
        {},
        {"x": "c/d"},
        {"x": "c", "key": "d/e/f"},
        {"x": "c", "y": "d"},
    ]
    assert routes.find("POST", "/a/b") == (None, {}, True)
    assert routes.find("GET", "/b") == (None, {}, False)


def test_one_shape_is_declared_once() -> None:
    router = Router("test")
    router.add("GET", "A/things/{id}", nothing)
    with pytest.raises(ValueError, match="twice"):
        table("/client/v4/accounts/{account_id}/things/{name}").add(router.routes[0])


@given(st.binary(max_size=300))
def test_any_form_body_is_parts_or_a_refusal(body: bytes) -> None:
    try:
        parse_form("multipart/form-data; boundary=x", body)
    except ApiError as refusal:
        assert refusal.status == 400


@given(st.lists(st.tuples(st.text("abc._-/ ü", min_size=1, max_size=8), st.binary(max_size=50)), max_size=4))
def test_forms_come_back_as_they_were_sent(parts: list[tuple[str, bytes]]) -> None:
    import httpx

    files = [(name, (name, data, "text/plain")) for name, data in parts]
    if not files:
        return
    request = httpx.Request("POST", "http://x", files=files)
    read = parse_form(request.headers["content-type"], request.read())
    assert [(part.name, part.filename, part.data) for part in read] == [(n, n, d) for n, d in parts]


def test_a_form_with_bare_newlines_is_read() -> None:
    lines = (
        "--x",
        'Content-Disposition: form-data; name="files"; filename="a.js"',
        "Content-Type: text/plain",
        "",
    )
    body = "\n".join(
        (*lines, "one\ntwo", "--x", 'Content-Disposition: form-data; name="b"', "", "", "--x--", "")
    )
    first, second = parse_form("multipart/form-data; boundary=x", body.encode())
    assert (first.name, first.filename, first.content_type) == ("files", "a.js", "text/plain")
    assert (first.data, second.name, second.data) == (b"one\ntwo", "b", b"")
    with pytest.raises(ApiError):
        parse_form("multipart/form-data; boundary=x", body.removesuffix("--x--\n").encode())


def test_a_python_worker_without_a_network_says_what_is_missing() -> None:
    raw = "failed: Request for Pyodide bundle failed; url = https://x.test/pyodide_1.bin; failed to lookup"
    assert plain(raw).endswith("https://x.test/pyodide_1.bin failed.")
    assert plain("SyntaxError: oops") == "SyntaxError: oops"


def test_a_transaction_is_whole_or_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite")
    with pytest.raises(RuntimeError), store.transaction():
        store.put("thing", "a", {"x": 1})
        with store.transaction():
            store.put("thing", "b", {"x": 2})
        raise RuntimeError
    assert store.all("thing") == []
    store.put("thing", "a", {"x": 1}, parent="p")
    store.put("thing", "b", {"x": 2}, parent="p")
    store.put("thing", "a", {"x": 3}, parent="p")
    assert [record["x"] for record in store.all("thing", "p")] == [3, 2]
    assert store.find("thing", x=2) == {"x": 2}
    for number in range(5):
        store.put(
            "named", str(number), {"name": f"n{number % 2}", "on": number > 2, "of": [number], "no": None}
        )
    assert [one["of"] for one in store.where("named", name="n0")] == [[0], [2], [4]]
    assert store.where("named", name="n0", on=True, of=[4], no=None) == [store.get("named", "4")]
    assert store.where("named", "elsewhere", name="n0") == [] and store.find("named", name="0") is None
    page = store.page("named", None, offset=1, limit=2, newest_first=True)
    assert [one["of"] for one in page] == [[3], [2]] and store.count("named", "") == 5
    plan = store.execute(
        "explain query plan select body from records where kind=? and json_extract(body, '$.name')=?",
        ("named", "n0"),
    )
    assert "records_by_name" in str(plan.fetchall()), "no scan"
    assert (store.count("thing"), store.delete("thing", "a"), store.delete("thing", "a")) == (2, True, False)
    store.close()


def test_the_clock_stands_moves_and_wakes() -> None:
    async def scene() -> None:
        clock = Clock()
        clock.set(freeze=1000.0)
        sleeper = asyncio.create_task(clock.sleep_until(1060))
        await asyncio.sleep(0)
        assert not sleeper.done()
        clock.set(advance=60)
        await asyncio.wait_for(sleeper, 1)
        assert (clock.now(), clock.iso()) == (1060, "1970-01-01T00:17:40.000000Z")
        clock.set(freeze=False)
        assert 1060 <= clock.now() < 1070

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("headers", "path", "refused"),
    [
        ({"host": "127.0.0.1:8400"}, "/client/v4/user", False),
        ({"host": "localhost"}, "/client/v4/user", False),
        ({"host": "[::1]:8400"}, "/client/v4/user", False),
        ({}, "/client/v4/user", True),
        ({"host": "localhost.evil.example"}, "/client/v4/user", True),
        ({"host": "control"}, "/client/v4/user", True),
        ({"host": "control"}, "/_sandbox/runtime/trace", False),
        ({"host": "localhost", "origin": "null"}, "/client/v4/user", True),
    ],
)
def test_who_may_speak(headers: dict[str, str], path: str, refused: bool) -> None:
    assert (refuse_foreign(headers, path) is not None) is refused


ITEM = {
    "outcome": "exception",
    "version": "v1",
    "logs": [{"message": ["found it"]}],
    "event": {"request": {"method": "GET", "headers": {"X-Mark": "abc", "cf-connecting-ip": "127.0.0.1"}}},
}


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({"outcome": ["exception"]}, True),
        ({"outcome": ["ok"]}, False),
        ({"method": ["GET"]}, True),
        ({"method": ["POST"]}, False),
        ({"header": {"key": "x-mark"}}, True),
        ({"header": {"key": "x-mark", "query": "zzz"}}, False),
        ({"client_ip": ["self"]}, True),
        ({"client_ip": ["9.9.9.9"]}, False),
        ({"query": "found"}, True),
        ({"query": "lost"}, False),
        ({"scriptVersion": "v1"}, True),
        ({"sampling_rate": 0.4}, False),
        ({"unknown": 1}, True),
    ],
)
def test_tail_filters(rule: dict[str, object], wanted: bool) -> None:
    assert passes(ITEM, [rule], lambda: 0.5) is wanted
