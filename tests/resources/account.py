"""A Cloudflare account in memory with every product of a kind: just enough to crash at every call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.cloud.loopback import Answer, Request, no, ok

KV, D1, R2 = "storage/kv/namespaces", "d1/database", "r2/buckets"
QUEUES, VECTORIZE = "queues", "vectorize/v2/indexes"
DISPATCH, FLAGSHIP = "workers/dispatch/namespaces", "flagship/apps"
SEARCH, MEMORY = "ai-search/namespaces", "agent-memory/namespaces"
# path -> (field of the name, field of the id, code and status when the name is taken)
PRODUCTS = {
    KV: ("title", "id", 10014),
    D1: ("name", "uuid", 7502),
    R2: ("name", "name", 10004),
    QUEUES: ("queue_name", "queue_id", 11009),
    VECTORIZE: ("name", "name", 3002),
    DISPATCH: ("namespace_name", "namespace_name", 100120),
    FLAGSHIP: ("name", "id", 1),
    SEARCH: ("name", "name", 2),
    MEMORY: ("name", "name", 3),
}


class Account:
    """Give `respond` to a Loopback. `misbehave` may replace an answer after its effect."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, dict[str, Any]]] = {path: {} for path in PRODUCTS}
        self.scripts: dict[str, list[dict[str, Any]]] = {}
        self.calls: list[str] = []
        self.before: Callable[[int], Answer | None] = lambda _: None
        self.after: Callable[[int], Answer | None] = lambda _: None

    def names(self, path: str) -> list[str]:
        """The names of a product's things."""
        return sorted(thing[PRODUCTS[path][0]] for thing in self.things[path].values())

    def respond(self, request: Request) -> Answer:
        """The answer to one request."""
        path = request.path.split("/accounts/", 1)[1].split("/", 1)[1]
        number = len(self.calls)
        self.calls.append(f"{request.method} {path}")
        refused = self.before(number)
        if refused is not None:
            return refused
        answer = self._answer(request, path)
        return self.after(number) or answer

    def _answer(self, request: Request, path: str) -> Answer:
        if path.startswith("workers/scripts/"):
            script = path.split("/")[2]
            if script not in self.scripts:
                return no(404, 10007, "This Worker does not exist")
            return ok({"bindings": self.scripts[script]})
        product = next(found for found in PRODUCTS if path == found or path.startswith(f"{found}/"))
        body = json.loads(request.body) if request.body else {}
        if request.method == "GET":
            return self._list(request, product)
        if request.method == "POST":
            return self._create(product, body, request.headers.get("cf-r2-jurisdiction", "default"))
        return self._change(request, product, path.rsplit("/", 1)[1], body)

    def _list(self, request: Request, product: str) -> Answer:
        things = list(self.things[product].values())
        if product == R2:
            place = request.headers.get("cf-r2-jurisdiction", "default")
            return ok({"buckets": [thing for thing in things if thing["jurisdiction"] == place]}, {})
        size, page = int(request.one("per_page") or 20), int(request.one("page") or 1)
        if product == VECTORIZE:
            return ok(things)
        if product in (FLAGSHIP, MEMORY):
            start = int(request.one("cursor") or 0)
            following = str(start + size) if start + size < len(things) else ""
            return ok(things[start : start + size], {"cursor": following})
        told = {"page": page, "per_page": size, "total_count": len(things)}
        return ok(things[(page - 1) * size : page * size], told)

    def _create(self, product: str, body: dict[str, Any], jurisdiction: str) -> Answer:
        name, key, taken = PRODUCTS[product]
        if product == DISPATCH:  # the API takes one word and gives another
            body = {name: body["name"], "namespace_id": f"id-{len(self.things[product])}"}
        place = f"{jurisdiction}/{body[name]}"
        if place in self.things[product]:
            return no(409, taken, "this name is already taken")
        thing = dict(body)
        thing.setdefault(key, f"{len(self.things[product]):032x}")
        if product == R2:
            thing["jurisdiction"] = jurisdiction
        self.things[product][place] = thing
        return ok(thing)

    def _change(self, request: Request, product: str, handle: str, body: dict[str, Any]) -> Answer:
        key = PRODUCTS[product][1]
        place = next((p for p, thing in self.things[product].items() if thing[key] == handle), None)
        if place is None:
            return no(404, 7404 if product == D1 else 10006, "not found")
        if request.method == "DELETE":
            del self.things[product][place]
            return ok(None)
        thing = self.things[product][place]
        thing.update(body)
        if "cf-r2-storage-class" in request.headers:
            thing["storage_class"] = request.headers["cf-r2-storage-class"]
        return ok(thing)
