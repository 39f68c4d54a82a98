"""Which resources carry a tag, found without reading all of them.

Beside the records (kind `tags`, key `<type>/<id>`) stands a table with a row per tag, in the records' order.
A search walks it from a cursor, which is the place of the last record of the page before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.products.tag_rules import ACCOUNT_TYPES, ZONE_TYPES, satisfies

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

KIND = "tags"
BATCH = 200
SCHEMA = """
create table if not exists resource_tags (
  ref text not null, type text not null, key text not null, value text not null, sequence integer not null,
  primary key (ref, key)
) without rowid;
create index if not exists resource_tags_by_pair on resource_tags (key, value, sequence);
create index if not exists records_script_tag on records (json_extract(body, '$.tag')) where kind = 'script';
create index if not exists records_bucket_name on records (json_extract(body, '$.name'))
  where kind = 'r2_bucket';
"""


BY_TAG = """
select t.sequence, r.body from resource_tags t join records r on r.kind='tags' and r.key=t.ref
where t.key=? {among} and t.sequence>? order by t.sequence
"""
COUNT = "select count(*) from resource_tags t where t.key=? {among}"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: every condition of the `tag=` language, any of the types, any of the ids."""

    conditions: Sequence[str] = ()
    types: Sequence[str] = ()
    ids: Sequence[str] = ()
    fold: bool = False


def ref_of(kind: str, identifier: str) -> str:
    """The key of a resource's tags."""
    return f"{kind}/{identifier}"


def put(store: Store, record: Record) -> None:
    """Write a resource's tags."""
    ref = ref_of(record["type"], record["id"])
    with store.transaction():
        store.put(KIND, ref, record)
        _index(store, ref, record)


def _index(store: Store, ref: str, record: Record) -> None:
    (sequence,) = store.execute("select sequence from records where kind=? and key=?", (KIND, ref)).fetchone()
    store.execute("delete from resource_tags where ref=?", (ref,))
    for key, value in record["tags"].items():
        store.execute(
            "insert into resource_tags values (?, ?, ?, ?, ?)", (ref, record["type"], key, value, sequence)
        )


def remove(store: Store, kind: str, identifier: str) -> None:
    """A resource has no tags any more."""
    ref = ref_of(kind, identifier)
    with store.transaction():
        store.delete(KIND, ref)
        store.execute("delete from resource_tags where ref=?", (ref,))


async def rebuild(box: Box) -> None:
    """Make the table anew from the records, which a state from before it has alone."""
    store = box.store
    with store.transaction():
        store.execute("delete from resource_tags")
        for record in store.all(KIND):
            _index(store, ref_of(record["type"], record["id"]), record)


def found(store: Store, search: Search, after: int = 0) -> Iterator[tuple[int, Record]]:
    """(place, record) of what meets the search, behind a place, in order."""
    pick = _by_tag(store, search) or _by_record(search)
    while rows := store.execute(f"{pick[0]} limit {BATCH}", (*pick[1], after)).fetchall():
        for place, body in rows:
            record = json.loads(body)
            if _meets(record, search):
                yield place, record
        after = rows[-1][0]


def _meets(record: Record, search: Search) -> bool:
    return (
        bool(record["tags"])
        and (not search.types or record["type"] in search.types)
        and (not search.ids or record["id"] in search.ids)
        and all(satisfies(record["tags"], one, fold=search.fold) for one in search.conditions)
    )


def _by_tag(store: Store, search: Search) -> tuple[str, tuple[Any, ...]] | None:
    """The rows of the rarest wanted tag, by the index; None when no condition names one."""
    wanted = [pair for pair in map(_pair, search.conditions) if pair is not None and not search.fold]
    if not wanted:
        return None
    picks = [(_among(values), (key, *values)) for key, values in wanted]
    if len(picks) > 1:
        picks.sort(key=lambda pick: store.execute(COUNT.format(among=pick[0]), pick[1]).fetchone()[0])
    among, given = picks[0]
    return BY_TAG.format(among=among), given


def _among(values: Sequence[str]) -> str:
    return f"and t.value in ({', '.join('?' * len(values))})" if values else ""


def _pair(condition: str) -> tuple[str, list[str]] | None:
    """(key, values) of a condition that is met by tags only if it is there."""
    key, equal, values = condition.partition("=")
    if condition.startswith("!") or key.endswith("!"):
        return None
    return key, values.split(",") if equal else []


def _by_record(search: Search) -> tuple[str, tuple[Any, ...]]:
    """The records themselves: those of the wanted ids by their keys, else all."""
    kinds = search.types or sorted(ACCOUNT_TYPES | ZONE_TYPES)
    refs = [ref_of(kind, one) for kind in kinds for one in search.ids]
    among = f"key in ({', '.join('?' * len(refs))}) and" if refs else "parent='' and"
    sql = f"select sequence, body from records where kind='tags' and {among} sequence>? order by sequence"  # noqa: S608
    return sql, tuple(refs)


def values_by_key(store: Store, kind: str = "") -> dict[str, list[str]]:
    """Every key in use with its values, of one type when given; both in order."""
    sql = "select distinct key, value from resource_tags where ? in ('', type) order by 1, 2"
    keys: dict[str, list[str]] = {}
    for key, value in store.execute(sql, (kind,)):
        keys.setdefault(key, []).append(value)
    return keys
