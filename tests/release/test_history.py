"""Releases told from deployments: a rollout is one, and the rest are called what they were."""

from __future__ import annotations

from dataclasses import replace

from tests.release.catalogues import catalogue, deployment, version
from trailboss.release.history import tell
from trailboss.release.model import Deployment, Share, Version
from trailboss.release.naming import previous
from trailboss.release.proof import Proof
from trailboss.release.rollout.mark import Mark, Phase

ONE, TWO, THREE = (
    version(1, digest="sha256:a"),
    version(2, digest="sha256:b", tag="t"),
    version(3, source="secret change"),
)


def marked(number: int, phase: Phase, at: int, stable: Version, canary: Version, rollout: str) -> Deployment:
    mark = Mark(rollout, phase, at, (10.0, 100.0), stable.id, canary.id, 0, 0, 0, "o", "me@here")
    made = deployment(number)
    shares = tuple(Share(one.version_id, one.percentage) for one in mark.split)
    return replace(made, shares=shares, mark=mark, message=f"step {at}")


def test_tell() -> None:
    found = catalogue(
        ONE,
        TWO,
        THREE,
        deployments=(
            deployment(9, (THREE, 100)),
            marked(8, Phase.PROMOTED, 1, ONE, TWO, "22222222"),
            marked(7, Phase.STEP, 0, ONE, TWO, "22222222"),
            marked(6, Phase.STEP, 0, ONE, TWO, "22222222"),
            marked(5, Phase.CLAIMED, -1, ONE, TWO, "22222222"),
            marked(4, Phase.ROLLED_BACK, 0, ONE, TWO, "11111111"),
            marked(3, Phase.STEP, 0, ONE, TWO, "11111111"),
            replace(deployment(2, (ONE, 60), (TWO, 40)), message="try"),
            replace(deployment(1, (ONE, 100)), message="Rollback"),
            deployment(0, (ONE, 100)),
        ),
    )
    proofs = [Proof("staging", {}, {}, {"hello": frozenset({"sha256:b"})})]
    told = tell(found, proofs, "hello")
    assert [(one.kind, one.result, one.version, one.shares) for one in told] == [
        ("deploy", "live", "v3", (100,)),
        ("rollout", "promoted", "v2", (0, 10, 100)),
        ("rollout", "rolled-back", "v2", (10, 0)),
        ("split", "replaced", "v1", (60,)),
        ("rollback", "replaced", "v1", (100,)),
        ("deploy", "replaced", "v1", (100,)),
    ]
    assert [one.proved for one in told[:3]] == [("staging",), ("staging",), ("staging",)]
    assert (told[0].digest, told[1].who, told[1].replaced, told[1].rollout) == (
        "sha256:b",
        "me@here",
        "v1",
        "22222222",
    )
    assert [one.current for one in told].count(True) == 1 and told[0].current
    assert tell(catalogue(), (), "") == []


def test_what_a_promoted_rollout_replaced_is_the_previous_one() -> None:
    steps = (
        marked(8, Phase.PROMOTED, 1, ONE, TWO, "22222222"),
        marked(7, Phase.STEP, 0, ONE, TWO, "22222222"),
    )
    assert previous(catalogue(ONE, TWO, deployments=steps)) == ONE
