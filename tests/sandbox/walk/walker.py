"""What a story walks with: the SDK and plain HTTP, and a note of every route that answered well."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from cloudflare import Cloudflare

from tests.conftest import Sandbox
from trailboss.sandbox.routes import Route, discover
from trailboss.sandbox.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVELOPE = {"success", "errors", "messages", "result"}


def routes() -> list[Route]:
    """Every registered route, by product."""
    return [route for router in discover() for route in router.routes]


def key_of(route: Route) -> str:
    """`GET A/storage/kv/namespaces`, as the routes' own tables write it."""
    path = route.path.removeprefix("/client/v4")
    path = path.replace("/accounts/{account_id}/", "A/").replace("/zones/{zone_id}/", "Z/")
    return f"{route.method} {path}"


class Walk:
    """`sdk` with its answers checked, `here` its first argument, and `zone_id` of example.com."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.here: dict[str, Any] = {"account_id": box.connection.account_id}
        self.through_sdk: set[str] = set()
        self.enveloped: set[str] = set()
        self.bare: set[str] = set()
        self._table = Table()
        for route in routes():
            self._table.add(route)
        self.sdk = self._client()
        self.zone_id = next(iter(self.sdk.zones.list(name="example.com"))).id

    def _client(self) -> Cloudflare:
        connection = self.box.connection
        return Cloudflare(
            base_url=connection.api_url,
            api_token=connection.token,
            api_email="",
            api_key="",
            default_headers={"Authorization": f"Bearer {connection.token}"},
            max_retries=0,
            http_client=httpx.Client(event_hooks={"response": [self._noted]}, timeout=60),
            _strict_response_validation=True,
        )

    def _noted(self, response: httpx.Response) -> None:
        if response.is_success:
            self.through_sdk.add(self._key(response.request))

    def _key(self, request: httpx.Request) -> str:
        path = request.url.raw_path.decode().partition("?")[0]
        route = self._table.find(request.method, path)[0]
        assert route is not None, f"no route for {request.method} {path}"
        return key_of(route)

    def raw(self, method: str, path: str, *, status: int = 200, **more: Any) -> httpx.Response:
        """One request without the SDK where the API has no envelope; a path may be a whole address."""
        url = path if "://" in path else self.box.connection.api_url + path
        response = self._send(method, url, status, more)
        self.bare.add(self._key(response.request))
        return response

    def _send(self, method: str, url: str, status: int, more: dict[str, Any]) -> httpx.Response:
        response = self.box.http.request(method, url, **more)
        assert response.status_code == status, f"{method} {url}: {response.status_code} {response.text}"
        return response

    def plain(self, method: str, path: str, *, status: int = 200, **more: Any) -> Any:
        """One request without the SDK, below the account or `/zones`, its envelope checked.

        Returns the result, or the first error of a refusal.
        """
        base = path if path.startswith("/zones") else f"{self.box.account}/{path}"
        response = self._send(method, self.box.connection.api_url + base, status, more)
        envelope = response.json()
        assert set(envelope) >= ENVELOPE, f"{method} {path} answers no envelope: {envelope}"
        assert envelope["success"] is (status < 400)
        assert bool(envelope["errors"]) is (status >= 400)
        self.enveloped.add(self._key(response.request))
        return envelope["errors"][0] if envelope["errors"] else envelope["result"]


@contextmanager
def walking(box: Sandbox) -> Iterator[Walk]:
    """A walk through an empty account."""
    box.control("POST", "reset")
    walk = Walk(box)
    with walk.sdk:
        yield walk
