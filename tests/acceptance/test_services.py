"""Steps 13, 16, 18 and 19 as far as this version holds them, run as written; read back through the API."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.commands import Shell, step
from tests.conftest import Sandbox
from tests.resources.cases.mtls_certificate import BARE, SECRETS
from tests.secrets.conftest import Op, op

__all__ = ["op"]
EXAMPLE = Path(__file__).parents[2] / "examples" / "agency"
LATER = ("trailboss tail", "trailboss audit", "trailboss queues consumer", "trailboss deploy --strategy")
"""Commands of these steps that have tests of their own (a rollout takes its time), or are still to come."""
URL = "postgres://app:c4nary@db.example.com:5432/orders"


@pytest.fixture
def shell(account: Sandbox, tmp_path: Path) -> Shell:
    """A copy of the example in an empty account."""
    folder = tmp_path / "agency"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".wrangler", ".trailboss", "node_modules"))
    home = str(account.home)
    return Shell(folder, {"TRAILBOSS_SANDBOX_HOME": home, "TRAILBOSS_TARGET": "sandbox:test", "CI": "true"})


def commands(number: int) -> list[str]:
    """Those of a step that are here."""
    return [one for one in step(number) if not one.startswith(LATER)]


def bindings(account: Sandbox) -> list[dict[str, Any]]:
    """What the deployed Worker has."""
    path = f"{account.account}/workers/scripts/agency-production/settings"
    return list(account.call("GET", path)["bindings"])


def test_step_13_a_dataset_is_bound(account: Sandbox, shell: Shell) -> None:
    if not commands(13):
        return
    for _ in range(2):
        for command in commands(13):
            shell.run(command)
    shell.run("trailboss deploy --env production")
    [bound] = [one for one in bindings(account) if one["type"] == "analytics_engine"]
    assert bound["dataset"] == "ai-usage-metrics"


def test_step_16_smart_routing(account: Sandbox, shell: Shell) -> None:
    if not commands(16):
        return
    for _ in range(2):
        for command in commands(16):
            shell.run(command)
    [zone] = account.call("GET", "/zones?name=empathyfirstmedia.com")
    assert account.call("GET", f"/zones/{zone['id']}/argo/smart_routing")["value"] == "on"
    plan = shell.run("trailboss plan --env production --resource argo_smart_routing.empathyfirstmedia.com")
    assert "No changes" in plan


def test_step_18_a_client_certificate_is_bound(account: Sandbox, shell: Shell) -> None:
    if not commands(18):
        return
    body = {
        "certificates": BARE.certificates,
        "private_key": SECRETS[BARE.private_key],
        "ca": False,
        "name": "enterprise-cert",
    }
    made = account.call("POST", f"{account.account}/mtls_certificates", body)
    for _ in range(2):
        for command in commands(18):
            shell.run(command)
    shell.run("trailboss deploy --env production")
    [bound] = [one for one in bindings(account) if one["type"] == "mtls_certificate"]
    assert bound["certificate_id"] == made["id"]


def test_step_19_a_database_behind_hyperdrive(account: Sandbox, shell: Shell, op: Op) -> None:
    if not commands(19):
        return
    item = {"title": "GCP_DB_CONNECTION", "fields": [{"label": "connection string", "value": URL}]}
    op.set(vaults={"Production": [item]})
    shell.environ["PATH"] = f"{op.folder}{os.pathsep}{os.environ['PATH']}"
    said = "".join(shell.run(command) for _ in range(2) for command in commands(19))
    [config] = account.call("GET", f"{account.account}/hyperdrive/configs")
    assert config["origin"]["host"] == "db.example.com"
    files = "".join(path.read_text() for path in shell.folder.glob("*.*") if path.is_file())
    assert "c4nary" not in said + files
    assert "op://Production/GCP_DB_CONNECTION" in files
    shell.run("trailboss deploy --env production")
    [bound] = [one for one in bindings(account) if one["type"] == "hyperdrive"]
    assert bound["id"] == config["id"]
    assert "No changes" in shell.run("trailboss plan --env production")
