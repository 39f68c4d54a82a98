"""DNS records of a zone: one by one, in batches, and as a BIND file. Nothing answers DNS queries.

Faithful: shapes, types, conflicts, comments and tags, batches as one transaction, filters. Simplified: a
record's settings are kept, quotas are not counted.
https://developers.cloudflare.com/api/resources/dns/subresources/records/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply
from trailboss.sandbox.products import dns_rules
from trailboss.sandbox.products.dns_rules import DnsError
from trailboss.sandbox.products.tunnel_table import leads_to_tunnel
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

KIND = "dns_record"
QUOTA = 3500
COMPARE: dict[str, Callable[[str, str], bool]] = {
    "": lambda text, value: text == value,
    "exact": lambda text, value: text == value,
    "contains": lambda text, value: value in text,
    "startswith": lambda text, value: text.startswith(value),
    "endswith": lambda text, value: text.endswith(value),
    "present": lambda text, _: bool(text),
    "absent": lambda text, _: not text,
}
PAGING = frozenset({"page", "per_page", "match", "direction"})
ORDERS = frozenset({"type", "name", "content", "ttl", "proxied"})


def record_not_found() -> ApiError:
    """No record of that id in the zone."""
    return ApiError(404, 81044, "Record does not exist.")


def refusal(error: DnsError) -> ApiError:
    """A rule that was broken."""
    if str(error.code).startswith("81"):
        return ApiError(400, error.code, error.message)
    chain = [{"code": error.code, "message": error.message}]
    return ApiError(400, error.code if error.code != 9207 else 9207, error.message, chain=chain)


def _zone(call: Call) -> str:
    zone = call.store.get("zone", call["zone_id"])
    return str(zone["name"]) if zone else ""


def _record_of(call: Call, identifier: str) -> Record:
    found = call.store.get(KIND, identifier)
    if found is None or found["zone"] != call["zone_id"]:
        raise record_not_found()
    return found


def shown(record: Record) -> Record:
    """The record as the API shows it."""
    return {name: value for name, value in record.items() if name != "zone"}


def write_record(call: Call, body: Record, present: Record | None) -> Record:
    """Check a whole record against the zone of the path, and store it. Raises ApiError."""
    try:
        record = dns_rules.checked(body, _zone(call))
        others = call.store.where(KIND, call["zone_id"], name=record["name"])
        own = present["id"] if present else ""
        dns_rules.check_conflict(record, [one for one in others if one["id"] != own])
    except DnsError as error:
        raise refusal(error) from None
    now = call.clock.iso()
    stored = {
        "id": own or call.ids.hex(),
        **record,
        "meta": (present or {}).get("meta") or {},
        "created_on": present["created_on"] if present else now,
        "modified_on": now,
        "zone": call["zone_id"],
    }
    if record["comment"]:
        stored["comment_modified_on"] = now
    if record["tags"]:
        stored["tags_modified_on"] = now
    return call.store.put(KIND, stored["id"], stored, parent=call["zone_id"])


def _merged(present: Record, body: Record) -> Record:
    kept: Record = {
        name: present[name]
        for name in (
            "name",
            "type",
            "content",
            "ttl",
            "proxied",
            "comment",
            "tags",
            "settings",
            "priority",
            "data",
        )
        if name in present
    }
    if "data" in body and "content" not in body:
        kept.pop("content", None)
    if "content" in body and "data" not in body:
        kept.pop("data", None)
    return {**kept, **body}


async def list_records(call: Call) -> Reply:
    """Filtered by type, name, content, comment, tag and proxied; `match=any` takes either."""
    ask = {name for name, _ in call.query_pairs}
    if ask <= PAGING:
        return call.paged_records(KIND, call["zone_id"], shown=shown, per_page=100, most=5_000_000)
    exact = {"name": call.query("name")} if "name" in ask and call.query("match") != "any" else {}
    records = call.store.where(KIND, call["zone_id"], **exact)
    tests = [test for pair in call.query_pairs if (test := _test(*pair)) is not None]
    if tests:
        one_is_enough = any if call.query("match") == "any" else all
        records = [one for one in records if one_is_enough(test(one) for test in tests)]
    if search := call.query("search").lower():
        records = [
            one for one in records if search in f"{one['name']} {one['content']} {one['comment']}".lower()
        ]
    if call.query("order") in ORDERS:
        order = call.query("order")
        records.sort(key=lambda one: str(one[order]), reverse=call.query("direction") == "desc")
    return call.paged([shown(one) for one in records], per_page=100, most=5_000_000)


def _test(name: str, value: str) -> Any:
    field, _, how = name.partition(".")
    if field in {"type", "proxied"} and not how:
        wanted: Any = value.upper() if field == "type" else value.lower() == "true"
        return lambda record: record[field] == wanted
    if field not in {"name", "content", "comment"}:
        return _tag_test(value, how) if field == "tag" else None
    if how not in COMPARE:
        return None
    return lambda record: COMPARE[how](str(record.get(field) or ""), value)


def _tag_test(value: str, how: str) -> Any:
    if how in {"", "exact"}:
        return lambda record: value in record["tags"]
    if how == "present":
        return lambda record: any(tag.partition(":")[0] == value for tag in record["tags"])
    if how == "absent":
        return lambda record: all(tag.partition(":")[0] != value for tag in record["tags"])
    return None


async def _in_force(call: Call, *records: Record) -> None:
    """Return when the edge knows of records that lead to a tunnel; no others concern it."""
    if any(leads_to_tunnel(record) for record in records):
        await call.runtime.sync()


async def _written(call: Call, body: Record, present: Record | None) -> Record:
    record = write_record(call, body, present)
    await _in_force(call, record, *([present] if present else []))
    return shown(record)


async def create_record(call: Call) -> Record:
    """A new record."""
    return await _written(call, await call.object(), None)


async def get_record(call: Call) -> Record:
    """One record."""
    return shown(_record_of(call, call["dns_record_id"]))


async def update_record(call: Call) -> Record:
    """PUT: the whole record anew."""
    present = _record_of(call, call["dns_record_id"])
    return await _written(call, await call.object(), present)


async def edit_record(call: Call) -> Record:
    """PATCH: what is not named stays."""
    present = _record_of(call, call["dns_record_id"])
    return await _written(call, _merged(present, await call.object()), present)


async def delete_record(call: Call) -> dict[str, str]:
    """Gone."""
    record = _record_of(call, call["dns_record_id"])
    call.store.delete(KIND, record["id"])
    await _in_force(call, record)
    return {"id": record["id"]}


async def batch_records(call: Call) -> Record:
    """Deletes, patches, puts, posts: in that order, all or none."""
    body = await call.object()
    if sum(len(body.get(part) or []) for part in ("deletes", "patches", "puts", "posts")) > QUOTA:
        raise bad_request(f"a batch has at most {QUOTA} operations", 9207)
    changed = []
    with call.store.transaction():
        done: Record = {"deletes": [], "patches": [], "puts": [], "posts": []}
        for one in body.get("deletes") or []:
            record = _record_of(call, str(one.get("id")))
            call.store.delete(KIND, record["id"])
            done["deletes"].append(shown(record))
            changed.append(record)
        for one in body.get("patches") or []:
            record = _record_of(call, str(one.get("id")))
            done["patches"].append(shown(write_record(call, _merged(record, one), record)))
            changed.append(record)
        for one in body.get("puts") or []:
            record = _record_of(call, str(one.get("id")))
            done["puts"].append(shown(write_record(call, one, record)))
            changed.append(record)
        for one in body.get("posts") or []:
            done["posts"].append(shown(write_record(call, one, None)))
    await _in_force(call, *changed, *done["patches"], *done["puts"], *done["posts"])
    return done


async def export_records(call: Call) -> Raw:
    """The zone as a BIND file."""
    text = dns_rules.bind_file(_zone(call), call.store.all(KIND, call["zone_id"]))
    return Raw(text.encode(), content_type="text/plain")


async def import_records(call: Call) -> Record:
    """Add the records of a BIND file; those there already are passed over."""
    parts = {part.name: part.data.decode(errors="replace") for part in await call.form()}
    proxied = parts.get("proxied") == "true"
    try:
        records = dns_rules.parse_bind(parts.get("file", ""), _zone(call))
    except DnsError as error:
        raise refusal(error) from None
    added = []
    with call.store.transaction():
        for record in records:
            wanted = proxied and record["type"] in dns_rules.PROXIABLE
            try:
                added.append(write_record(call, {**record, "proxied": wanted}, None))
            except ApiError as error:
                if error.code != 81058:
                    raise
    await _in_force(call, *added)
    return {"recs_added": len(added), "total_records_parsed": len(records)}


async def get_usage(call: Call) -> dict[str, int]:
    """How many records there are and may be."""
    return {"record_quota": QUOTA, "record_usage": call.store.count(KIND, call["zone_id"])}


router = Router("dns")
_ROOT, _ONE, _SDK = "Z/dns_records", "Z/dns_records/{dns_record_id}", "dns.records"
_REPLY = "dns.RecordResponse"
router.add("GET", _ROOT, list_records, sdk=f"{_SDK}.list", reply=_REPLY)
router.add("POST", _ROOT, create_record, sdk=f"{_SDK}.create", request="dns.RecordCreateParams", reply=_REPLY)
router.add(
    "POST",
    f"{_ROOT}/batch",
    batch_records,
    sdk=f"{_SDK}.batch",
    request="dns.RecordBatchParams",
    reply="dns.RecordBatchResponse",
)
router.add("GET", f"{_ROOT}/export", export_records, sdk=f"{_SDK}.export", unchecked="a text file")
router.add(
    "POST",
    f"{_ROOT}/import",
    import_records,
    sdk=f"{_SDK}.import_",
    request="dns.RecordImportParams",
    reply="dns.RecordImportResponse",
)
router.add("GET", f"{_ROOT}/usage", get_usage, sdk="dns.usage.zone.get", reply="dns.usage.ZoneGetResponse")
router.add("GET", _ONE, get_record, sdk=f"{_SDK}.get", reply=_REPLY)
router.add("PUT", _ONE, update_record, sdk=f"{_SDK}.update", request="dns.RecordUpdateParams", reply=_REPLY)
router.add("PATCH", _ONE, edit_record, sdk=f"{_SDK}.edit", request="dns.RecordEditParams", reply=_REPLY)
router.add("DELETE", _ONE, delete_record, sdk=f"{_SDK}.delete", reply="dns.RecordDeleteResponse")
