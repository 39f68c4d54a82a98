"""D1 databases: create, find, query. The SQL runs in the very database a Worker's `d1` binding queries.

Faithful: shapes, codes, one result per statement, transactions around a batch, lookup by name. Simplified:
one region, no replicas (the setting is kept), no plan limits. Import, export and Time Travel have own files.
https://developers.cloudflare.com/api/resources/d1/
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.d1_history import History
from trailboss.sandbox.products.files import database_file
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

KIND = "d1_database"
REGION = "WEUR"
MAX_SQL = 100_000
MAX_PARAMS = 100
QUICK = 0.05
"""Recording a state that takes longer than this is left to the watcher."""
COUNT_TABLES = (
    "select count(*) as n from sqlite_master where type='table'"
    " and name not like 'sqlite!_%' escape '!' and name not like '!_cf!_%' escape '!'"
)

_histories: WeakKeyDictionary[Store, History] = WeakKeyDictionary()


def database_not_found(name: str) -> ApiError:
    """Neither an id nor a name of a database."""
    return ApiError(404, 7404, f"The database {name} could not be found")


def name_taken(name: str) -> ApiError:
    """Another database has the name."""
    return ApiError(400, 7502, f"Database with name '{name}' already exists")


def invalid_property(detail: str) -> ApiError:
    """A field that cannot have its value."""
    return ApiError(400, 7400, f"Invalid property: {detail}")


def sql_error(message: str) -> ApiError:
    """What SQLite said."""
    return ApiError(400, 7500, message.removeprefix("D1_ERROR: "))


def history_of(store: Store) -> History:
    """The recorded states of this account's databases."""
    if store not in _histories:
        _histories[store] = History(store)
    return _histories[store]


def database_of(call: Call) -> Record:
    """The database the path names, by id or by name."""
    wanted = call["database_id"]
    found = call.store.get(KIND, wanted) or call.store.find(KIND, name=wanted)
    if found is None:
        raise database_not_found(wanted)
    return found


def make_database(store: Store, clock_iso: str, identifier: str, body: Record) -> Record:
    """A new database, its name checked."""
    name = body.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]{1,64}", name):
        raise invalid_property("name must have 1 to 64 letters, digits, dashes, dots or underscores")
    if store.find(KIND, name=name) is not None:
        raise name_taken(name)
    record: Record = {
        "uuid": identifier,
        "name": name,
        "version": "production",
        "created_at": clock_iso,
        "created_in_region": str(body.get("primary_location_hint") or REGION).upper(),
        "read_replication": _replication(body, {"mode": "disabled"}),
        "jurisdiction": body.get("jurisdiction"),
    }
    return store.put(KIND, identifier, record)


def _replication(body: Record, default: Any) -> Any:
    value = body.get("read_replication", default)
    if not isinstance(value, dict) or value.get("mode") not in {"auto", "disabled"}:
        raise invalid_property("read_replication.mode must be auto or disabled")
    return {"mode": value["mode"]}


async def create_database(call: Call) -> Record:
    """Names are unique in the account."""
    body = await call.object()
    record = make_database(call.store, call.clock.iso(), call.ids.uuid(), body)
    await call.begin_storage(KIND)
    remember(call.box, record["uuid"])
    return await _shown(call, record)


async def list_databases(call: Call) -> Reply:
    """By part of the name, newest first."""
    part = call.query("name")
    if not part:
        return call.paged_records(KIND, shown=_brief, most=10_000, newest_first=True)
    found = [one for one in call.store.all(KIND, newest_first=True) if part in one["name"]]
    return call.paged([_brief(one) for one in found], most=10_000)


def _brief(record: Record) -> Record:
    fields = ("uuid", "name", "version", "created_at", "jurisdiction", "read_replication")
    return {name: record.get(name) for name in fields}


async def get_database(call: Call) -> Record:
    """With its size and number of tables, or only the `fields` asked for."""
    record = database_of(call)
    wanted = [field for field in call.query("fields").split(",") if field]
    if wanted and not {"file_size", "num_tables"} & set(wanted):
        return {field: record.get(field) for field in wanted}
    shown = await _shown(call, record)
    return {field: shown.get(field) for field in wanted} if wanted else shown


async def _shown(call: Call, record: Record) -> Record:
    (result,) = await run(call, record["uuid"], [{"sql": COUNT_TABLES, "params": []}])
    return {
        **record,
        "running_in_region": record["created_in_region"],
        "num_tables": result["results"][0]["n"],
        "file_size": result["meta"]["size_after"],
    }


async def update_database(call: Call) -> Record:
    """Read replication is the one thing that can change."""
    record, body = database_of(call), await call.object()
    record["read_replication"] = _replication(body, record["read_replication"])
    call.store.put(KIND, record["uuid"], record)
    return await _shown(call, record)


