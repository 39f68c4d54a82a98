"""Resource tags: key-value pairs on the account's and the zones' resources, with ETags.

Faithful: shapes, PUT replaces all tags, If-Match, the `tag` filter language, cursors; what does not exist
cannot be tagged. Simplified: types the sandbox does not have can be tagged freely.
https://developers.cloudflare.com/api/resources/resource_tagging/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.products.tag_rules import ACCOUNT_TYPES, ZONE_TYPES, etag, problem, satisfies
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailboss.sandbox.store import Record, Store

KIND = "tags"
PER_PAGE = 100
EXTRA = {"worker_version": "worker_id", "access_application_policy": "access_application_id"}
"""What must be given beside the id, by type."""
RESOURCES: dict[str, tuple[str, str, str]] = {
    "kv_namespace": ("kv_namespace", "id", "title"),
    "d1_database": ("d1_database", "uuid", "name"),
    "r2_bucket": ("r2_bucket", "name", "name"),
    "queue": ("queue", "queue_id", "queue_name"),
    "vectorize_index": ("vectorize_index", "name", "name"),
    "worker": ("script", "name", "name"),
    "worker_version": ("version", "id", "id"),
    "durable_object_namespace": ("do_namespace", "id", "class"),
    "dns_record": ("dns_record", "id", "name"),
    "cloudflared_tunnel": ("cfd_tunnel", "id", "name"),
    "access_application": ("access_application", "id", "name"),
    "access_group": ("access_group", "id", "name"),
    "access_application_policy": ("access_policy", "id", "name"),
    "worker_route": ("worker_route", "id", "pattern"),
    "load_balancer": ("load_balancer", "id", "name"),
    "load_balancer_pool": ("load_balancer_pool", "id", "name"),
    "load_balancer_monitor": ("load_balancer_monitor", "id", "description"),
    "healthcheck": ("healthcheck", "id", "name"),
    "zone_ruleset": ("ruleset", "id", "name"),
    "account_ruleset": ("ruleset", "id", "name"),
    "zone": ("zone", "id", "name"),
}
"""Type -> the kind of its records, the field of its id, the field of its name."""


def resource_not_found(kind: str, identifier: str) -> ApiError:
    """There is nothing of that type and id."""
    return ApiError(404, 1404, f"{kind} '{identifier}' was not found")


def precondition_failed() -> ApiError:
    """The tags changed since the ETag was read."""
    return ApiError(412, 1412, "The If-Match header does not match the current ETag of the resource's tags.")


def _find(store: Store, kind: str, identifier: str) -> Record | None:
    records, field, _ = RESOURCES[kind]
    found = store.get(records, identifier)
    if found is not None and found.get(field) == identifier:
        return found
    by_tag = {"tag": identifier} if kind == "worker" else {field: identifier}
    return store.find(records, **by_tag)


def _name(store: Store, kind: str, identifier: str) -> str | None:
    """The resource's name; None when it does not exist."""
    if kind not in RESOURCES:
        return identifier
    found = _find(store, kind, identifier)
    return None if found is None else str(found.get(RESOURCES[kind][2]) or identifier)


def _born(store: Store, kind: str, identifier: str) -> str:
    """When the resource was made: a later one of the same name does not inherit its tags."""
    found = (_find(store, kind, identifier) if kind in RESOURCES else None) or {}
    return str(found.get("created_on") or found.get("creation_date") or found.get("created_at") or "")


def _key(kind: str, identifier: str) -> str:
    return f"{kind}/{identifier}"


def _asked(call: Call, body: Record) -> Record:
    zone = call.path.get("zone_id")
    kind, identifier = str(body.get("resource_type", "")), str(body.get("resource_id", ""))
    if kind not in (ZONE_TYPES if zone else ACCOUNT_TYPES):
        raise bad_request(f"unknown resource_type {kind!r}", 1400)
    if not identifier:
        raise bad_request("resource_id is required", 1400)
    if kind in EXTRA and not body.get(EXTRA[kind]):
        raise bad_request(f"{EXTRA[kind]} is required for {kind}", 1400)
    if _name(call.store, kind, identifier) is None:
        raise resource_not_found(kind, identifier)
    if kind == "worker":
        identifier = _worker_id(call.store, identifier)
    record: Record = {"type": kind, "id": identifier}
    if kind in EXTRA:
        record[EXTRA[kind]] = str(body[EXTRA[kind]])
    if zone:
        record["zone_id"] = zone
    return record


def _worker_id(store: Store, identifier: str) -> str:
    """Workers may be named or given by their id; tags hang on what was tagged first."""
    found = _find(store, "worker", identifier)
    if found is None:
        return identifier
    return next(
        (one for one in (found["tag"], found["name"]) if store.get(KIND, _key("worker", one))), identifier
    )


def _shown(store: Store, record: Record) -> Record:
    name = _name(store, record["type"], record["id"])
    shape = {**record, "name": name or record["id"], "etag": etag(record["tags"])}
    shape.pop("born", None)
    if not record["tags"]:
        shape.pop("tags_updated_at", None)
    return shape


