"""A secret is rotated in the middle of a rollout, which then goes on with the successors of its versions."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Trailboss
from tests.cli.test_release import edit
from tests.cli.test_rollouts import deadline, project, shares, visitors
from tests.conftest import Sandbox

__all__ = ["project"]


def test_rotated_while_it_is_held_then_resumed(trailboss: Trailboss, target: Sandbox, project: Path) -> None:
    assert trailboss("secret", "put", "TOKEN", stdin="old").status == 0
    deadline(project, "60s", "600ms")
    edit(project, "version one", "version two")
    assert trailboss("deploy").status == 1 and shares(target) == [80, 20]
    before = trailboss("release", "status", "--json").json

    done = trailboss("secret", "rotate", "TOKEN", "--json", stdin="new")
    assert done.status == 0, done.err
    assert shares(target) == [80, 20] and [one["share"] for one in done.json["versions"]] == [80, 20]
    (project / "values").write_text("TOKEN=new\n")
    assert trailboss("secret", "status", "values", "--exit-code").status == 0
    after = trailboss("release", "status", "--json").json
    assert (after["id"], after["phase"], after["share"]) == (before["id"], before["phase"], before["share"])

    deadline(project, "600ms", "60s")
    with visitors(target):
        resumed = trailboss("release", "resume", "--json")
    assert resumed.status == 0 and resumed.json["result"] == "promoted", resumed
    assert "version two" in target.worker("hello").text
    assert trailboss("secret", "status", "values", "--exit-code").status == 0
