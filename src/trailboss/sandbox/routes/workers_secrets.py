"""Secrets: every change makes a version and deploys it; values never come back.

Faithful: 10215 when the newest version is not the one that runs; merge-patch bulk changes in one version.
https://developers.cloudflare.com/api/resources/workers/subresources/scripts/subresources/secrets/
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.bindings import SECRET, secrets_of
from trailboss.sandbox.workers.model import bindings_by_name, deployed_versions, latest_version, script_named
from trailboss.sandbox.workers.releases import base_version, copy_version, redeploy

LONGEST = 5 * 1024
MOST = 100


def secret_not_found(name: str) -> ApiError:
    """No secret of that name."""
    return ApiError(404, 10056, f"Binding '{name}' not found.")


def parse_secret(name: str, value: Any) -> dict[str, Any]:
    """One secret as a binding.

    Raises:
        ApiError: no value, an unknown type, or longer than a secret may be.
    """
    if not isinstance(value, dict) or not name:
        raise bad_request("A secret needs a name and a text.", 10021)
    kind = value.get("type", "secret_text")
    if kind == "secret_key":
        return {**value, "name": name, "type": kind}
    if kind != "secret_text" or not isinstance(value.get("text"), str):
        raise bad_request(f"Secret '{name}' needs a text.", 10021)
    if len(value["text"].encode()) > LONGEST:
        raise ApiError(400, 10054, f"Secret '{name}' is longer than {LONGEST} bytes.")
    return {"name": name, "type": kind, "text": value["text"]}


def with_secrets(version: Record, changes: dict[str, dict[str, Any] | None]) -> list[dict[str, Any]]:
    """The bindings of a version after secrets were set and removed (None).

    Raises:
        ApiError: 10053 when another kind of binding has the name.
    """
    present = bindings_by_name(version)
    for name, secret in changes.items():
        if name in present and present[name]["type"] not in SECRET:
            raise refusals.name_in_use(name)
        if secret is None:
            present.pop(name, None)
        else:
            present[name] = secret
    return list(present.values())


def editable_base(call: Call, name: str) -> Record:
    """The newest version, if it alone is deployed.

    Raises:
        ApiError: 10215 when it is not.
    """
    base = base_version(call, name)
    deployed = deployed_versions(call.store, name)
    if [version["id"] for version in deployed] != [base["id"]]:
        raise refusals.latest_not_deployed()
    return base


async def change(call: Call, changes: dict[str, dict[str, Any] | None]) -> Record:
    """Set and remove secrets in one new version, live when this returns."""
    name = call["script_name"]
    script = script_named(call.store, name)
    async with call.box.lock(f"script:{name}"):
        base = editable_base(call, name)
        version = copy_version(call, script, base, "secret")
        version["bindings"] = with_secrets(base, changes)
        await redeploy(call, script, version, "secret")
    return version


async def list_secrets(call: Call) -> Any:
    """GET /workers/scripts/{n}/secrets."""
    script = script_named(call.store, call["script_name"])
    secrets = secrets_of(latest_version(call.store, script["name"]))
    return call.single([_shown(secrets[name]) for name in sorted(secrets)])


async def put_secret(call: Call) -> Any:
    """PUT /workers/scripts/{n}/secrets."""
    value = await call.object()
    secret = parse_secret(str(value.get("name") or ""), value)
    await change(call, {secret["name"]: secret})
    return _shown(secret)


async def patch_secrets(call: Call) -> Any:
    """PATCH /workers/scripts/{n}/secrets-bulk: {"secrets": {name: secret | null}}."""
    value = await call.object()
    wanted = value.get("secrets")
    if not isinstance(wanted, dict) or len(wanted) > MOST:
        raise bad_request(f"The body must be {{secrets: {{...}}}} with at most {MOST} names.", 10021)
    changes = {name: None if item is None else parse_secret(name, item) for name, item in wanted.items()}
    version = await change(call, changes)
    return {name: _shown(secret) for name, secret in secrets_of(version).items()}


async def get_secret(call: Call) -> Any:
    """GET /workers/scripts/{n}/secrets/{name}."""
    return _shown(_secret(call))


async def delete_secret(call: Call) -> Any:
    """DELETE /workers/scripts/{n}/secrets/{name}[?url_encoded=true]."""
    await change(call, {_secret(call)["name"]: None})
    return None


def _secret(call: Call) -> dict[str, Any]:
    script = script_named(call.store, call["script_name"])
    name = unquote(call["secret_name"]) if call.flag("url_encoded") else call["secret_name"]
    found = secrets_of(latest_version(call.store, script["name"])).get(name)
    if found is None:
        raise secret_not_found(name)
    return found


def _shown(secret: dict[str, Any]) -> dict[str, Any]:
    hidden = SECRET[secret["type"]]
    return {key: value for key, value in secret.items() if key not in hidden}


router = Router("workers_secrets")
_SECRETS = "A/workers/scripts/{script_name}/secrets"
_SDK = "workers.scripts.secrets"
router.add("GET", _SECRETS, list_secrets, sdk=f"{_SDK}.list", reply="workers.scripts.SecretListResponse")
router.add(
    "PUT",
    _SECRETS,
    put_secret,
    sdk=f"{_SDK}.update",
    request="workers.scripts.SecretUpdateParams",
    reply="workers.scripts.SecretUpdateResponse",
)
router.add(
    "PATCH",
    f"{_SECRETS}-bulk",
    patch_secrets,
    sdk=f"{_SDK}.bulk_update",
    request="workers.scripts.SecretBulkUpdateParams",
    reply="workers.scripts.SecretBulkUpdateResponse",
)
router.add(
    "GET",
    f"{_SECRETS}/{{secret_name}}",
    get_secret,
    sdk=f"{_SDK}.get",
    reply="workers.scripts.SecretGetResponse",
)
router.add(
    "DELETE",
    f"{_SECRETS}/{{secret_name}}",
    delete_secret,
    sdk=f"{_SDK}.delete",
    reply="None",
)