def _present(call: Call, asked: Record) -> Record:
    found = call.store.get(KIND, _key(asked["type"], asked["id"]))
    if found is None or found["born"] != _born(call.store, asked["type"], asked["id"]):
        return {**asked, "tags": {}}
    return found


def _check_match(call: Call, present: Record) -> None:
    wanted = call.headers.get("if-match", "")
    if wanted and wanted != "*" and wanted.strip('"') != etag(present["tags"]):
        raise precondition_failed()


async def get_tags(call: Call) -> Reply:
    """Of one resource; none is no error."""
    asked = _asked(call, dict(call.query_pairs))
    shape = _shown(call.store, _present(call, asked))
    return Reply(shape, headers={"etag": f'"{shape["etag"]}"'})


async def put_tags(call: Call) -> Reply:
    """All of a resource's tags at once; `If-Match` guards against somebody else's."""
    body = await call.object()
    asked = _asked(call, body)
    tags = body.get("tags") or {}
    if reason := problem(tags):
        raise bad_request(reason, 1400)
    _check_match(call, _present(call, asked))
    born = _born(call.store, asked["type"], asked["id"])
    record = {**asked, "tags": tags, "tags_updated_at": call.clock.iso(), "born": born}
    call.store.put(KIND, _key(asked["type"], asked["id"]), record)
    shape = _shown(call.store, record)
    return Reply(shape, headers={"etag": f'"{shape["etag"]}"'})


async def delete_tags(call: Call) -> Raw:
    """No tags any more; the resource is named in the body or the query."""
    body = {**dict(call.query_pairs), **await call.object()}
    asked = _asked(call, body)
    _check_match(call, _present(call, asked))
    call.store.delete(KIND, _key(asked["type"], asked["id"]))
    return Raw(status=204, content_type="")


def _tagged(store: Store) -> Iterator[Record]:
    """Every tagged resource that still exists."""
    for record in store.all(KIND):
        kind, identifier = record["type"], record["id"]
        lives = _name(store, kind, identifier) is not None and record["born"] == _born(
            store, kind, identifier
        )
        if record["tags"] and lives:
            yield record


def _page(call: Call, items: list[Any]) -> Reply:
    start = int(call.query("cursor") or 0) if call.query("cursor").isdigit() else 0
    page = items[start : start + PER_PAGE]
    more = start + PER_PAGE < len(items)
    return Reply(page, info={"count": len(page), "cursor": str(start + PER_PAGE) if more else ""})


async def list_resources(call: Call) -> Reply:
    """Tagged resources by tag, type, id and name."""
    ids, kinds, fold = call.queries("id"), call.queries("type"), call.flag("case_insensitive")
    name = call.query("name").lower()
    found = [
        shape
        for record in _tagged(call.store)
        if (not ids or record["id"] in ids)
        and (not kinds or record["type"] in kinds)
        and all(satisfies(record["tags"], one, fold=fold) for one in call.queries("tag"))
        and name in (shape := _shown(call.store, record))["name"].lower()
    ]
    return _page(call, found)


def _by_key(call: Call, kind: str = "") -> dict[str, list[str]]:
    keys: dict[str, set[str]] = {}
    for record in _tagged(call.store):
        if not kind or record["type"] == kind:
            for key, value in record["tags"].items():
                keys.setdefault(key, set()).add(value)
    return {key: sorted(values) for key, values in sorted(keys.items())}


async def list_keys(call: Call) -> Reply:
    """Every key in use."""
    return _page(call, list(_by_key(call)))


async def list_values(call: Call) -> Reply:
    """Every value of a key."""
    return _page(call, _by_key(call, call.query("type")).get(call["tag_key"], []))


async def get_summary(call: Call) -> Reply:
    """Every key with its values."""
    return _page(call, [{"key": key, "values": values} for key, values in _by_key(call).items()])


router = Router("resource_tagging")
_SDK, _TYPES = "resource_tagging", "resource_tagging."
for _root, _level in (("A/tags", "account"), ("Z/tags", "zone")):
    _name_of = f"{_TYPES}{_level.capitalize()}Tag"
    _method = f"{_SDK}.{_level}_tags"
    router.add("GET", _root, get_tags, sdk=f"{_method}.get", reply=f"{_name_of}GetResponse")
    router.add(
        "PUT",
        _root,
        put_tags,
        sdk=f"{_method}.update",
        request=f"{_name_of}UpdateParams",
        reply=f"{_name_of}UpdateResponse",
    )
    router.add(
        "DELETE", _root, delete_tags, sdk=f"{_method}.delete", unchecked="the SDK cannot name the resource"
    )
router.add(
    "GET",
    "A/tags/resources",
    list_resources,
    sdk=f"{_SDK}.list",
    reply=f"{_TYPES}ResourceTaggingListResponse",
)
router.add("GET", "A/tags/keys", list_keys, sdk=f"{_SDK}.keys.list", unchecked="a list of strings")
router.add(
    "GET", "A/tags/values/{tag_key}", list_values, sdk=f"{_SDK}.values.list", unchecked="a list of strings"
)
router.add(
    "GET",
    "A/tags/summary",
    get_summary,
    sdk=f"{_SDK}.summary.get",
    reply=f"{_TYPES}summary_get_response.SummaryGetResponseItem",
)
