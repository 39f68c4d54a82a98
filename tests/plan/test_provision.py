"""A resource for every binding: wrangler's rules, and a crash before and after every call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Loopback, no
from tests.resources.account import D1, KV, QUEUES, R2, VECTORIZE, Account
from trailboss.cloud import Cloud
from trailboss.cloud.retry import Retry
from trailboss.errors import CloudError, PlanError
from trailboss.plan import Provisioned, provision

Connect = Callable[..., Cloud]
ONCE = {"retry": Retry(attempts=1)}


@dataclass
class Worker:
    """As much of a Worker as provisioning needs."""

    raw: dict[str, Any]
    name: str = "shop"
    said: list[str] = field(default_factory=list)


FRESH = Worker(
    {
        "kv_namespaces": [{"binding": "KV_Cache"}],
        "d1_databases": [{"binding": "DB"}, {"binding": "LOG", "database_name": "the-log"}],
        "r2_buckets": [
            {"binding": "FILES"},
            {"binding": "EU", "bucket_name": "eu-files", "jurisdiction": "eu"},
        ],
        "queues": {"producers": [{"binding": "JOBS", "queue": "jobs"}], "consumers": [{"queue": "other"}]},
        "vectorize": [{"binding": "DOCS", "index_name": "docs", "dimensions": 3, "metric": "cosine"}],
    }
)
NAMES = {
    KV: ["shop-kv-cache"],
    D1: ["shop-db", "the-log"],
    R2: ["eu-files", "shop-files"],
    QUEUES: ["jobs"],
    VECTORIZE: ["docs"],
}


def run(
    connect: Connect,
    worker: Worker,
    account: Account,
    *,
    deployed: list[dict[str, Any]] | None = None,
    **options: Any,
) -> Provisioned:
    """Provision `worker` in `account`."""

    async def main() -> Provisioned:
        async with Loopback(account.respond) as server, connect(server, **options) as cloud:
            return await provision(
                cloud, worker.name, worker.raw, deployed_bindings=deployed, progress=worker.said.append
            )

    return asyncio.run(main())


def test_a_fresh_account_gets_wranglers_names(connect: Connect) -> None:
    account = Account()
    done = run(connect, FRESH, account)
    assert {path: account.names(path) for path in NAMES} == NAMES
    assert len(done.created) == len(done.bindings) == 7
    assert done.resources["KV_Cache"] == f"{0:032x}"
    assert done.resources["JOBS"] == "jobs"
    assert [b.binding for b in done.bindings] == ["KV_Cache", "DB", "LOG", "FILES", "EU", "JOBS", "DOCS"]
    assert account.things[R2]["eu/eu-files"]["jurisdiction"] == "eu"
    assert "making kv_namespace shop-kv-cache" in FRESH.said


def test_a_second_run_creates_nothing(connect: Connect) -> None:
    account = Account()
    first = run(connect, FRESH, account)
    again = run(connect, FRESH, account)
    assert again.created == ()
    assert again.resources == first.resources


def test_every_list_is_under_way_before_the_first_thing_is_made(connect: Connect) -> None:
    account = Account()
    run(connect, FRESH, account, deployed=[])
    first = next(number for number, call in enumerate(account.calls) if call.startswith("POST"))
    assert len(set(account.calls[:first])) == 5
    assert not any(call.startswith("GET") for call in account.calls[first:])


def test_one_list_per_kind(connect: Connect) -> None:
    account = Account()
    raw = {"kv_namespaces": [{"binding": f"N{n}"} for n in range(5)]}
    run(connect, Worker(raw), account, deployed=[])
    assert account.calls.count(f"GET {KV}") == 1
    assert account.calls.count(f"POST {KV}") == 5


def test_given_ids_ask_nothing(connect: Connect) -> None:
    account = Account()
    raw = {
        "kv_namespaces": [{"binding": "A", "id": "x"}],
        "d1_databases": [{"binding": "B", "database_id": "y"}],
    }
    done = run(connect, Worker(raw), account, deployed=[])
    assert [(b.value, b.source) for b in done.bindings] == [("x", "given"), ("y", "given")]
    assert account.calls == []
    assert run(connect, Worker({}), account).bindings == ()
    assert account.calls == []


def test_deployed_bindings_are_kept(connect: Connect) -> None:
    account = Account()
    account.scripts["shop"] = [
        {"name": "KV_Cache", "type": "kv_namespace", "namespace_id": "old"},
        {"name": "DB", "type": "d1", "id": "old-db"},
        {"name": "FILES", "type": "r2_bucket", "bucket_name": "anything"},
        {"name": "EU", "type": "r2_bucket", "bucket_name": "eu-files", "jurisdiction": "eu"},
        {"name": "JOBS", "type": "queue", "queue_name": "jobs"},
        {"name": "DOCS", "type": "vectorize", "index_name": "docs"},
    ]
    done = run(connect, FRESH, account)
    assert [b.source for b in done.bindings] == ["kept", "kept", "created", "kept", "kept", "kept", "kept"]
    assert done.bindings[0].value == "old"
    assert [b.binding for b in done.bindings if b.inherits] == ["KV_Cache", "DB", "FILES", "JOBS"]
    assert {name: value for name, value in done.resources.items() if value is not None} == {
        "LOG": done.bindings[2].value,
        "EU": "eu-files",
        "DOCS": "docs",
    }


CHANGED: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("kv_namespaces", {}, {"name": "A", "type": "d1", "id": "x"}),
    ("kv_namespaces", {}, {"name": "B", "type": "kv_namespace", "namespace_id": "x"}),
    ("r2_buckets", {"jurisdiction": "eu"}, {"name": "A", "type": "r2_bucket", "bucket_name": "x"}),
    ("r2_buckets", {"bucket_name": "new"}, {"name": "A", "type": "r2_bucket", "bucket_name": "x"}),
    ("d1_databases", {"database_name": "new"}, {"name": "A", "type": "d1", "id": "x"}),
    ("producers", {"queue": "new"}, {"name": "A", "type": "queue", "queue_name": "x"}),
]


@pytest.mark.parametrize(("key", "more", "row"), CHANGED)
def test_what_was_changed_in_the_config_is_not_kept(
    connect: Connect, key: str, more: dict[str, str], row: dict[str, str]
) -> None:
    listed = [{"binding": "A", **more}]
    raw = {"queues": {key: listed}} if key == "producers" else {key: listed}
    done = run(connect, Worker(raw), Account(), deployed=[row])
    assert [b.source for b in done.bindings] == ["created"]


def test_a_deployed_database_of_the_configured_name_is_kept(connect: Connect) -> None:
    account = Account()
    worker = Worker({"d1_databases": [{"binding": "A", "database_name": "the-log"}]})
    (made,) = run(connect, worker, account, deployed=[]).bindings
    for key in ("id", "database_id"):
        row = {"name": "A", "type": "d1", key: made.value}
        (kept,) = run(connect, worker, account, deployed=[row]).bindings
        assert (kept.source, kept.value) == ("kept", made.value)


def test_an_index_that_cannot_be_made(connect: Connect) -> None:
    with pytest.raises(PlanError) as caught:
        run(connect, Worker({"vectorize": [{"binding": "DOCS"}]}), Account(), deployed=[])
    assert caught.value.code == "TB6102"
    named = Worker({"vectorize": [{"binding": "DOCS", "index_name": "docs"}]})
    assert run(connect, named, Account(), deployed=[]).bindings[0].source == "given"


def test_a_token_that_may_not_look(connect: Connect) -> None:
    account = Account()
    account.before = lambda _: no(403, 10000, "Authentication error")
    named = Worker({"r2_buckets": [{"binding": "A", "bucket_name": "files"}]})
    (bound,) = run(connect, named, account, deployed=[]).bindings
    assert (bound.source, bound.value) == ("unchecked", "files")
    with pytest.raises(CloudError) as caught:
        run(connect, Worker({"kv_namespaces": [{"binding": "A"}]}), account, deployed=[])
    assert "Workers KV Storage" in caught.value.hint


def test_a_token_that_may_not_look_keeps_what_may_be_there(connect: Connect) -> None:
    account = Account()
    account.before = lambda _: no(403, 10000, "Authentication error")
    (bound,) = run(connect, Worker({"kv_namespaces": [{"binding": "A"}]}), account).bindings
    assert (bound.source, bound.inherits) == ("unchecked", True)
    named = Worker({"d1_databases": [{"binding": "A", "database_name": "log"}]})
    done = run(connect, named, account, deployed=[{"name": "A", "type": "d1", "id": "x"}])
    assert done.unchecked and done.resources == {"A": None}


SAID: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({"queues": {"producers": [{"binding": "A"}]}}, {"type": "queue", "queue_name": "q"}, None),
    (
        {"queues": {"producers": [{"binding": "A", "delivery_delay": 60}]}},
        {"type": "queue", "queue_name": "q"},
        "q",
    ),
    (
        {"dispatch_namespaces": [{"binding": "A", "namespace": "n", "outbound": {"service": "o"}}]},
        {"type": "dispatch_namespace", "namespace": "n"},
        "n",
    ),
    ({"flagship": [{"binding": "A"}]}, {"type": "flagship", "app_id": "f"}, None),
    ({"agent_memory": [{"binding": "A"}]}, {"type": "agent_memory", "namespace": "m"}, None),
    (
        {"ai_search_namespaces": [{"binding": "A", "namespace": "s"}]},
        {"type": "ai_search_namespace", "namespace": "s"},
        None,
    ),
    ({"r2_buckets": [{"binding": "A", "bucket_name": "b"}]}, {"type": "r2_bucket", "bucket_name": "b"}, "b"),
]


@pytest.mark.parametrize(("raw", "row", "sent"), SAID)
def test_a_kept_binding_is_named_only_where_it_must_be(
    connect: Connect, raw: dict[str, Any], row: dict[str, Any], sent: str | None
) -> None:
    account = Account()
    done = run(connect, Worker(raw), account, deployed=[{"name": "A", **row}])
    assert [b.source for b in done.bindings] == ["kept"]
    assert done.resources == {"A": sent}
    assert account.calls == []


def _calls(connect: Connect) -> int:
    account = Account()
    run(connect, FRESH, account)
    return len(account.calls)


CUTS: list[tuple[str, Answer]] = [
    ("before", Answer(cut="before")),
    ("after", Answer(cut="after")),
    ("after", Answer(502, b"<html>")),
    ("before", Answer(503, b"")),
]


@pytest.mark.parametrize(("place", "answer"), CUTS)
def test_a_fault_at_every_call_converges(connect: Connect, place: str, answer: Answer) -> None:
    for number in range(_calls(connect)):
        account = Account()

        def fault(call: int, number: int = number) -> Answer | None:
            return answer if call == number else None

        setattr(account, place, fault)
        with contextlib.suppress(CloudError):
            run(connect, FRESH, account, **ONCE)
        account.before = account.after = lambda _: None
        done = run(connect, FRESH, account)
        assert {path: account.names(path) for path in NAMES} == NAMES
        assert len(done.bindings) == 7
        assert run(connect, FRESH, account).created == ()


def test_a_lost_answer_to_a_create_is_healed_in_the_same_run(connect: Connect) -> None:
    for place, creations in (("before", 2), ("after", 1)):
        account = Account()
        setattr(account, place, lambda call: Answer(cut=place) if call == 1 else None)  # noqa: B023
        worker = Worker({"kv_namespaces": [{"binding": "A"}]})
        done = run(connect, worker, account, deployed=[], **ONCE)
        assert [b.source for b in done.bindings] == ["created"]
        assert account.calls.count(f"POST {KV}") == creations
        assert account.names(KV) == ["shop-a"]


def test_a_create_that_keeps_failing_is_told(connect: Connect) -> None:
    account = Account()
    account.before = lambda call: Answer(502, b"") if account.calls[call].startswith("POST") else None
    with pytest.raises(CloudError) as caught:
        run(connect, Worker({"kv_namespaces": [{"binding": "A"}]}), account, deployed=[], **ONCE)
    assert caught.value.code == "TB2503"
    assert account.calls.count(f"POST {KV}") == 2
