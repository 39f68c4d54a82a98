"""Durable Object namespaces, as the migrations of their Workers made them, and the objects in them.

https://developers.cloudflare.com/api/resources/durable_objects/
"""

from __future__ import annotations

import re
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.store import Record


def namespace_not_found() -> ApiError:
    """No namespace of that id."""
    return ApiError(404, 10066, "The Durable Object namespace could not be found.")


async def list_namespaces(call: Call) -> Any:
    """GET /workers/durable_objects/namespaces: those of user Workers name their dispatch namespace."""
    return call.paged_records("do_namespace", shown=_shown)


def _shown(namespace: Record) -> Record:
    shown = {key: value for key, value in namespace.items() if key != "transferred_from"}
    dispatch, mark, script = namespace["script"].partition("~")
    return {**shown, "script": script, "dispatch_namespace": dispatch} if mark else shown


async def list_objects(call: Call) -> Any:
    """GET /workers/durable_objects/namespaces/{id}/objects: the ones with stored data, from the files on
    disk."""
    namespace = call.store.get("do_namespace", call["namespace_id"])
    if namespace is None:
        raise namespace_not_found()
    limit = call.number("limit", 1000, 1, 10_000)
    found = sorted(
        {
            path.stem
            for path in call.box.folder.data.rglob(f"*{namespace['id']}*/*.sqlite")
            if re.fullmatch(r"[0-9a-f]{64}", path.stem)
        }
    )
    after = [name for name in found if name > call.query("cursor")]
    page = after[:limit]
    info = {"count": len(page), "cursor": page[-1] if len(after) > limit else ""}
    return Reply([{"id": name, "hasStoredData": True} for name in page], info=info)


router = Router("workers_durable_objects")
_NAMESPACES = "A/workers/durable_objects/namespaces"
router.add(
    "GET",
    _NAMESPACES,
    list_namespaces,
    sdk="durable_objects.namespaces.list",
    reply="durable_objects.Namespace",
)
router.add(
    "GET",
    f"{_NAMESPACES}/{{namespace_id}}/objects",
    list_objects,
    sdk="durable_objects.namespaces.objects.list",
    reply="durable_objects.namespaces.DurableObject",
)