async def delete_database(call: Call) -> None:
    """Gone for good, history too."""
    record = database_of(call)
    call.store.delete(KIND, record["uuid"])
    await call.runtime.sync()
    history_of(call.store).drop(record["uuid"])


async def run(call: Call, identifier: str, statements: list[Record], *, raw: bool = False) -> list[Record]:
    """Run statements as one transaction: one result each.

    Raises:
        ApiError: 7500 with SQLite's message; nothing was changed.
    """
    body = json.dumps({"statements": statements, "raw": raw, "transaction": True}).encode()
    headers = {"content-type": "application/json"}
    path = f"d1/{identifier}/query"
    async with call.runtime.data("POST", path, headers=headers, body=body) as answer:
        found = await answer.json()
        if answer.status >= 400:
            raise sql_error(str(found["error"]["message"]))
        return [_result(one) for one in found]


def _result(one: Record) -> Record:
    meta = {
        "served_by": "v3-prod",
        "served_by_region": REGION,
        "served_by_colo": "BOX",
        "served_by_primary": True,
        "timings": {"sql_duration_ms": one["meta"].get("duration", 0)},
        **{name: value for name, value in one["meta"].items() if name != "served_by"},
    }
    return {"results": one["results"], "success": True, "meta": meta}


async def _asked(call: Call) -> list[Record]:
    body = await call.object()
    batch = body.get("batch")
    asked = batch if isinstance(batch, list) else [body]
    return [_statement(one) for one in asked]


def _statement(one: Any) -> Record:
    if not isinstance(one, dict) or not isinstance(one.get("sql"), str):
        raise invalid_property("sql must be a string")
    params = one.get("params") or []
    if not isinstance(params, list) or len(params) > MAX_PARAMS:
        raise invalid_property(f"params must be a list of at most {MAX_PARAMS}")
    return {"sql": one["sql"], "params": params}


async def query_database(call: Call) -> Reply:
    """Rows as objects."""
    return await _answer(call, raw=False)


async def raw_database(call: Call) -> Reply:
    """Rows as arrays, columns apart."""
    return await _answer(call, raw=True)


async def _answer(call: Call, *, raw: bool) -> Reply:
    record = database_of(call)
    results = await run(call, record["uuid"], await _asked(call), raw=raw)
    if any(one["meta"].get("changed_db") for one in results):
        remember(call.box, record["uuid"])
    return call.single(results)


def remember(box: Box, identifier: str) -> None:
    """Record a database's state for Time Travel, unless that has become slow."""
    history = history_of(box.store)
    if history.cost > QUICK:
        return
    began = time.perf_counter()
    history.record(identifier, database_file(box.folder.data, identifier), box.clock.now())
    history.cost = time.perf_counter() - began


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a database that exists."""
    identifier = str(binding.get("id") or binding.get("database_id") or "")
    if store.get(KIND, identifier) is not None:
        return None
    return ApiError(
        400,
        10181,
        f"D1 binding '{binding.get('name')}' references database '{identifier}' which was not found.",
    )


async def plant(box: Box, names: Any) -> list[Record]:
    """Seed `{"d1_databases": ["name", ...]}`."""
    return [
        box.store.find(KIND, name=name)
        or make_database(box.store, box.clock.iso(), box.ids.uuid(), {"name": name})
        for name in names
    ]


router = Router("d1")
_ROOT, _ONE, _SDK = "A/d1/database", "A/d1/database/{database_id}", "d1.database"
router.add("GET", _ROOT, list_databases, sdk=f"{_SDK}.list", reply="d1.DatabaseListResponse")
router.add(
    "POST", _ROOT, create_database, sdk=f"{_SDK}.create", request="d1.DatabaseCreateParams", reply="d1.D1"
)
router.add("GET", _ONE, get_database, sdk=f"{_SDK}.get", reply="d1.D1")
router.add("PATCH", _ONE, update_database, sdk=f"{_SDK}.edit", request="d1.DatabaseEditParams", reply="d1.D1")
router.add(
    "PUT", _ONE, update_database, sdk=f"{_SDK}.update", request="d1.DatabaseUpdateParams", reply="d1.D1"
)
router.add("DELETE", _ONE, delete_database, sdk=f"{_SDK}.delete", reply="None")
router.add(
    "POST",
    f"{_ONE}/query",
    query_database,
    sdk=f"{_SDK}.query",
    request="d1.DatabaseQueryParams",
    reply="d1.QueryResult",
)
router.add(
    "POST",
    f"{_ONE}/raw",
    raw_database,
    sdk=f"{_SDK}.raw",
    request="d1.DatabaseRawParams",
    reply="d1.DatabaseRawResponse",
)
router.stores("d1", lambda store: store.count(KIND) > 0)
router.target("d1", check_binding)
router.on_reset(lambda box: history_of(box.store).forget())
router.seed("d1_databases", plant)
