"""`trailboss op init`, with the stand-in for `op`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.secrets.conftest import Op, op

__all__ = ["op"]
CANARY = "canary-90aa"


def item(name: str, *labels: str) -> dict[str, object]:
    return {"title": f"agency-{name}", "fields": [{"label": one, "value": CANARY} for one in labels]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "agency"
    folder.mkdir()
    (folder / "wrangler.jsonc").write_text(
        '{"name": "agency", "main": "i.ts", "compatibility_date": "2026-01-01",'
        ' "secrets": {"required": ["STRIPE"]}}'
    )
    (folder / "trailboss.toml").write_text("# ours\n[environments.staging]\n[environments.production]\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def vault(op: Op, monkeypatch: pytest.MonkeyPatch) -> Op:
    monkeypatch.setenv("PATH", f"{op.folder}{os.pathsep}{os.environ['PATH']}")
    op.set(vaults={"Agency": [item("staging", "STRIPE"), item("production", "STRIPE")]})
    return op


def test_it_writes_what_is_needed_and_checks_it(vault: Op, project: Path, trailboss: Trailboss) -> None:
    done = trailboss("op", "init", "--vault", "Agency", "--json")
    assert done.status == 0, done.err
    check("trailboss op init", done.json, set())
    assert done.json["ok"] and done.json["vault"] == "Agency"
    assert [file["path"] for file in done.json["written"]] == [
        "trailboss.toml",
        ".env.staging",
        ".env.production",
    ]
    assert [(one["name"], one["state"]) for one in done.json["checks"]] == [("STRIPE", "found")] * 2
    assert (project / ".env.staging").read_text().endswith("STRIPE=op://Agency/agency-staging/STRIPE\n")
    assert [call["argv"] for call in vault.calls] == [["inject"]]
    assert CANARY not in done.out + done.err
    assert 'file = ".env.{environment}"' in (project / "trailboss.toml").read_text()


def test_a_second_time_nothing_is_written(vault: Op, project: Path, trailboss: Trailboss) -> None:
    trailboss("op", "init", "--vault", "Agency")
    before = {file.name: file.read_bytes() for file in project.iterdir()}
    again = trailboss("op", "init")
    assert again.status == 0 and "The files have everything" in again.out
    assert "2 references found in 1Password" in again.out
    assert {file.name: file.read_bytes() for file in project.iterdir()} == before
    assert trailboss("op", "init", "--check").status == 0


def test_what_is_not_there_yet_is_listed(vault: Op, project: Path, trailboss: Trailboss) -> None:
    vault.set(vaults={"Agency": [item("staging", "STRIPE")]})
    (project / ".env.staging").write_text(f"OLD={CANARY}\n")
    done = trailboss("op", "init", "--vault", "Agency")
    assert done.status == 0
    assert 'there is no item "agency-production" in the vault "Agency"' in done.out
    assert "OLD stands in the clear at" in done.err and ".env.staging:1" in done.err
    assert CANARY not in done.out + done.err
    assert trailboss("op", "init", "--check").status == 1


def test_nobody_to_ask(op: Op, project: Path, trailboss: Trailboss, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    done = trailboss("op", "init", "--json")
    assert done.status == 0 and not done.json["ok"] and done.json["written"]
    assert "no `op` on the PATH" in done.json["unchecked"]
    monkeypatch.setenv("PATH", f"{op.folder}{os.pathsep}{os.defpath}")
    op.set(says="account is not signed in")
    assert "1Password is locked" in trailboss("op", "init", "--json").json["unchecked"]
