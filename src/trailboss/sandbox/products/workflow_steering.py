"""Reaching Workflow instances: a hidden Worker that has every workflow as a binding, called through the edge.

The runtime offers instances to bindings only. So the sandbox binds them itself, as Cloudflare's own control
plane would: nothing is imitated, an instance made here is the one the Worker's binding sees.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.workers.model import script_record
from trailboss.sandbox.workers.releases import new_version, write_deployment
from trailboss.sandbox.workers.upload import store_blob

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.call import Call
    from trailboss.sandbox.store import Record

NAME = "workflows~steering"
MAIN = "index.js"
CODE = """
export default {
  async fetch(request, env) {
    const { workflow, operation, id, options } = await request.json();
    try {
      if (operation === "create") return Response.json({ id: (await env[workflow].create(options)).id });
      const instance = await env[workflow].get(id);
      if (operation === "event") await instance.sendEvent(options);
      else if (operation !== "status") await instance[operation](options);
      return Response.json(await instance.status());
    } catch (error) {
      return Response.json({ error: { name: error.name, message: error.message } }, { status: 400 });
    }
  },
};
"""
STATES = (
    *("queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting"),
    "rollingBack",
)
ENDED = frozenset({"errored", "terminated", "complete"})


def instance_not_found() -> ApiError:
    """No instance of that id."""
    return ApiError(404, 10201, "instance.not_found")


def instance_exists() -> ApiError:
    """The id is taken."""
    return ApiError(409, 10202, "instance.already_exists")


def install(call: Call) -> None:
    """Write the hidden Worker for the workflows there are now; `runtime.sync()` brings it to life."""
    store, workflows = call.store, call.store.all("workflow")
    with store.transaction():
        for kind in ("version", "deployment"):
            store.delete_all(kind, NAME)
        script = store.get("hidden_script", NAME)
        if not workflows:
            store.delete("hidden_script", NAME)
            return
        if script is None:
            host = f"{call.ids.hex()}.steering.localhost"
            script = {**script_record(call, NAME), "hosts": [host]}
        store.put("hidden_script", NAME, script)
        version = _version(call, script, workflows)
        store.put("version", version["id"], version, parent=NAME)
        write_deployment(call, NAME, [{"version_id": version["id"], "percentage": 100}], {}, "upload")


def _version(call: Call, script: Record, workflows: list[Record]) -> Record:
    data = CODE.encode()
    digest = hashlib.sha256(data).hexdigest()
    store_blob(call.box.folder.blobs, digest, data)
    module = {"name": MAIN, "type": "application/javascript+module", "sha256": digest, "size": len(data)}
    bindings = [
        {
            "name": item["name"],
            "type": "workflow",
            "workflow_name": item["name"],
            "class_name": item["class_name"],
            "script_name": item["script_name"],
        }
        for item in workflows
    ]
    version = new_version(call, script, {"compatibility_date": "2026-01-01"}, "upload")
    return {**version, "format": "modules", "main": MAIN, "modules": [module], "bindings": bindings}


async def steer(
    box: Box, workflow: str, operation: str, *, identifier: str = "", options: Any = None
) -> dict[str, Any]:
    """Do something to an instance; its status afterwards (of "create": its id).

    Raises:
        ApiError: 10201, 10202; 10001 with the runtime's words for everything else.
    """
    import aiohttp

    script = box.store.get("hidden_script", NAME) or {"hosts": [""]}
    body = {"workflow": workflow, "operation": operation, "id": identifier, "options": options}
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"http://127.0.0.1:{box.edge_port}/", json=body, headers={"host": script["hosts"][0]}
        ) as answer,
    ):
        if answer.content_type != "application/json":
            raise ApiError(503, 10013, f"The workflow's Worker cannot be reached ({answer.status}).")
        told: dict[str, Any] = await answer.json()
    if "status" in told or "id" in told:
        return told
    message = str((told.get("error") or {}).get("message", "unknown error"))
    if "not_found" in message:
        raise instance_not_found()
    if "already_exists" in message or "already exists" in message:
        raise instance_exists()
    raise ApiError(400, 10001, message)
