"""Fixtures for the whole suite: a real sandbox per test process, and a fresh account in it per test."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from trailboss.sandbox import process
from trailboss.sandbox.identity import Connection

os.environ.setdefault("TRAILBOSS_BUNDLER", "cold")  # no test but its own leaves a process behind
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite started in the background ignores it, and
# what it starts would too


@dataclass
class Sandbox:
    """A running sandbox: `connection`, and a client whose base is the API with the token set."""

    connection: Connection
    home: Path
    http: httpx.Client

    @property
    def account(self) -> str:
        """`/accounts/<id>`."""
        return f"/accounts/{self.connection.account_id}"

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200, **more: Any) -> Any:
        """One API call; its result, or for `expect` >= 400 its first error."""
        if body is not None:
            more["content"] = json.dumps(body)
        response = self.http.request(method, self.connection.api_url + path, **more)
        assert response.status_code == expect, f"{method} {path}: {response.status_code} {response.text}"
        envelope = response.json()
        assert envelope["success"] is (expect < 400)
        return envelope["result"] if expect < 400 else envelope["errors"][0]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the control plane; its result."""
        response = self.http.request(method, f"{self.connection.control_url}/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    def edge(self, host: str, path: str = "/", **more: Any) -> httpx.Response:
        """One request to a Worker by host name, through the edge."""
        headers = {"host": host, **more.pop("headers", {})}
        method = more.pop("method", "GET")
        return httpx.request(method, self.connection.edge_url + path, headers=headers, timeout=30, **more)

    def worker(self, name: str, path: str = "/", **more: Any) -> httpx.Response:
        """One request to a Worker at its workers.dev address."""
        return self.edge(f"{name}.{self.connection.subdomain}.workers.localhost", path, **more)

    def environ(self) -> dict[str, str]:
        """What a client needs in its environment to use this sandbox."""
        return {
            "CLOUDFLARE_API_BASE_URL": self.connection.api_url,
            "CLOUDFLARE_API_TOKEN": self.connection.token,
            "CLOUDFLARE_ACCOUNT_ID": self.connection.account_id,
            "WRANGLER_SEND_METRICS": "false",
            "NODE_COMPILE_CACHE": str(Path(tempfile.gettempdir()) / "node-compile-cache"),
            "CI": "true",
        }


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A real daemon with its side-car, one per test process. State carries over: use `account`."""
    home = tmp_path_factory.mktemp("sandbox")
    connection = process.start("test", home, port=0, edge_port=0, strict=True, leashed=True)
    headers = {"authorization": f"Bearer {connection.token}"}
    with httpx.Client(headers=headers, timeout=60) as http:
        yield Sandbox(connection, home, http)
    process.stop("test", home)


@pytest.fixture
def account(sandbox: Sandbox) -> Sandbox:
    """The sandbox with an empty account."""
    sandbox.control("POST", "reset")
    return sandbox


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay on one worker, in their order, unless they name a group of their own."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
