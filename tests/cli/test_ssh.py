"""`trailboss ssh config` as a program reads it; sessions are in tests/develop."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.conftest import Sandbox


def test_the_lines_as_a_document(trailboss: Trailboss, target: Sandbox, tmp_path: Path) -> None:
    words = ("ssh", "config", "--tunnel", "t", "--hostname", "ssh.example.com", "--json")
    shown = trailboss(*words)
    check("trailboss ssh config", shown.json)
    assert (shown.json["file"], shown.json["changed"]) == (None, False)
    file = str(tmp_path / "config")
    written = trailboss(*words, "--write", "--file", file)
    assert (written.json["file"], written.json["changed"]) == (file, True)
    assert Path(file).read_text() == shown.json["config"]
