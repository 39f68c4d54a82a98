"""D1 export and import: polling jobs around files that are fetched and uploaded without credentials.

Faithful: polling, pre-signed addresses, ETags, all or nothing. Simplified: the database is not blocked.
https://developers.cloudflare.com/d1/best-practices/import-export-data/
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw
from trailboss.sandbox.products.files import database_file
from trailboss.sandbox.products.sql_script import opens_transaction, statements
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.d1 import database_of, history_of, invalid_property, remember, run

if TYPE_CHECKING:
    from pathlib import Path

    from trailboss.sandbox.store import Record

EXPORT, IMPORT = "d1_export", "d1_import"
LIVES = 3600.0
"""Seconds a pre-signed address works."""
PATIENCE = 10.0
"""Seconds a poll waits for the job to end before it answers that it is still active."""


def link_ended() -> ApiError:
    """A pre-signed address that was never given out, or is too old."""
    return ApiError(403, 10003, "The signed URL is invalid or has expired.")


def _file(call: Call, token: str) -> Path:
    folder = call.box.folder.state / "transfers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{token}.sql"


def _bookmark(call: Call, identifier: str) -> str:
    path = database_file(call.box.folder.data, identifier)
    return history_of(call.store).record(identifier, path, call.clock.now())


async def export_database(call: Call) -> Record:
    """The first call starts the dump; the next, with its bookmark, has the address."""
    identifier, body = database_of(call)["uuid"], await call.object()
    if body.get("output_format") != "polling":
        raise invalid_property("output_format must be polling")
    token = body.get("current_bookmark")
    job = call.store.get(EXPORT, f"{identifier}/{token}") if token else None
    if job is not None:
        return _exported(job["bookmark"], result=job["result"])
    bookmark = _bookmark(call, identifier)
    secret = call.ids.hex()
    await _dump(call, identifier, body.get("dump_options") or {}, secret)
    filename = f"{identifier}-{bookmark}.sql"
    url = f"{call.box.api_root}/_transfer/d1/{secret}/{filename}"
    result = {"filename": filename, "signed_url": url}
    until = call.clock.now() + LIVES
    call.store.put(
        EXPORT, f"{identifier}/{bookmark}", {"bookmark": bookmark, "result": result}, parent=identifier
    )
    call.store.put("d1_link", secret, {"direction": "down", "until": until})
    return _exported(bookmark)


def _exported(bookmark: str, *, result: Record | None = None) -> Record:
    return {
        "success": True,
        "type": "export",
        "at_bookmark": bookmark,
        "status": "complete" if result else "active",
        "messages": [] if result else ["Generating export"],
        **({"result": result} if result else {}),
    }


async def _dump(call: Call, identifier: str, options: Record, secret: str) -> None:
    body = json.dumps(options).encode()
    headers = {"content-type": "application/json"}
    async with call.runtime.data("POST", f"d1/{identifier}/dump", headers=headers, body=body) as answer:
        if answer.status >= 400:
            raise ApiError(400, 7500, str((await answer.json())["error"]["message"]))
        with _file(call, secret).open("wb") as file:
            async for piece in answer.chunks():
                file.write(piece)


async def download(call: Call) -> Raw:
    """The dump, for whoever has the address."""
    _link(call, "down")
    return Raw(_file(call, call["secret"]).read_bytes(), content_type="application/sql")


def _link(call: Call, direction: str) -> Record:
    link = call.store.get("d1_link", call["secret"])
    if link is None or link["direction"] != direction or link["until"] < call.clock.now():
        raise link_ended()
    return link


async def upload(call: Call) -> Raw:
    """The file to import; its ETag is its MD5."""
    link = _link(call, "up")
    digest = hashlib.md5(usedforsecurity=False)
    with _file(call, call["secret"]).open("wb") as file:
        async for piece in call.stream():
            digest.update(piece)
            file.write(piece)
    call.store.put("d1_link", call["secret"], {**link, "etag": digest.hexdigest()})
    return Raw(headers={"etag": f'"{digest.hexdigest()}"'}, content_type="")


async def import_database(call: Call) -> Record:
    """`init`, then the upload, then `ingest`, then `poll` until it says complete or error."""
    identifier, body = database_of(call)["uuid"], await call.object()
    action = body.get("action")
    if action == "init":
        return _begin(call, identifier, str(body.get("etag", "")))
    if action == "ingest":
        return await _ingest(call, identifier, body)
    if action == "poll":
        return await _poll(call, identifier)
    raise invalid_property("action must be init, ingest or poll")


def _begin(call: Call, identifier: str, etag: str) -> Record:
    secret = call.ids.hex()
    until = call.clock.now() + LIVES
    call.store.put("d1_link", secret, {"direction": "up", "until": until, "wanted": etag, "etag": ""})
    url = f"{call.box.api_root}/_transfer/d1/{secret}/{secret}.sql"
    return {
        "success": True,
        "type": "import",
        "filename": f"{secret}.sql",
        "upload_url": url,
        "messages": [],
    }


async def _ingest(call: Call, identifier: str, body: Record) -> Record:
    secret = str(body.get("filename", "")).removesuffix(".sql")
    link = call.store.get("d1_link", secret)
    if link is None or link["direction"] != "up" or not link["etag"]:
        raise invalid_property("filename does not name an uploaded file")
    if link["etag"] != body.get("etag"):
        raise invalid_property("etag is not that of the uploaded file")
    bookmark = _bookmark(call, identifier)
    call.store.put(IMPORT, identifier, _state("active", bookmark, messages=["Processing import"]))
    job = call.box.spawn(_import(call, identifier, secret), f"d1 import {identifier}")
    await asyncio.wait({job}, timeout=0.05)
    return call.store.get(IMPORT, identifier) or {}


async def _poll(call: Call, identifier: str) -> Record:
    until = time.monotonic() + PATIENCE
    while True:
        job = call.store.get(IMPORT, identifier)
        if job is None:
            raise invalid_property("no import is under way")
        if job["status"] != "active" or time.monotonic() > until:
            return job
        await asyncio.sleep(0.02)


async def _import(call: Call, identifier: str, secret: str) -> None:
    path = _file(call, secret)
    try:
        cut = list(statements(path.read_text()))
        forbidden = next((one for one in cut if opens_transaction(one)), None)
        if forbidden is not None:
            raise ApiError(400, 7500, f"To execute a transaction, use batch instead of: {forbidden[:60]}")
        results = await run(call, identifier, [{"sql": one, "params": []} for one in cut])
    except (ApiError, UnicodeDecodeError) as error:
        state = _state("error", _bookmark(call, identifier), error=str(error))
    else:
        remember(call.box, identifier)
        state = _state("complete", _bookmark(call, identifier), results=results)
    finally:
        path.unlink(missing_ok=True)
    call.store.put(IMPORT, identifier, state)


def _state(
    status: str,
    bookmark: str,
    *,
    messages: list[str] | None = None,
    error: str = "",
    results: list[Record] | None = None,
) -> Record:
    state: Record = {
        "success": status != "error",
        "type": "import",
        "status": status,
        "at_bookmark": bookmark,
        "messages": messages or [],
    }
    if error:
        return {**state, "error": error, "errors": [error]}
    if results is not None:
        state["result"] = {"final_bookmark": bookmark, "num_queries": len(results), "meta": _sum(results)}
    return state


def _sum(results: list[Record]) -> Record:
    metas = [one["meta"] for one in results]
    total: Record = dict(metas[-1]) if metas else {"size_after": 0}
    for name in ("duration", "rows_read", "rows_written", "changes"):
        total[name] = sum(meta.get(name) or 0 for meta in metas)
    total["changed_db"] = any(meta.get("changed_db") for meta in metas)
    return total


router = Router("d1_transfer")
_ONE = "A/d1/database/{database_id}"
_WHY = "the SDK's status has no 'active', which the real API answers first"
router.add(
    "POST",
    f"{_ONE}/export",
    export_database,
    sdk="d1.database.export",
    request="d1.DatabaseExportParams",
    unchecked=_WHY,
)
router.add(
    "POST",
    f"{_ONE}/import",
    import_database,
    sdk="d1.database.import_",
    request="d1.DatabaseImportParams",
    unchecked=_WHY,
)
router.add("GET", "/_transfer/d1/{secret}/{filename}", download, open=True, unchecked="a pre-signed address")
router.add("PUT", "/_transfer/d1/{secret}/{filename}", upload, open=True, unchecked="a pre-signed address")
