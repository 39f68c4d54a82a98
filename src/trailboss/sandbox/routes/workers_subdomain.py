"""workers.dev: the account's name there, and whether a Worker and its previews answer under it.

Faithful: without `previews_enabled` it follows `enabled` from Api-Date 2025-08-01 on, and stays as it is
before. https://developers.cloudflare.com/api/resources/workers/subresources/subdomains/
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.model import save_script, script_named

FOLLOWS = "2025-08-01"
TAKEN = {"www", "api", "cloudflare", "workers", "taken"}


def account_subdomain(call: Call) -> str | None:
    """The account's workers.dev name, None when it gave it up."""
    record = call.store.get("workers_account", "subdomain")
    name = call.box.identity.subdomain if record is None else record["subdomain"]
    return str(name) if name else None


async def get_account_subdomain(call: Call) -> Any:
    """GET /workers/subdomain."""
    name = account_subdomain(call)
    if name is None:
        raise refusals.no_subdomain()
    return {"subdomain": name}


async def put_account_subdomain(call: Call) -> Any:
    """PUT /workers/subdomain: only the sandbox's own name, because that is where its edge listens."""
    wanted = (await call.object()).get("subdomain")
    present = account_subdomain(call)
    if present is not None and present != wanted:
        raise ApiError(409, 10036, f"The account already has the subdomain '{present}'.")
    if wanted != call.box.identity.subdomain:
        raise ApiError(409, 10031, f"Subdomain '{wanted}' is not available.")
    return call.store.put("workers_account", "subdomain", {"subdomain": wanted})


async def delete_account_subdomain(call: Call) -> Any:
    """DELETE /workers/subdomain."""
    call.store.put("workers_account", "subdomain", {"subdomain": None})
    return None


async def look_up_subdomain(call: Call) -> Any:
    """GET /workers/subdomains/{name}: an error either way, as Cloudflare has it: 10032 free, 10031 taken."""
    name = call["subdomain"]
    if name in TAKEN or name == account_subdomain(call):
        raise ApiError(409, 10031, f"Subdomain '{name}' is already taken.")
    raise ApiError(404, 10032, f"Subdomain '{name}' is available.")


async def get_script_subdomain(call: Call) -> Any:
    """GET /workers/scripts/{n}/subdomain."""
    return script_named(call.store, call["script_name"])["subdomain"]


async def post_script_subdomain(call: Call) -> Any:
    """POST /workers/scripts/{n}/subdomain {enabled, previews_enabled?}."""
    script = script_named(call.store, call["script_name"])
    value = await call.object()
    enabled = bool(value.get("enabled"))
    previews = value.get("previews_enabled")
    if previews is None:
        follows = call.headers.get("cloudflare-workers-script-api-date", "") >= FOLLOWS
        previews = enabled if follows else script["subdomain"]["previews_enabled"]
    if enabled and account_subdomain(call) is None:
        raise refusals.subdomain_needed()
    script["subdomain"] = {"enabled": enabled, "previews_enabled": bool(previews)}
    save_script(call.store, script)
    await call.runtime.sync()
    return script["subdomain"]


async def delete_script_subdomain(call: Call) -> Any:
    """DELETE /workers/scripts/{n}/subdomain."""
    script = script_named(call.store, call["script_name"])
    script["subdomain"] = {"enabled": False, "previews_enabled": False}
    save_script(call.store, script)
    await call.runtime.sync()
    return script["subdomain"]


router = Router("workers_subdomain")
_ACCOUNT = "A/workers/subdomain"
_SCRIPT = "A/workers/scripts/{script_name}/subdomain"
router.add(
    "GET",
    _ACCOUNT,
    get_account_subdomain,
    sdk="workers.subdomains.get",
    reply="workers.SubdomainGetResponse",
)
router.add(
    "PUT",
    _ACCOUNT,
    put_account_subdomain,
    sdk="workers.subdomains.update",
    request="workers.SubdomainUpdateParams",
    reply="workers.SubdomainUpdateResponse",
)
router.add("DELETE", _ACCOUNT, delete_account_subdomain, sdk="workers.subdomains.delete", reply="None")
router.add("GET", "A/workers/subdomains/{subdomain}", look_up_subdomain)
router.add(
    "GET",
    _SCRIPT,
    get_script_subdomain,
    sdk="workers.scripts.subdomain.get",
    reply="workers.scripts.SubdomainGetResponse",
)
router.add(
    "POST",
    _SCRIPT,
    post_script_subdomain,
    sdk="workers.scripts.subdomain.create",
    request="workers.scripts.SubdomainCreateParams",
    reply="workers.scripts.SubdomainCreateResponse",
)
router.add(
    "DELETE",
    _SCRIPT,
    delete_script_subdomain,
    sdk="workers.scripts.subdomain.delete",
    reply="workers.scripts.SubdomainDeleteResponse",
)
