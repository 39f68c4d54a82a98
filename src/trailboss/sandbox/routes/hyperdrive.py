"""Hyperdrive configurations. A Worker's binding gets a connection string to the database itself.

Faithful: shapes, codes, secrets that are never shown, partial updates. Simplified: nothing pools or caches,
and the database is not tried when a configuration is made.
https://developers.cloudflare.com/api/resources/hyperdrive/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record, Store

KIND = "hyperdrive_config"
SECRETS = ("password", "access_client_secret")
SCHEMES = frozenset({"postgres", "postgresql", "mysql"})
MAX_AGE = 3600


def config_not_found() -> ApiError:
    """No configuration of that id."""
    return ApiError(404, 2006, "The specified Hyperdrive config was not found.")


def invalid_config(detail: str) -> ApiError:
    """A configuration that cannot work."""
    return ApiError(400, 2007, f"Invalid Hyperdrive config: {detail}")


def name_taken() -> ApiError:
    """Another configuration has the name."""
    return ApiError(400, 2017, "A Hyperdrive config with the given name already exists")


def _config_of(call: Call) -> Record:
    found = call.store.get(KIND, call["hyperdrive_id"])
    if found is None:
        raise config_not_found()
    return found


def _shown(record: Record) -> Record:
    origin = {name: value for name, value in record["origin"].items() if name not in SECRETS}
    return {**record, "origin": origin}


def _check_origin(origin: Any) -> Record:
    if not isinstance(origin, dict) or origin.get("scheme") not in SCHEMES:
        raise invalid_config("origin.scheme must be postgres, postgresql or mysql")
    for name in ("database", "user"):
        if not origin.get(name):
            raise invalid_config(f"origin.{name} is required")
    if not origin.get("password"):
        raise invalid_config("origin.password is required")
    if "service_id" in origin:
        return origin
    if not origin.get("host"):
        raise invalid_config("origin.host is required")
    if "access_client_id" in origin and "port" in origin:
        raise invalid_config("origin.port must not be given with access_client_id")
    if "access_client_id" not in origin:
        origin.setdefault("port", 3306 if origin["scheme"] == "mysql" else 5432)
    return origin


def _caching(asked: Any, present: Record) -> Record:
    caching = {**present, **(asked or {})}
    if caching.get("disabled"):
        return {"disabled": True}
    caching = {"disabled": False, **caching}  # what was not asked for has a default that is not shown
    if not 0 <= int(caching.get("max_age", 0)) <= MAX_AGE:
        raise invalid_config(f"caching.max_age must be at most {MAX_AGE}")
    return caching


def _built(call: Call, body: Record, present: Record, *, whole: bool) -> Record:
    name = body.get("name", present.get("name"))
    if not isinstance(name, str) or not name:
        raise invalid_config("name is required")
    taken = call.store.find(KIND, name=name)
    if taken is not None and taken["id"] != present["id"]:
        raise name_taken()
    origin = body.get("origin") if whole else {**present.get("origin", {}), **(body.get("origin") or {})}
    record = {
        **present,
        "name": name,
        "origin": _check_origin(origin),
        "caching": _caching(body.get("caching"), {} if whole else present.get("caching", {})),
        "modified_on": call.clock.iso(),
    }
    if body.get("origin_connection_limit"):
        record["origin_connection_limit"] = int(body["origin_connection_limit"])
    if body.get("mtls"):
        record["mtls"] = {**present.get("mtls", {}), **body["mtls"]}
    return record


async def list_configs(call: Call) -> Reply:
    """All of them."""
    return call.paged_records(KIND, shown=_shown)


async def create_config(call: Call) -> Record:
    """Names are unique in the account."""
    present = {"id": call.ids.hex(), "created_on": call.clock.iso()}
    record = _built(call, await call.object(), present, whole=True)
    return _shown(call.store.put(KIND, record["id"], record))


async def get_config(call: Call) -> Record:
    """One configuration, without its secrets."""
    return _shown(_config_of(call))


async def update_config(call: Call) -> Record:
    """PUT: everything anew."""
    return await _change(call, whole=True)


async def edit_config(call: Call) -> Record:
    """PATCH: what is not named stays."""
    return await _change(call, whole=False)


async def _change(call: Call, *, whole: bool) -> Record:
    record = _built(call, await call.object(), _config_of(call), whole=whole)
    call.store.put(KIND, record["id"], record)
    await call.runtime.sync()
    return _shown(record)


async def restart_config(call: Call) -> Record:
    """New connections; there are none to renew."""
    record = {**_config_of(call), "restarted_on": call.clock.iso()}
    return _shown(call.store.put(KIND, record["id"], record))


async def delete_config(call: Call) -> None:
    """Gone."""
    call.store.delete(KIND, _config_of(call)["id"])


def check_binding(store: Store, binding: Record) -> ApiError | None:
    """An upload may only bind a configuration that exists."""
    if store.get(KIND, str(binding.get("id", ""))) is not None:
        return None
    return ApiError(400, 10158, f"Hyperdrive binding '{binding.get('name')}' references an unknown config.")


def connect(store: Store, binding: Record) -> Record:
    """The runtime connects to the database itself."""
    record = store.get(KIND, str(binding.get("id", "")))
    if record is None or "host" not in record["origin"]:
        return binding
    origin = record["origin"]
    who = f"{quote(origin['user'], safe='')}:{quote(origin['password'], safe='')}"
    port = origin.get("port") or (3306 if origin["scheme"] == "mysql" else 5432)
    where = f"{origin['host']}:{port}/{quote(origin['database'], safe='')}"
    return {**binding, "localConnectionString": f"{origin['scheme']}://{who}@{where}"}


router = Router("hyperdrive")
_ROOT, _ONE, _SDK = "A/hyperdrive/configs", "A/hyperdrive/configs/{hyperdrive_id}", "hyperdrive.configs"
_TYPE = "hyperdrive.Config"
router.add("GET", _ROOT, list_configs, sdk=f"{_SDK}.list", reply=f"{_TYPE}ListResponse")
router.add(
    "POST",
    _ROOT,
    create_config,
    sdk=f"{_SDK}.create",
    request=f"{_TYPE}CreateParams",
    reply=f"{_TYPE}CreateResponse",
)
router.add("GET", _ONE, get_config, sdk=f"{_SDK}.get", reply=f"{_TYPE}GetResponse")
router.add(
    "PUT",
    _ONE,
    update_config,
    sdk=f"{_SDK}.update",
    request=f"{_TYPE}UpdateParams",
    reply=f"{_TYPE}UpdateResponse",
)
router.add(
    "PATCH", _ONE, edit_config, sdk=f"{_SDK}.edit", request=f"{_TYPE}EditParams", reply=f"{_TYPE}EditResponse"
)
router.add("DELETE", _ONE, delete_config, sdk=f"{_SDK}.delete", reply="None")
router.add("POST", f"{_ONE}/restart", restart_config, sdk=f"{_SDK}.restart", reply=f"{_TYPE}RestartResponse")
router.target("hyperdrive", check_binding)
router.enrich("hyperdrive", connect)
