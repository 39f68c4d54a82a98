"""Workers KV namespaces. Their values are in `kv_values.py`, in the storage the Workers' bindings read.

Faithful: shapes, codes and limits. Simplified: nothing counts against a plan.
https://developers.cloudflare.com/api/resources/kv/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

KIND = "kv_namespace"
MAX_TITLE = 512


def namespace_not_found() -> ApiError:
    """No namespace of that id."""
    return ApiError(404, 10013, "get namespace: 'namespace not found'")


def title_taken() -> ApiError:
    """Another namespace has the title."""
    return ApiError(
        400, 10014, "create namespace: 'a namespace with this account ID and title already exists'"
    )


def title_required() -> ApiError:
    """No title, or one that is too long."""
    return ApiError(400, 10019, "create namespace: 'title is required'")


def invalid_body(detail: str) -> ApiError:
    """A body of the wrong shape."""
    return ApiError(400, 10012, f"could not parse request body: {detail}")


def namespace_of(call: Call) -> Record:
    """The namespace the path names."""
    found = call.store.get(KIND, call["namespace_id"])
    if found is None:
        raise namespace_not_found()
    return found


def make_namespace(store: Store, identifier: str, title: Any, jurisdiction: Any = None) -> Record:
    """A new namespace, its title checked."""
    _check_title(store, title)
    record = {"id": identifier, "title": title, "supports_url_encoding": True}
    if jurisdiction:
        record["jurisdiction"] = jurisdiction
    return store.put(KIND, identifier, record)


def _check_title(store: Store, title: Any, own: str = "") -> None:
    if not isinstance(title, str) or not title or len(title) > MAX_TITLE:
        raise title_required()
    taken = store.find(KIND, title=title)
    if taken is not None and taken["id"] != own:
        raise title_taken()


async def list_namespaces(call: Call) -> Reply:
    """Ordered by id or title."""
    if not call.query("order"):
        return call.paged_records(KIND)
    field = "title" if call.query("order") == "title" else "id"
    items = call.store.all(KIND)
    items.sort(key=lambda one: one[field], reverse=call.query("direction") == "desc")
    return call.paged(items)


async def create_namespace(call: Call) -> Record:
    """Titles are unique in the account."""
    body = await call.object()
    record = make_namespace(call.store, call.ids.hex(), body.get("title"), body.get("jurisdiction"))
    await call.begin_storage(KIND)
    return record


async def get_namespace(call: Call) -> Record:
    """One namespace."""
    return namespace_of(call)


async def rename_namespace(call: Call) -> Record:
    """A new title for the same id."""
    record, body = namespace_of(call), await call.object()
    _check_title(call.store, body.get("title"), record["id"])
    return call.store.put(KIND, record["id"], {**record, "title": body["title"]})


async def delete_namespace(call: Call) -> Record:
    """The values go with it."""
    record = namespace_of(call)
    keys = [one["name"] for one in await all_keys(call, record["id"])]
    if keys:
        await bulk(call, record["id"], {"delete": keys})
    call.store.delete(KIND, record["id"])
    return {}


async def all_keys(call: Call, namespace: str) -> list[Record]:
    """Every key of a namespace."""
    keys: list[Record] = []
    cursor = ""
    while True:
        page = await keys_page(call, namespace, {"limit": "1000", "cursor": cursor})
        keys += page["keys"]
        cursor = page.get("cursor") or ""
        if not cursor:
            return keys


async def keys_page(call: Call, namespace: str, params: dict[str, str]) -> Record:
    """One page of keys from the data plane: {keys, cursor?, complete}."""
    wanted = {name: value for name, value in params.items() if value}
    async with call.runtime.data("GET", f"kv/{namespace}/keys", params=wanted) as answer:
        if answer.status >= 400:
            raise ApiError(400, 10001, "list keys: 'invalid cursor'")
        return dict(await answer.json())


async def bulk(call: Call, namespace: str, body: Record) -> Record:
    """Several reads, writes or deletes in one call of the data plane."""
    payload = json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    async with call.runtime.data("POST", f"kv/{namespace}/bulk", headers=headers, body=payload) as answer:
        found = dict(await answer.json())
        if answer.status >= 400:
            raise invalid_body(str(found["error"]["message"]))
        return found


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a namespace that exists."""
    identifier = str(binding.get("namespace_id", ""))
    if store.get(KIND, identifier) is not None:
        return None
    return ApiError(400, 10041, f"KV namespace '{identifier}' is not valid.")


async def plant(box: Box, titles: Any) -> list[Record]:
    """Seed `{"kv_namespaces": ["title", ...]}`."""
    return [box.store.find(KIND, title=t) or make_namespace(box.store, box.ids.hex(), t) for t in titles]


router = Router("kv")
_ROOT, _ONE = "A/storage/kv/namespaces", "A/storage/kv/namespaces/{namespace_id}"
_SDK = "kv.namespaces"
router.add("GET", _ROOT, list_namespaces, sdk=f"{_SDK}.list", reply="kv.Namespace")
router.add(
    "POST",
    _ROOT,
    create_namespace,
    sdk=f"{_SDK}.create",
    request="kv.NamespaceCreateParams",
    reply="kv.Namespace",
)
router.add("GET", _ONE, get_namespace, sdk=f"{_SDK}.get", reply="kv.Namespace")
router.add(
    "PUT",
    _ONE,
    rename_namespace,
    sdk=f"{_SDK}.update",
    request="kv.NamespaceUpdateParams",
    reply="kv.Namespace",
)
router.add("DELETE", _ONE, delete_namespace, sdk=f"{_SDK}.delete", reply="kv.NamespaceDeleteResponse")
router.stores("kv", lambda store: store.count(KIND) > 0)
router.target("kv_namespace", check_binding)
router.seed("kv_namespaces", plant)
