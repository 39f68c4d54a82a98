from __future__ import annotations

import pytest

from tests.secrets.conftest import Op
from trailboss.errors import ConfigError, SecretError
from trailboss.secrets.backends import service_account
from trailboss.secrets.backends.connect import Connect
from trailboss.secrets.backends.op_cli import OpCli
from trailboss.secrets.backends.service_account import ServiceAccount
from trailboss.secrets.choosing import choose
from trailboss.secrets.settings import SecretsSettings
from trailboss.values import Location, Secret

CONNECT = {"OP_CONNECT_HOST": "http://h", "OP_CONNECT_TOKEN": "t"}
TOKEN = {"OP_SERVICE_ACCOUNT_TOKEN": "ops_x"}


def test_the_order(op: Op) -> None:
    assert isinstance(choose({**op.environ, **TOKEN, **CONNECT}).backend, Connect)
    assert isinstance(choose({**op.environ, **TOKEN}).backend, ServiceAccount)
    assert isinstance(choose({**op.environ, **TOKEN, "OP_CONNECT_HOST": "h"}).backend, ServiceAccount)
    assert isinstance(choose(op.environ).backend, OpCli)
    assert choose({}).backend is None
    with pytest.raises(SecretError, match="no `op` on the PATH") as caught:
        choose({}).ask()
    assert caught.value.code == "TB7004"
    assert all(
        word in caught.value.hint for word in ("OP_SERVICE_ACCOUNT_TOKEN", "OP_CONNECT_HOST", "op run")
    )


def test_a_token_without_the_sdk_goes_through_op(op: Op, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_account, "find_spec", lambda name: None)
    assert isinstance(choose({**op.environ, **TOKEN}).backend, OpCli)
    assert choose(TOKEN).backend is None
    with pytest.raises(SecretError) as caught:
        choose({**op.environ, **TOKEN}, SecretsSettings(backend="service-account"))
    assert caught.value.code == "TB7040"


def test_what_is_set_wins(op: Op) -> None:
    everything = {**op.environ, **TOKEN, **CONNECT}
    found = choose(everything, SecretsSettings(backend="op", account="team.1password.com", timeout=9)).backend
    assert isinstance(found, OpCli)
    assert (found.account, found.timeout) == ("team.1password.com", 9)
    assert isinstance(choose(everything, SecretsSettings(backend="service-account")).backend, ServiceAccount)
    by_host = choose({"OP_CONNECT_TOKEN": "t"}, SecretsSettings(connect_host="http://other"))
    assert by_host.backend == Connect("http://other", Secret("t"), 120)
    choice = choose(everything, SecretsSettings(backend="environment"))
    assert choice.backend is None and choice.by_name
    asked = {**everything, "TRAILBOSS_SECRETS_BACKEND": "connect"}
    assert isinstance(choose(asked, SecretsSettings(backend="op")).backend, Connect)


@pytest.mark.parametrize(
    ("backend", "environ", "says"),
    [
        ("connect", {}, "OP_CONNECT_TOKEN"),
        ("connect", {"OP_CONNECT_TOKEN": "t"}, "OP_CONNECT_HOST"),
        ("service-account", {}, "OP_SERVICE_ACCOUNT_TOKEN"),
        ("auto", {"TRAILBOSS_SECRETS_BACKEND": "vault"}, "'vault'"),
    ],
)
def test_what_is_lacking(backend: str, environ: dict[str, str], says: str) -> None:
    with pytest.raises(SecretError, match=says) as caught:
        choose(environ, SecretsSettings.model_validate({"backend": backend}))
    assert caught.value.code == "TB7050"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "no `op` on the PATH, no token, no Connect server"),
        ({"OP_CONNECT_HOST": "http://x"}, "OP_CONNECT_HOST is set, OP_CONNECT_TOKEN is not"),
        ({"OP_CONNECT_TOKEN": "t"}, "OP_CONNECT_TOKEN is set, OP_CONNECT_HOST is not"),
        (TOKEN, "but not the Python package"),
    ],
)
def test_what_is_there_by_half_is_named(
    environ: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trailboss.secrets.backends.service_account.available", lambda: False)
    assert says in choose({"PATH": "/nonexistent", **environ}).why


def test_op_is_set_and_not_there() -> None:
    with pytest.raises(SecretError, match="`op`") as caught:
        choose({"PATH": "/nonexistent"}, SecretsSettings(backend="op"))
    assert caught.value.code == "TB7040"


def test_a_wrong_word_in_the_table_has_its_place(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from trailboss.config.checks import validate

    def locate(*keys: str | int) -> Location:
        return Location(tmp_path, 3)

    with pytest.raises(ConfigError) as caught:
        validate(SecretsSettings, {"backend": "opp"}, locate, "TB1202")
    assert caught.value.where == Location(tmp_path, 3)


def test_no_choice_shows_a_token() -> None:
    assert "ops_x" not in repr(choose(TOKEN)) and "ops_x" not in repr(choose({**TOKEN, **CONNECT}))
