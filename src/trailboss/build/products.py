"""The few calls by which a bound resource is found by its name, or made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Fields = Mapping[str, Any]
Find = Callable[["Cloud", str, Fields], Awaitable[str | None]]
Make = Callable[["Cloud", str, Fields], Awaitable[str]]
Same = Callable[["Cloud", Mapping[str, Any], Fields], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Product:
    """One product. `name` is the configuration's field for the resource's name, `wire` the deployed
    binding's for the resource; `by_id` says that a configured id needs no look-up; `sent_along` fields
    forbid inheriting."""

    name: str
    wire: str
    find: Find
    make: Make
    same: Same
    by_id: bool = False
    sent_along: tuple[str, ...] = ()


def _path(cloud: Cloud, *parts: str) -> str:
    from trailboss.cloud import segment

    return cloud.account + "".join(f"/{segment(part)}" for part in parts)


async def _find_kv(cloud: Cloud, title: str, _: Fields) -> str | None:
    async for row in cloud.pages(_path(cloud, "storage", "kv", "namespaces"), per_page=100):
        if row.get("title") == title:
            return str(row["id"])
    return None


async def _make_kv(cloud: Cloud, title: str, _: Fields) -> str:
    return str((await cloud.post(_path(cloud, "storage", "kv", "namespaces"), json={"title": title}))["id"])


async def _database(cloud: Cloud, name_or_id: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = await cloud.get(_path(cloud, "d1", "database", name_or_id))
    except CloudError as error:
        if isinstance(error, NotFound) or error.has_code(7404):
            return None
        raise
    return found


async def _find_d1(cloud: Cloud, name: str, _: Fields) -> str | None:
    found = await _database(cloud, name)
    return str(found["uuid"]) if found else None


async def _make_d1(cloud: Cloud, name: str, fields: Fields) -> str:
    body = {"name": name, **({"jurisdiction": fields["jurisdiction"]} if fields.get("jurisdiction") else {})}
    return str((await cloud.post(_path(cloud, "d1", "database"), json=body))["uuid"])


async def _same_d1(cloud: Cloud, before: Mapping[str, Any], fields: Fields) -> bool:
    if not fields.get("database_name"):
        return True
    found = await _database(cloud, str(before.get("id") or before.get("database_id") or ""))
    return found is not None and found.get("name") == fields["database_name"]


def _jurisdiction(fields: Fields) -> dict[str, str]:
    return {"cf-r2-jurisdiction": fields["jurisdiction"]} if fields.get("jurisdiction") else {}


async def _find_r2(cloud: Cloud, name: str, fields: Fields) -> str | None:
    try:
        await cloud.get(_path(cloud, "r2", "buckets", name), headers=_jurisdiction(fields))
    except CloudError as error:
        if isinstance(error, NotFound) or error.has_code(10006):
            return None
        raise
    return name


async def _make_r2(cloud: Cloud, name: str, fields: Fields) -> str:
    await cloud.post(_path(cloud, "r2", "buckets"), json={"name": name}, headers=_jurisdiction(fields))
    return name


async def _same_r2(_: Cloud, before: Mapping[str, Any], fields: Fields) -> bool:
    wanted = fields.get("bucket_name")
    return before.get("jurisdiction") == fields.get("jurisdiction") and wanted in (
        None,
        before.get("bucket_name"),
    )


async def _find_queue(cloud: Cloud, name: str, _: Fields) -> str | None:
    async for row in cloud.pages(_path(cloud, "queues"), params={"name": name}):
        if row.get("queue_name") == name:
            return name
    return None


async def _make_queue(cloud: Cloud, name: str, _: Fields) -> str:
    await cloud.post(_path(cloud, "queues"), json={"queue_name": name})
    return name


async def _find_dispatch(cloud: Cloud, name: str, _: Fields) -> str | None:
    async for row in cloud.pages(_path(cloud, "workers", "dispatch", "namespaces")):
        if row.get("namespace_name") == name:
            return name
    return None


async def _make_dispatch(cloud: Cloud, name: str, _: Fields) -> str:
    await cloud.post(_path(cloud, "workers", "dispatch", "namespaces"), json={"name": name})
    return name


async def _find_flagship(cloud: Cloud, name: str, _: Fields) -> str | None:
    async for row in cloud.pages(_path(cloud, "flagship", "apps"), style="cursor"):
        if row.get("name") == name:
            return str(row["id"])
    return None


async def _make_flagship(cloud: Cloud, name: str, _: Fields) -> str:
    return str((await cloud.post(_path(cloud, "flagship", "apps"), json={"name": name}))["id"])


def _namespaces(product: str) -> tuple[Find, Make]:
    async def find(cloud: Cloud, name: str, _: Fields) -> str | None:
        try:
            await cloud.get(_path(cloud, product, "namespaces", name))
        except NotFound:
            return None
        return name

    async def make(cloud: Cloud, name: str, _: Fields) -> str:
        await cloud.post(_path(cloud, product, "namespaces"), json={"name": name})
        return name

    return find, make


def _same(configured: str, wire: str) -> Same:
    async def same(_: Cloud, before: Mapping[str, Any], fields: Fields) -> bool:
        return fields.get(configured) in (None, before.get(wire))

    return same


async def _always(*_: Any) -> bool:
    return True


PRODUCTS: Mapping[str, Product] = {
    "kv_namespace": Product("", "namespace_id", _find_kv, _make_kv, _always, by_id=True),
    "d1": Product("database_name", "id", _find_d1, _make_d1, _same_d1, by_id=True),
    "r2_bucket": Product("bucket_name", "bucket_name", _find_r2, _make_r2, _same_r2),
    "queue": Product(
        "queue_name",
        "queue_name",
        _find_queue,
        _make_queue,
        _same("queue_name", "queue_name"),
        sent_along=("delivery_delay", "raw"),
    ),
    "dispatch_namespace": Product(
        "namespace",
        "namespace",
        _find_dispatch,
        _make_dispatch,
        _same("namespace", "namespace"),
        sent_along=("outbound",),
    ),
    "flagship": Product("", "app_id", _find_flagship, _make_flagship, _always, by_id=True),
    "ai_search_namespace": Product(
        "namespace", "namespace", *_namespaces("ai-search"), _same("namespace", "namespace")
    ),
    "agent_memory": Product(
        "namespace", "namespace", *_namespaces("agent-memory"), _same("namespace", "namespace")
    ),
}
