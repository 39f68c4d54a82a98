"""SQL on a D1 database: of the account, or of a dev server behind a tunnel.

The dev server has Cloudflare's own D1 paths under `/cdn-cgi/local/explorer/api` (wrangler 4), for requests
that say `Host: localhost`. Cloudflare's edge keeps `/cdn-cgi/` to itself, and a public host name would fail
that check, so the requests go through the tunnel as a TCP stream.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.develop.local_port import through
from trailboss.develop.reach import Wanted, prepare
from trailboss.develop.tunnels import find_tunnel, read_rules
from trailboss.errors import CloudError, NotFound, Unavailable, UsageError

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Worker

API = "/cdn-cgi/local/explorer/api/d1/database"


@dataclass(frozen=True, slots=True)
class Database:
    """A database as a Worker's configuration has it: its `name` in this environment, and what the dev server
    calls it (`local`). `id` is the account's, where the file gives one.
    """

    name: str
    binding: str
    local: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the statements gave, in the API's own shape: one item per statement."""

    database: str
    where: str
    results: list[dict[str, Any]] = field(default_factory=list)


def find_database(name: str, workers: Iterable[Worker], originals: Iterable[Worker]) -> Database | None:
    """The database that `name` means in the environment of `workers`: a name, a binding, or the name it has
    at the top level of the files (`originals`). None when the files have none of it.
    """
    bindings = {name}
    for worker in originals:
        bindings |= {
            entry["binding"]
            for entry in worker.raw.get("d1_databases") or ()
            if entry.get("database_name") == name
        }
    for worker in workers:
        for entry in worker.raw.get("d1_databases") or ():
            if entry.get("database_name") == name or entry["binding"] in bindings:
                real = entry.get("database_id")
                local = entry.get("preview_database_id") or real or entry["binding"]
                return Database(str(entry.get("database_name") or name), entry["binding"], str(local), real)
    return None


async def execute(cloud: Cloud, name: str, found: Database | None, sql: str) -> Answer:
    """Run `sql` on the account's database.

    Raises:
        NotFound: TB2315 there is no such database. CloudError: what the database says.
    """
    database = found.name if found else name
    identifier = found.id if found else None
    if identifier is None:
        try:
            one = await cloud.get(f"{cloud.account}/d1/database/{segment(database)}")
        except NotFound as error:
            raise NotFound(
                "TB2315",
                f"the account has no D1 database '{database}'",
                hint=f"Make it: trailboss d1 create {name}, or deploy the Worker that binds it.",
                status=error.status,
            ) from None
        identifier = str(one["uuid"])
    path = f"{cloud.account}/d1/database/{segment(identifier)}/query"
    return Answer(database, identifier, await cloud.post(path, json={"sql": sql}))


async def execute_at_dev(
    cloud: Cloud, found: Database, sql: str, wanted: Wanted, environ: Mapping[str, str]
) -> Answer:
    """Run `sql` on the dev server behind the tunnel of `wanted`, statement by statement.

    Raises:
        Unavailable: TB2521, TB2522 the dev server does not answer. CloudError: TB2316 what the database says.
        And what `prepare` raises.
    """
    statements = split_statements(sql)
    way = await prepare(cloud, wanted, environ)
    async with through(way, environ) as port:
        results = [one for text in statements for one in await _ask(port, found, text)]
    return Answer(found.name, way.place.hostname, results)


async def _ask(port: int, database: Database, sql: str) -> list[dict[str, Any]]:
    import httpx

    url = f"http://localhost:{port}{API}/{segment(database.local)}/raw"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            answer = await http.post(url, json={"sql": sql})
        found = json.loads(answer.text)
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(
            "TB2522",
            f"what is behind the tunnel is no dev server that takes SQL ({type(error).__name__})",
            hint="Start it there: trailboss dev (wrangler 4.100 or newer, over http).",
        ) from None
    if not found.get("success"):
        said = (found.get("errors") or [{}])[0].get("message") or f"HTTP {answer.status_code}"
        raise CloudError("TB2316", f"the dev server's {database.binding}: {said}", status=answer.status_code)
    return [{**one, "results": _rows(one["results"])} for one in found["result"]]


def _rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows by column name, as the account's `query` gives them."""
    return [dict(zip(results["columns"], row, strict=True)) for row in results["rows"]]


def split_statements(sql: str) -> list[str]:
    """The statements of a script, by SQLite's own judgement of where one is complete."""
    found, held = [], ""
    for part in sql.replace("\r\n", "\n").split(";"):
        held += f"{part};"
        if sqlite3.complete_statement(held):
            found.append(held[:-1].strip())
            held = ""
    return [one for one in [*found, held.rstrip("; \n\t").strip()] if one]


async def meant_hostname(cloud: Cloud, tunnel: str, given: str | None, hints: Iterable[str] = ()) -> str:
    """The host name of the dev server's TCP service: the given one, the only one of the tunnel that leads to
    a TCP service, else `<tunnel>.<zone>`. The zone is the account's only one, or the only one that `hints`
    (zones and host names of the project) lie in.

    Raises:
        UsageError: TB9478 it cannot be told.
    """
    if given:
        return given
    try:
        rules = await read_rules(cloud, await find_tunnel(cloud, tunnel))
    except NotFound:
        rules = ()
    streams = [rule.hostname for rule in rules if rule.service.startswith("tcp://")]
    if len(streams) == 1:
        return streams[0]
    zones = [str(one["name"]) async for one in cloud.pages("/zones", per_page=50)] if not streams else []
    meant = [zone for zone in zones if any(hint == zone or hint.endswith(f".{zone}") for hint in hints)]
    if len(meant or zones) == 1:
        return f"{tunnel}.{(meant or zones)[0]}"
    raise UsageError(
        "TB9478",
        f"which host name leads through {tunnel} cannot be told",
        hint="Name it: --hostname db.dev.example.com.",
    )


def read_sql(command: str | None, file: str | None) -> str:
    """The SQL of `--command` or of `--file`.

    Raises:
        UsageError: TB9479 neither or both were given.
    """
    if (command is None) == (file is None):
        raise UsageError("TB9479", "give --command or --file, one of them", hint='--command "SELECT 1"')
    return command if command is not None else Path(str(file)).read_text("utf-8")
