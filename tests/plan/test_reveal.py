"""References to secrets inside resources: resolved wherever they are sent from, and never sent themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.plan.crashing import resource, wanting
from tests.plan.inprocess import Account, DirectCloud
from trailboss.errors import SecretError
from trailboss.plan.apply import Options, apply
from trailboss.resources.hyperdrive_config import HyperdriveConfig

SQL = resource("hyperdrive_config", "sql", HyperdriveConfig("shop-sql", "${SHOP_DB_URL}"))


def kept(account: Account) -> list[dict[str, Any]]:
    return account.box.store.all("hyperdrive_config")


def test_an_apply_without_a_caller_that_resolves_asks_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account(tmp_path)
    monkeypatch.setenv("SHOP_DB_URL", "postgres://u:canary@db.example.com:5432/shop")
    asyncio.run(apply(DirectCloud(account), wanting(SQL), Options()))
    assert [one["origin"]["password"] for one in kept(account)] == ["canary"]


def test_what_cannot_be_resolved_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(tmp_path)
    monkeypatch.delenv("SHOP_DB_URL", raising=False)
    with pytest.raises(SecretError, match="SHOP_DB_URL"):
        asyncio.run(apply(DirectCloud(account), wanting(SQL), Options()))
    assert kept(account) == []
