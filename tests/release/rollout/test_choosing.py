"""trailboss.toml and the command line become a policy, or a mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailboss.config import Project
from trailboss.errors import TrailbossError
from trailboss.release.rollout.choosing import Flags, choose
from trailboss.release.rollout.policy import Policy

WRANGLER = '{"name": "hello", "main": "i.js", "compatibility_date": "2026-08-04"}'


def load(folder: Path, text: str, environment: str | None = None) -> Project:
    (folder / "wrangler.json").write_text(WRANGLER)
    (folder / "i.js").write_text("export default {}")
    (folder / "trailboss.toml").write_text('name = "hello"\n' + text)
    return Project.load(folder, environ={}, environment=environment)


def policy(folder: Path, text: str, **flags: str) -> Policy:
    found = choose(load(folder, text), Flags(**flags))
    assert found is not None
    return found


def test_nothing_asked_means_no_rollout(tmp_path: Path) -> None:
    assert choose(load(tmp_path, "")) is None


@pytest.mark.parametrize(
    ("text", "flags", "strategy", "shares"),
    [
        ("", {"strategy": "canary"}, "canary", (1, 10, 50, 100)),
        ("", {"steps": "5, 50%, 100"}, "canary", (5, 50, 100)),
        ("", {"bake": "1m"}, "canary", (1, 10, 50, 100)),
        ('[release]\nstrategy = "blue-green"\n', {}, "blue-green", (100,)),
        ('[release]\nstrategy = "blue-green"\n', {"steps": "5,100"}, "canary", (5, 100)),
        ('[release]\nstrategy = "edge-first"\n', {"steps": "5,100"}, "edge-first", (5, 100)),
        ("[release]\nsteps = [2, {share = 100, bake = '1h'}]\n", {}, "canary", (2, 100)),
        ("[release]\nsteps = [2, 100]\n", {"strategy": "at-once"}, "at-once", (100,)),
        ("[probes.home]\n", {}, "at-once", (100,)),
    ],
)
def test_strategy_and_steps(
    tmp_path: Path, text: str, flags: dict[str, str], strategy: str, shares: tuple[float, ...]
) -> None:
    found = policy(tmp_path, text, **flags)
    assert (found.strategy, found.shares) == (strategy, shares)


def test_everything_said(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        """[release]
steps = [{share = 2, bake = "90s", deadline = "10m"}, 100]
margin = 1.5
window = "1s"
after = ["staging"]
undecided = "rollback"
[probes.home]
path = "/health"
status = [200, 204]
latency = "300ms"
[gates.smoke]
kind = "command"
run = "true"
[gates.slow]
kind = "wall"
margin = 2.0
""",
    )
    assert (found.steps[0].bake, found.steps[0].deadline) == (90, 600)
    assert [(gate.name, gate.kind) for gate in found.gates] == [
        ("errors", "errors"),
        ("ceiling", "ceiling"),
        ("home", "probe"),
        ("smoke", "command"),
        ("slow", "wall"),
    ]
    assert (found.judgement.margin, found.timing.window, found.after) == (1.5, 1.0, ("staging",))
    home = found.probe("home")
    assert (home.statuses, home.latency, found.undecided) == ((200, 204), 0.3, "rollback")
    assert [gate.name for gate in found.statistics] == ["errors", "ceiling", "slow"]


def test_edge_first_looks_at_wall_time(tmp_path: Path) -> None:
    assert [gate.kind for gate in policy(tmp_path, "", strategy="edge-first").gates][-1] == "wall"


def test_an_environment_has_its_own(tmp_path: Path) -> None:
    project = load(
        tmp_path,
        "[environments.production.release]\nsteps = [20, 100]\n[environments.staging]\n",
        environment="production",
    )
    found = choose(project)
    assert found is not None and found.shares == (20, 100)
    assert choose(load(tmp_path, "[environments.staging]\n", environment="staging")) is None


@pytest.mark.parametrize(
    ("text", "flags", "code"),
    [
        ('[release]\ngates = ["eror"]\n', {}, "TB1810"),
        ('[gates.x]\nkind = "command"\n', {}, "TB1811"),
        ('[gates.x]\nkind = "probe"\nprobe = "y"\n', {}, "TB1812"),
        ('[release]\nevidence = "none"\ngates = ["errors"]\n', {}, "TB1813"),
        ("[release]\nstep = [1]\n", {}, "TB1201"),
        ('[release]\nbake = "soon"\n', {}, "TB1202"),
        ("", {"steps": "one"}, "TB9436"),
        ("", {"bake": "soon"}, "TB9437"),
        ("", {"strategy": "rolling"}, "TB9435"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, flags: dict[str, str], code: str) -> None:
    with pytest.raises(TrailbossError) as caught:
        policy(tmp_path, text, **flags)
    assert caught.value.code == code


def test_the_design_of_the_evidence(tmp_path: Path) -> None:
    one = policy(tmp_path, "", strategy="canary").design
    assert one == policy(tmp_path, "[release]\nbake = 1\n", strategy="canary").design
    assert one != policy(tmp_path, "[release]\nmargin = 2\n", strategy="canary").design
