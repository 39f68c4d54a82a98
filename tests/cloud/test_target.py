"""Which account a command acts on."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.cloud import GlobalKey, Target, resolve_target
from trailboss.cloud.connection import is_alive, read_connection
from trailboss.errors import AuthenticationError, ConfigError, SandboxError, TrailbossError
from trailboss.values import Secret

ENV = {"CLOUDFLARE_API_TOKEN": "env-token", "CLOUDFLARE_ACCOUNT_ID": "env-account"}


def sandbox(home: Path, name: str = "default", **more: Any) -> dict[str, str]:
    """Write a connection file; the environment that finds it."""
    data = {
        "name": name,
        "pid": os.getpid(),
        "api_url": "http://127.0.0.1:8400/client/v4",
        "edge_url": "http://127.0.0.1:8480",
        "account_id": "sandbox-account",
        "token": "sandbox-token",
        **more,
    }
    (home / name).mkdir(parents=True, exist_ok=True)
    (home / name / "connection.json").write_text(json.dumps(data))
    return {"TRAILBOSS_SANDBOX_HOME": str(home)}


def test_from_the_environment() -> None:
    target = resolve_target(None, environ=ENV)
    assert target == Target(
        "cloudflare", "https://api.cloudflare.com/client/v4", Secret("env-token"), "env-account"
    )
    assert str(target) == "cloudflare (env-account)"
    assert "env-token" not in repr(target)
    assert resolve_target(None, environ={"CF_API_TOKEN": "old"}).token == Secret("old")


def test_the_order(tmp_path: Path) -> None:
    environ = {**ENV, **sandbox(tmp_path), "TRAILBOSS_TARGET": "sandbox"}
    assert resolve_target({"name": "cloudflare"}, flag="cloudflare", environ=environ).source == "--target"
    assert resolve_target({"name": "cloudflare"}, environ=environ).name == "sandbox:default"
    del environ["TRAILBOSS_TARGET"]
    assert resolve_target({"name": "sandbox"}, environ=environ).is_sandbox
    assert resolve_target("sandbox", environ=environ).account_id == "sandbox-account"
    assert not resolve_target(None, environ=environ).is_sandbox


def test_named_sandboxes(tmp_path: Path) -> None:
    sandbox(tmp_path, "ci", api_url="http://127.0.0.1:9400/client/v4/")
    environ = sandbox(tmp_path)
    assert (
        resolve_target(None, flag="sandbox:ci", environ=environ).base_url == "http://127.0.0.1:9400/client/v4"
    )
    assert resolve_target({"sandbox": "ci"}, environ=environ).name == "sandbox:ci"
    assert resolve_target({"sandbox": True}, environ=environ).name == "sandbox:default"
    chosen = {**environ, "TRAILBOSS_SANDBOX": "ci"}
    assert resolve_target(None, flag="sandbox", environ=chosen).name == "sandbox:ci"


def test_what_sandbox_env_exports_is_known_as_the_sandbox(tmp_path: Path) -> None:
    environ = sandbox(tmp_path)
    environ |= {"CLOUDFLARE_API_BASE_URL": "http://localhost:8400/client/v4", "CLOUDFLARE_API_TOKEN": "t"}
    target = resolve_target(None, environ=environ)
    assert target.is_sandbox
    assert target.edge_url == "http://127.0.0.1:8480"
    assert target.account_id == "sandbox-account"
    environ["CLOUDFLARE_API_BASE_URL"] = "http://localhost:8401/client/v4"
    assert not resolve_target(None, environ=environ).is_sandbox


def test_a_sandbox_that_is_not_running(tmp_path: Path) -> None:
    for environ in ({"TRAILBOSS_SANDBOX_HOME": str(tmp_path / "none")}, sandbox(tmp_path, pid=2**22 + 1)):
        with pytest.raises(SandboxError) as caught:
            resolve_target(None, flag="sandbox", environ=environ)
        assert caught.value.code == "TB5901"
        assert "trailboss sandbox start" in caught.value.hint
    assert not is_alive(0)
    assert is_alive(1)


@given(
    st.binary(max_size=60)
    | st.dictionaries(st.text(), st.none() | st.integers()).map(lambda d: json.dumps(d).encode())
)
def test_a_damaged_connection_file_is_a_clear_error(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "default").mkdir()
        (Path(home) / "default" / "connection.json").write_bytes(content)
        with pytest.raises(SandboxError) as caught:
            read_connection("default", {"TRAILBOSS_SANDBOX_HOME": home})
    assert caught.value.code == "TB5902"


def test_a_token_always_wins_over_the_key() -> None:
    both = {**ENV, "CLOUDFLARE_API_KEY": "key", "CLOUDFLARE_EMAIL": "me@example.com"}
    assert resolve_target(None, environ=both).token == Secret("env-token")
    assert resolve_target({"auth": "key"}, environ=both).token == GlobalKey("me@example.com", Secret("key"))
    del both["CLOUDFLARE_API_TOKEN"]
    assert isinstance(resolve_target(None, environ=both).token, GlobalKey)
    assert "key" not in repr(resolve_target(None, environ=both).token).replace("key=", "")


def test_no_token() -> None:
    with pytest.raises(AuthenticationError) as caught:
        resolve_target(None, environ={"CLOUDFLARE_EMAIL": "me@example.com"})
    assert caught.value.code == "TB2102"
    assert "CLOUDFLARE_API_TOKEN" in caught.value.hint
    with pytest.raises(AuthenticationError):
        resolve_target({"auth": "key"}, environ=ENV)


def test_the_table_beats_the_environment() -> None:
    table = {"api_token": Secret("table"), "account_id": "mine", "base_url": "https://proxy.example.com/v4/"}
    target = resolve_target(table, environ=ENV)
    assert (target.token, target.account_id) == (Secret("table"), "mine")
    assert target.base_url == "https://proxy.example.com/v4"


def test_the_account_of_a_wrangler_config(tmp_path: Path) -> None:
    assert resolve_target(None, environ=ENV, account_id="config").account_id == "config"
    assert resolve_target({"account_id": "table"}, environ=ENV, account_id="config").account_id == "table"
    environ = sandbox(tmp_path)
    target = resolve_target(None, flag="sandbox", environ=environ, account_id="config")
    assert target.account_id == "sandbox-account"


def test_the_compliance_region() -> None:
    environ = {**ENV, "CLOUDFLARE_COMPLIANCE_REGION": "fedramp_high"}
    assert resolve_target(None, environ=environ).base_url == "https://api.fed.cloudflare.com/client/v4"


@pytest.mark.parametrize(
    ("table", "flag", "environ", "code"),
    [
        ({"nme": "x"}, None, ENV, "TB1902"),
        ({}, "cloudfare", ENV, "TB1901"),
        ({"base_url": "ftp://x"}, None, ENV, "TB1903"),
        ({"base_url": "http://api.example.com/v4"}, None, ENV, "TB1903"),
        ({"base_url": "https://me:pw@api.example.com"}, None, ENV, "TB1903"),
        ({"base_url": "http://[::1"}, None, ENV, "TB1903"),
        ({"base_url": "https://x:99999999"}, None, ENV, "TB1903"),
        ({}, None, {"CLOUDFLARE_API_TOKEN": "two words"}, "TB2103"),
        ({}, None, {"CLOUDFLARE_API_TOKEN": "tökén"}, "TB2103"),
        ({"api_token": "op://vault/item/field"}, None, ENV, "TB2105"),
        ({"api_token": Secret("${MISSING}")}, None, ENV, "TB2105"),
    ],
)
def test_mistakes(table: dict[str, Any], flag: str | None, environ: dict[str, str], code: str) -> None:
    with pytest.raises((ConfigError, AuthenticationError)) as caught:
        resolve_target(table, flag=flag, environ=environ)
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("host", ["localhost", "10.1.2.3", "api", "host.docker.internal", "[::1]"])
def test_plain_http_stays_near(host: str) -> None:
    assert resolve_target({"base_url": f"http://{host}:1/v4"}, environ=ENV)


@given(st.text(), st.text())
def test_nothing_ends_in_a_traceback(base: str, word: str) -> None:
    with contextlib.suppress(TrailbossError):
        resolve_target({"base_url": base, "name": word}, environ=ENV)
