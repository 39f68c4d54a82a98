"""Secrets of a Worker that wrangler deploys."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.release.conftest import Desk
from trailboss.errors import SecretError
from trailboss.release.outcomes import Outcome
from trailboss.release.secret_pipe import secrets_pipe
from trailboss.release.secret_shipping import Shipment
from trailboss.values import Secret


def test_wrangler_gets_them_and_no_disk_does(desk: Desk) -> None:
    desk.write(unsafe={"metadata": {"something": "only wrangler sends"}})
    report = desk.deploy(secrets=Shipment(offered={"TOKEN": Secret("canary-e1")})).workers[0]
    assert report.outcome is Outcome.HANDED_OVER
    assert desk.account.worker("hello").text == "one  canary-e1"
    files = [file for file in desk.folder.rglob("*") if file.is_file()]
    assert files and not [file for file in files if b"canary-e1" in file.read_bytes()]


def test_it_can_be_read_once_and_ends_when_nobody_reads(tmp_path: Path) -> None:
    large = {f"N{number}": Secret("x" * 5000) for number in range(100)}
    with secrets_pipe(tmp_path, {"A": Secret("b")}) as words:
        path = Path(words[1])
        assert words[0] == "--secrets-file" and stat.S_ISFIFO(path.stat().st_mode)
        assert path.read_text() == '{"A": "b"}'
    path.unlink()
    with secrets_pipe(tmp_path, large):
        pass
    with secrets_pipe(tmp_path, {}) as words:
        assert words == []


def test_without_named_pipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.mkfifo")
    with pytest.raises(SecretError) as caught, secrets_pipe(tmp_path, {"A": Secret("b")}):
        pass
    assert caught.value.code == "TB7016"
