"""Resource tags: key-value pairs on the account's and the zones' resources, with ETags.

Faithful: shapes, PUT replaces all tags, If-Match, the `tag` filter language, cursors; what does not exist
cannot be tagged. Simplified: types the sandbox does not have can be tagged freely.
https://developers.cloudflare.com/api/resources/resource_tagging/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.products.tag_index import (
    KIND,
    SCHEMA,
    Search,
    found,
    put,
    rebuild,
    ref_of,
    remove,
    values_by_key,
)
from trailboss.sandbox.products.tag_rules import ACCOUNT_TYPES, ZONE_TYPES, etag, problem
from trailboss.sandbox.products.tag_targets import known, worker_id
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

MODE = "tagging_mode"
PER_PAGE = 100
EXTRA = {"worker_version": "worker_id", "access_application_policy": "access_application_id"}
"""What must be given beside the id, by type."""


def resource_not_found(kind: str, identifier: str) -> ApiError:
    """There is nothing of that type and id."""
    return ApiError(404, 1404, f"{kind} '{identifier}' was not found")


def precondition_failed() -> ApiError:
    """The tags changed since the ETag was read."""
    return ApiError(412, 1412, "The If-Match header does not match the current ETag of the resource's tags.")


def refused_by_role() -> ApiError:
    """The caller lacks the permission or the role: the one meaning of 403."""
    return ApiError(403, 10000, "Authentication error: the caller has no role or permission for tags")


def refused_by_gate() -> ApiError:
    """The account has no tagging: the other meaning of 403."""
    return ApiError(403, 10023, "The resource tagging feature is not enabled for this account")


MODES: dict[str, Callable[[], ApiError] | None] = {
    "enabled": None,
    "no-permission": refused_by_role,
    "not-enabled": refused_by_gate,
}
"""What `POST /_sandbox/seed {"tagging": ...}` may say."""


def _asked(call: Call, body: Record) -> tuple[Record, str, str]:
    """The resource that a body or a query names, its name, and when it was made."""
    _check_mode(call)
    zone = call.path.get("zone_id")
    kind, identifier = str(body.get("resource_type", "")), str(body.get("resource_id", ""))
    if kind not in (ZONE_TYPES if zone else ACCOUNT_TYPES):
        raise bad_request(f"unknown resource_type {kind!r}", 1400)
    if not identifier:
        raise bad_request("resource_id is required", 1400)
    if kind in EXTRA and not body.get(EXTRA[kind]):
        raise bad_request(f"{EXTRA[kind]} is required for {kind}", 1400)
    elsewhere = {"account": call.account, "zone": zone}.get(kind, identifier) != identifier
    what = known(call.store, kind, identifier)
    if elsewhere or what is None:
        raise resource_not_found(kind, identifier)
    if kind == "worker":
        identifier = worker_id(call.store, identifier)
    record: Record = {"type": kind, "id": identifier}
    if kind in EXTRA:
        record[EXTRA[kind]] = str(body[EXTRA[kind]])
    if zone:
        record["zone_id"] = zone
    return record, *what


def _shown(record: Record, name: str) -> Record:
    shape = {**record, "name": name or record["id"], "etag": etag(record["tags"])}
    shape.pop("born", None)
    if not record["tags"]:
        shape.pop("tags_updated_at", None)
    return shape


def _present(call: Call, asked: Record, born: str) -> Record:
    record = call.store.get(KIND, ref_of(asked["type"], asked["id"]))
    if record is None or record["born"] != born:
        return {**asked, "tags": {}}
    return record


def _check_match(call: Call, present: Record) -> None:
    wanted = call.headers.get("if-match", "")
    if wanted and wanted != "*" and wanted.strip('"') != etag(present["tags"]):
        raise precondition_failed()


async def get_tags(call: Call) -> Reply:
    """Of one resource; none is no error."""
    asked, name, born = _asked(call, dict(call.query_pairs))
    shape = _shown(_present(call, asked, born), name)
    return Reply(shape, headers={"etag": f'"{shape["etag"]}"'})


async def put_tags(call: Call) -> Reply:
    """All of a resource's tags at once; `If-Match` guards against somebody else's."""
    body = await call.object()
    asked, name, born = _asked(call, body)
    tags = body.get("tags") or {}
    if reason := problem(tags):
        raise bad_request(reason, 1400)
    _check_match(call, _present(call, asked, born))
    record = {**asked, "tags": tags, "tags_updated_at": call.clock.iso(), "born": born}
    put(call.store, record)
    shape = _shown(record, name)
    return Reply(shape, headers={"etag": f'"{shape["etag"]}"'})


async def delete_tags(call: Call) -> Raw:
    """No tags any more; the resource is named in the body or the query."""
    body = {**dict(call.query_pairs), **await call.object()}
    asked, _, born = _asked(call, body)
    _check_match(call, _present(call, asked, born))
    remove(call.store, asked["type"], asked["id"])
    return Raw(status=204, content_type="")


def _living(store: Store, record: Record) -> str | None:
    """The name of a tagged resource; one that is gone, or was made anew, loses its tags and gives None."""
    kind, identifier = record["type"], record["id"]
    what = known(store, kind, identifier)
    if what is not None and what[1] == record["born"]:
        return what[0]
    remove(store, kind, identifier)
    return None


def _cursor(call: Call) -> int:
    return int(call.query("cursor")) if call.query("cursor").isdigit() else 0


def _page(call: Call, items: list[Any]) -> Reply:
    start = _cursor(call)
    page = items[start : start + PER_PAGE]
    more = start + PER_PAGE < len(items)
    return Reply(page, info={"count": len(page), "cursor": str(start + PER_PAGE) if more else ""})


async def list_resources(call: Call) -> Reply:
    """Tagged resources by tag, type, id and name. The cursor is a place, so what goes or comes meanwhile
    shifts nothing."""
    _check_mode(call)
    search = Search(
        call.queries("tag"), call.queries("type"), call.queries("id"), call.flag("case_insensitive")
    )
    name = call.query("name").lower()
    page: list[Record] = []
    last = 0
    for place, record in found(call.store, search, _cursor(call)):
        own = _living(call.store, record)
        if own is None or name not in own.lower():
            continue
        if len(page) == PER_PAGE:
            return Reply(page, info={"count": PER_PAGE, "cursor": str(last)})
        page.append(_shown(record, own))
        last = place
    return Reply(page, info={"count": len(page), "cursor": ""})


def _by_key(call: Call, kind: str = "") -> dict[str, list[str]]:
    _check_mode(call)
    for _, record in list(found(call.store, Search())):
        _living(call.store, record)
    return values_by_key(call.store, kind)


async def list_keys(call: Call) -> Reply:
    """Every key in use."""
    return _page(call, list(_by_key(call)))


async def list_values(call: Call) -> Reply:
    """Every value of a key."""
    return _page(call, _by_key(call, call.query("type")).get(call["tag_key"], []))


async def get_summary(call: Call) -> Reply:
    """Every key with its values."""
    return _page(call, [{"key": key, "values": values} for key, values in _by_key(call).items()])


def _check_mode(call: Call) -> None:
    """Refuse as the control plane has it."""
    mode = call.store.get(MODE, MODE)
    refusal = MODES[mode["is"]] if mode else None
    if refusal is not None:
        raise refusal()


async def set_mode(box: Box, mode: Any) -> str:
    """Seed `{"tagging": "enabled" | "no-permission" | "not-enabled"}`: what every tag call answers."""
    if mode not in MODES:
        raise bad_request(f"tagging is one of {', '.join(MODES)}")
    box.store.put(MODE, MODE, {"is": mode})
    return str(mode)


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
router.schema = SCHEMA
router.on_start(rebuild)
router.seed("tagging", set_mode)
