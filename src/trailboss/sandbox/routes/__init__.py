"""One file per Cloudflare product. Read `kv.py` or `workers_subdomain.py` and you have read them all.

A product file has, in this order:

1. A docstring: what is faithful, what is simplified, Cloudflare's page.
2. Refusals: its errors as small constructors returning `refusals.ApiError(status, code, wording)`.
3. State: functions over `Store` (records by kind and key; `parent` groups them) with the product's rules.
4. Handlers: `async def create_namespace(call: Call) -> Any`, one per operation, 3-20 lines.
   In: `call["namespace_id"]` a path value (decoded), `call.query("name")`, the body as `await call.object()`,
   `call.array()`, `call.json()`, `call.form()`, `call.body()`, `call.stream()`; and the sandbox:
   `call.store`, `call.runtime`, `call.clock`, `call.ids`, `call.account`, `call.box`.
   Out: the result itself; `Reply(result, status=, info=, headers=)`; `call.paged(items)` for page/per_page;
   `call.single(items)` for a list without pages (its page 2 is empty, so that every pager ends);
   `Raw(bytes or async iterator, status, headers)` where the real API has no envelope.
   Refuse by raising an `ApiError`. No envelope, no try.
5. The table, last:

       router = Router("kv")
       router.add("GET", "A/storage/kv/namespaces", list_namespaces,
                  sdk="kv.namespaces.list", reply="kv.Namespace")
       router.add("POST", "A/storage/kv/namespaces", create_namespace,
                  sdk="kv.namespaces.create", request="kv.NamespaceCreateParams", reply="kv.Namespace")

   `A/` is `/accounts/{account_id}/`, `Z/` is `/zones/{zone_id}/` (the zone must exist: kind "zone"), a
   leading `/` is below `/client/v4`. `open=True` is a path from the server's root that checks its own
   credentials (pre-signed URLs, S3). `{key:path}` as the last segment takes slashes. `sdk` is the method of
   the official SDK that makes this call; `request` and `reply` are its types below `cloudflare.types` (of
   one item for lists; "None" for no content). Where the SDK's own type is wrong, give `unchecked="why"`.

State kinds are named after the resource: "kv_namespace", "d1_database", "r2_bucket", "queue", "zone",
"dns_record", "vectorize_index", "hyperdrive_config", "script", "worker_route", "worker_domain".

Beyond routes a product may declare:

    router.schema = "create table if not exists ..."     # tables of its own; reset empties them
    router.stores("kv", lambda store: store.count("kv") > 0)    # storage that the runtime keeps
    router.target("kv_namespace", check)     # check(store, binding): None, or the ApiError an upload gets
    router.enrich("secrets_store_secret", add)   # add(store, binding): the binding as the runtime needs it
    router.binding("queue", handler)         # a Worker's binding calls back: async (call, rest) -> reply
    router.edge("tunnels", table)            # table(box): what the edge must know, a part of its routing
    router.on_start(task)                    # async (box): for the daemon's life; a crash is logged,
    restarted router.on_reset(clean)                   # (box): forget state that is not in the Store
    router.seed("kv_namespaces", plant)      # async (box, value): POST /_sandbox/seed {"kv_namespaces":
    value}

After a change of resources that a Worker may be bound to (a namespace made or deleted): `await
call.runtime.sync()`. The runtime's data plane is `call.runtime.data("GET", "kv/{id}/keys", params=,
headers=, body=bytes or async iterator)`: an async context manager giving `.status`, `.headers`,
`await .read()`, `await .json()` and `.chunks()`.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.store import Record, Store

Handler = Callable[[Call], Awaitable[Any]]
BindingHandler = Callable[[Call, str], Awaitable[Any]]
TargetCheck = Callable[["Store", "Record"], "ApiError | None"]

Enrich = Callable[["Store", "Record"], "Record"]

API = "/client/v4"


@dataclass(frozen=True, slots=True)
class Route:
    """One row of a product's table. `path` is from the server's root."""

    method: str
    path: str
    handler: Handler
    product: str
    sdk: str = ""
    request: str = ""
    reply: str = ""
    unchecked: str = ""
    open: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in braces, in order."""
        return _parameters(self.path)

    @property
    def name(self) -> str:
        """`product.operation`, as the journal and the coverage page call it."""
        return f"{self.product}.{self.handler.__name__}"


@cache
def _parameters(path: str) -> tuple[str, ...]:
    return tuple(name for name, _ in re.findall(r"{(\w+)(:path)?}", path))


class Router:
    """What a product declares: its routes, and what else of the sandbox it has a hand in."""

    def __init__(self, product: str) -> None:
        self.product = product
        self.routes: list[Route] = []
        self.schema = ""
        self.storage: dict[str, Callable[[Store], bool]] = {}
        self.targets: dict[str, TargetCheck] = {}
        self.enrichers: dict[str, Enrich] = {}
        self.bindings: dict[str, BindingHandler] = {}
        self.edge_tables: dict[str, Callable[[Box], Any]] = {}
        self.starters: list[Callable[[Box], Awaitable[None]]] = []
        self.cleaners: list[Callable[[Box], None]] = []
        self.seeds: dict[str, Callable[[Box, Any], Awaitable[Any]]] = {}

    def add(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        sdk: str = "",
        request: str = "",
        reply: str = "",
        unchecked: str = "",
        open: bool = False,
    ) -> None:
        """Declare a route (see the module's docstring). `method` "*" takes every method."""
        full = path if open else API + _expand(path)
        row = Route(method, full, handler, self.product, sdk, request, reply, unchecked, open)
        self.routes.append(row)

    def stores(self, kind: str, any_of: Callable[[Store], bool]) -> None:
        """Whether the account has storage of a kind, so that the runtime starts even without Workers. The
        runtime takes storage by name; which there is it need not know."""
        self.storage[kind] = any_of

    def target(self, binding_type: str, check: TargetCheck) -> None:
        """How an upload checks that what a binding points to exists."""
        self.targets[binding_type] = check

    def enrich(self, binding_type: str, add: Enrich) -> None:
        """Complete a binding with what only the account knows before the runtime gets it."""
        self.enrichers[binding_type] = add

    def binding(self, kind: str, handler: BindingHandler) -> None:
        """Serve a Worker's binding that calls back to Python under `/bindings/<kind>/`."""
        self.bindings[kind] = handler

    def edge(self, name: str, table: Callable[[Box], Any]) -> None:
        """What the edge is told under `name` with the routing, in JSON; without a reload of the runtime."""
        self.edge_tables[name] = table

    def on_start(self, task: Callable[[Box], Awaitable[None]]) -> None:
        """Run `task` while the daemon runs."""
        self.starters.append(task)

    def on_reset(self, clean: Callable[[Box], None]) -> None:
        """Forget state that is not in the Store."""
        self.cleaners.append(clean)

    def seed(self, name: str, plant: Callable[[Box, Any], Awaitable[Any]]) -> None:
        """Take part in POST /_sandbox/seed."""
        self.seeds[name] = plant


def _expand(path: str) -> str:
    if path.startswith("A/"):
        return f"/accounts/{{account_id}}/{path[2:]}"
    if path.startswith("Z/"):
        return f"/zones/{{zone_id}}/{path[2:]}"
    return path


def discover() -> list[Router]:
    """The `router` of every file in this folder, by file name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in names)
    return [module.router for module in modules if hasattr(module, "router")]
