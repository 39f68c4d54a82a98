from __future__ import annotations

import os
import subprocess

import pytest

from trailboss.secrets.backends import ancestors


def test_the_first_is_the_parent() -> None:
    found = next(iter(ancestors.ancestors()))
    assert found.folder is not None
    assert found.words and all(found.words[:1])


def test_without_proc_ps_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def ps(words: list[str], **more: object) -> subprocess.CompletedProcess[str]:
        table = {os.getppid(): "77 op run --env-file=x -- y", 77: "1 init"}
        line = table.get(int(words[-1]), "")
        return subprocess.CompletedProcess(words, 0, f" {line}\n", "")

    monkeypatch.setattr(ancestors, "_PROC", ancestors.Path("/nonexistent"))
    monkeypatch.setattr(subprocess, "run", ps)
    assert [program.words for program in ancestors.ancestors()] == [
        ("op", "run", "--env-file=x", "--", "y"),
        ("init",),
    ]


def test_where_nothing_can_be_seen_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ancestors, "_PROC", ancestors.Path("/nonexistent"))
    monkeypatch.setenv("PATH", "/nonexistent")
    assert list(ancestors.ancestors()) == []
