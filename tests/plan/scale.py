"""Projects of any size, in the mix of section 3.2 of the measures: mostly records and routes of many zones.

Of a hundred resources 48 are DNS records, 14 routes and 38 things that Workers bind; a zone for each hundred.
Secrets and Workers are not resources of a plan and are left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.plan.crashing import resource, revealed
from tests.plan.inprocess import Account, DirectCloud
from tests.plan.virtual import clock, run
from trailboss.plan.apply import Options, apply
from trailboss.plan.owner import Owner
from trailboss.plan.wanted import Resource, Wanted
from trailboss.resources.d1_database import D1Database
from trailboss.resources.dns_record import DNSRecord
from trailboss.resources.hyperdrive_config import HyperdriveConfig
from trailboss.resources.kv_namespace import KVNamespace
from trailboss.resources.queue import Queue
from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.vectorize_index import VectorizeIndex
from trailboss.resources.worker_route import WorkerRoute

BOUND = ("kv_namespace",) * 12 + ("d1_database",) * 9 + ("r2_bucket",) * 6 + ("queue",) * 8
MORE = ("vectorize_index", "vectorize_index", "hyperdrive_config")
SHARES = (("dns_record", 48), ("worker_route", 14), *((name, 1) for name in (*BOUND, *MORE)))


def zone_of(number: int) -> str:
    return f"zone{number}.example.com"


def _spec(kind: str, zone: str, name: str) -> Any:
    made: dict[str, Any] = {
        "dns_record": DNSRecord(zone, f"{name}.{zone}", "A", "192.0.2.1"),
        "worker_route": WorkerRoute(zone, f"{name}.{zone}/*", "shop"),
        "kv_namespace": KVNamespace(name),
        "d1_database": D1Database(name),
        "r2_bucket": R2Bucket(name),
        "queue": Queue(name),
        "vectorize_index": VectorizeIndex(name, 8, "cosine"),
        "hyperdrive_config": HyperdriveConfig(name, "${SQL}"),
    }
    return made[kind]


def _hundred(number: int) -> Iterator[Resource]:
    zone = zone_of(number)
    for kind, share in SHARES:
        for place in range(share):
            yield resource(kind, name := f"n{number}-{place}-{kind[:2]}", _spec(kind, zone, name))


def many(count: int) -> Wanted:
    """A project of `count` resources (hundreds), and of every kind among them."""
    unique: dict[str, Resource] = {}
    for number in range(count // 100):
        for place, one in enumerate(_hundred(number)):
            key = f"{one.key}-{place}"
            spec = one.spec if one.kind in ("dns_record", "worker_route") else _renamed(one.spec, key)
            unique[f"{one.kind}.{key}"] = resource(one.kind, key, spec)
    return Wanted(Owner("shop", "staging"), tuple(unique.values()), scripts=frozenset({"shop"}))


def _renamed(spec: Any, name: str) -> Any:
    return replace(spec, **{next(iter(spec.__dataclass_fields__)): name})


def fill(account: Account, wanted: Wanted, zones: int) -> None:
    """Make all of it in `account`."""

    async def go() -> None:
        await account.worker("shop")
        for number in range(zones):
            await account.zone(zone_of(number))
        await apply(DirectCloud(account), wanted, Options(clock=clock(), reveal=revealed))

    run(go)
