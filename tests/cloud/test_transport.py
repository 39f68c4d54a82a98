"""The seam: TLS is verified, proxies are the environment's, and never for this machine."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud.loopback import Loopback, Request, ok
from trailboss.cloud import Cloud
from trailboss.cloud.failures import unreachable
from trailboss.cloud.redact import Redactor
from trailboss.cloud.transport import Timeouts, Transport
from trailboss.cloud.wire import Wire


@pytest.mark.parametrize("url", ["https://api.cloudflare.com/v4", "http://127.0.0.1:1/v4", "http://api:1/v4"])
@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:9"])
def test_certificates_are_always_checked(url: str, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if proxy:
        monkeypatch.setenv("ALL_PROXY", proxy)

    async def main() -> None:
        transport = Transport(Timeouts(), "agent")
        client: Any = transport._client(url)
        for wire in (client._transport, *client._mounts.values()):
            context = wire._context() if isinstance(wire, Wire) else wire._pool._ssl_context
            assert context.verify_mode is ssl.CERT_REQUIRED
            assert context.check_hostname
        await transport.close()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_for_this_machine(
    connect: Callable[..., Cloud], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def main() -> Any:
        async with Loopback([ok("here")]) as server, connect(server) as cloud:
            return await cloud.get("/x")

    assert asyncio.run(main()) == "here"


def test_other_hosts_go_through_the_proxy(
    connect: Callable[..., Cloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> Request:
        async with Loopback(lambda _: ok("by proxy")) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/client/v4"))
            async with connect("http://api.internal/client/v4") as cloud:
                assert await cloud.get("/x") == "by proxy"
            return proxy.requests[0]

    assert asyncio.run(main()).headers["host"] == "api.internal"


def test_credentials_of_netrc_are_not_used(
    connect: Callable[..., Cloud], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    async def main() -> Request:
        async with Loopback([ok()]) as server, connect(server) as cloud:
            await cloud.raw("GET", f"{server.url}/signed")
            return server.requests[0]

    assert "authorization" not in asyncio.run(main()).headers


def test_redirects_are_not_followed(connect: Callable[..., Cloud]) -> None:
    async def main() -> tuple[int, int]:
        async with Loopback(lambda _: ok(status=302, headers={"location": "/other"})) as server:
            async with connect(server) as cloud:
                raw = await cloud.raw("GET", "/x")
            return raw.status, len(server.requests)

    assert asyncio.run(main()) == (302, 1)


def test_a_certificate_that_is_not_trusted_is_explained() -> None:
    reason = "cannot connect ([SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate)"
    assert "SSL_CERT_FILE" in unreachable("GET", "/x", reason, Redactor(), sent=False).hint
