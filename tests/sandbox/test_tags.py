"""Resource tags: compare-and-set, both refusals, and thousands of tagged resources."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sandbox
from trailboss.sandbox.products import tag_index
from trailboss.sandbox.products.tag_index import Search
from trailboss.sandbox.store import Store


def write(
    account: Sandbox, which: dict[str, str], tags: dict[str, str], match: str = "", root: str = ""
) -> int:
    url = f"{account.connection.api_url}{root or account.account}/tags"
    headers = {"if-match": match} if match else {}
    return account.http.put(url, json={**which, "tags": tags}, headers=headers).status_code


def read(account: Sandbox, which: dict[str, str], root: str = "") -> Any:
    query = "&".join(f"{name}={value}" for name, value in which.items())
    return account.call("GET", f"{root or account.account}/tags?{query}")


def test_the_account_and_zones_carry_tags(account: Sandbox) -> None:
    own = {"resource_type": "account", "resource_id": account.connection.account_id}
    first = read(account, own)
    assert first["tags"] == {}
    assert write(account, own, {"lock": "a"}, first["etag"]) == 200
    assert write(account, own, {"lock": "b"}, first["etag"]) == 412
    assert read(account, own)["tags"] == {"lock": "a"}
    assert write(account, {**own, "resource_id": "0" * 32}, {"lock": "a"}) == 404
    ours = account.call("GET", "/zones")[0]["id"]
    other = account.call("POST", "/zones", {"name": "example.org", "account": {"id": "x"}})["id"]
    zone = {"resource_type": "zone", "resource_id": ours}
    assert write(account, zone, {"env": "dev"}, root=f"/zones/{ours}") == 200
    assert write(account, zone, {"env": "dev"}, root=f"/zones/{other}") == 404
    found = account.call("GET", f"{account.account}/tags/resources?tag=env=dev")
    assert [(one["type"], one["zone_id"]) for one in found] == [("zone", ours)]


def test_one_of_many_wins(account: Sandbox) -> None:
    own = {"resource_type": "account", "resource_id": account.connection.account_id}
    before = read(account, own)["etag"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: write(account, own, {"lock": str(n)}, before), range(16)))
    assert sorted(answers) == [200, *[412] * 15]


@pytest.mark.parametrize(
    ("kind", "path", "body", "field"),
    [
        (
            "alerting_webhook",
            "alerting/v3/destinations/webhooks",
            {"name": "h", "url": "https://e.com"},
            "id",
        ),
        (
            "alerting_policy",
            "alerting/v3/policies",
            {
                "name": "p",
                "alert_type": "incident_alert",
                "enabled": True,
                "mechanisms": {"email": [{"id": "a@b.c"}]},
            },
            "id",
        ),
        ("queue", "queues", {"queue_name": "q"}, "queue_id"),
        ("d1_database", "d1/database", {"name": "d"}, "uuid"),
        ("r2_bucket", "r2/buckets", {"name": "bucket"}, "name"),
    ],
)
def test_types_find_their_resources(
    account: Sandbox, kind: str, path: str, body: dict[str, Any], field: str
) -> None:
    which = {"resource_type": kind, "resource_id": "nowhere"}
    assert write(account, which, {"a": "b"}) == 404
    which["resource_id"] = account.call("POST", f"{account.account}/{path}", body)[field]
    assert write(account, which, {"a": "b"}) == 200
    (found,) = account.call("GET", f"{account.account}/tags/resources?tag=a")
    assert (found["type"], found["id"]) == (kind, which["resource_id"])


def test_both_meanings_of_403(account: Sandbox) -> None:
    path = f"{account.account}/tags/keys"
    for mode, word in (("no-permission", "permission"), ("not-enabled", "feature")):
        account.control("POST", "seed", {"tagging": mode})
        assert word in account.call("GET", path, expect=403)["message"]
        own = {"resource_type": "account", "resource_id": account.connection.account_id}
        assert write(account, own, {"a": "b"}) == 403
    account.control("POST", "seed", {"tagging": "enabled"})
    assert account.call("GET", path) == []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(Path(tmp_path_factory.mktemp("tags")) / "state.sqlite")
    store.define(tag_index.SCHEMA)
    for number in range(5000):
        env = "prod" if number % 5 == 0 else "dev"
        tags = {"project": "shop" if number % 2 else "blog", "env": env, "n": str(number)}
        kind = "kv_namespace" if number % 10 else "queue"
        tag_index.put(store, {"type": kind, "id": f"r{number}", "tags": tags, "born": ""})
    return store


def ids(store: Store, search: Search, after: int = 0) -> list[str]:
    return [record["id"] for _, record in tag_index.found(store, search, after)]


def test_searches_agree_with_reading_everything(many: Store) -> None:
    for conditions in (
        ["project=shop"],
        ["project=shop", "env=prod"],
        ["env=prod,dev", "!gone"],
        ["n"],
        ["n!=3"],
    ):
        for types in ([], ["queue"]):
            wanted = Search(conditions, types)
            slow = [one["id"] for one in many.all(tag_index.KIND) if tag_index._meets(one, wanted)]
            assert ids(many, wanted) == slow
    assert ids(many, Search(ids=["r7", "r9"])) == ["r7", "r9"]
    assert ids(many, Search(["PROJECT=Shop"], fold=True))[:2] == ["r1", "r3"]
    assert tag_index.values_by_key(many, "queue")["project"] == ["blog"]


def test_a_page_costs_the_same_wherever_it_is(many: Store) -> None:
    """By the work SQLite does, not by the clock: rows looked at for 100 results stay near 100."""
    search = Search(["project=shop"])
    places = [place for place, _ in tag_index.found(many, search)]
    assert len(places) == 2500
    for after in (0, places[2000]):
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        many._db.set_progress_handler(count, 100)
        walk = tag_index.found(many, search, after)
        page = [next(walk) for _ in range(100)]
        many._db.set_progress_handler(None, 0)
        assert len(page) == 100 and steps * 100 < 20 * tag_index.BATCH
    began = time.perf_counter()
    assert len(ids(many, search)) == 2500
    assert time.perf_counter() - began < 5


def test_a_cursor_is_not_shifted_by_what_goes(account: Sandbox) -> None:
    made = []
    for number in range(105):
        space = account.call("POST", f"{account.account}/storage/kv/namespaces", {"title": f"s{number:03}"})
        assert (
            write(account, {"resource_type": "kv_namespace", "resource_id": space["id"]}, {"p": "x"}) == 200
        )
        made.append(space["id"])
    url = f"{account.connection.api_url}{account.account}/tags/resources?tag=p=x"
    first = account.http.get(url).json()
    assert [one["id"] for one in first["result"]] == made[:100]
    account.call("DELETE", f"{account.account}/storage/kv/namespaces/{made[0]}")
    second = account.http.get(f"{url}&cursor={first['result_info']['cursor']}").json()
    assert [one["id"] for one in second["result"]] == made[100:]
    assert second["result_info"]["cursor"] == ""
