"""Secrets are rotated while a rollout is driven: it goes on with the successors of both versions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.release.rollout.sim import Account, Scene, steps
from trailboss.release.rollout.policy import Gate, Policy

CANARY = Policy("canary", steps(1, 10, 50, 100), (Gate("errors", "errors"),))


def rotate(scene: Scene) -> None:
    """What `secret rotate` posts: successors at the same shares, their names in the message."""
    newest = json.dumps(scene.account.deployments["api"][-1])
    for letter in "ab":
        newest = newest.replace(f"{letter}{letter}-0000", f"{letter}{letter}-1111")
    scene.account._add("api", json.loads(newest))


@pytest.mark.parametrize("at", [3.0, 33.0, 100.0])
def test_secrets_are_rotated_meanwhile(monkeypatch: pytest.MonkeyPatch, at: float) -> None:
    scene = Scene(monkeypatch)
    scene.clock.events.append((scene.clock.now() + at, lambda: rotate(scene)))
    walk = scene.walk(CANARY)
    assert asyncio.run(scene.release(CANARY, walk)).result == "promoted"
    (last,) = scene.account.deployments["api"][-1]["versions"]
    assert "bb-1111" in last["version_id"] and walk.members[0].canary == last["version_id"]
    assert walk.members[0].canary_label == "v2"


def test_a_write_right_after_ours_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The read-back of a step finds a rotation on top of it."""
    scene, post = Scene(monkeypatch), Account.post

    async def overtaken(account: Account, path: str, **options: Any) -> Any:
        made = await post(account, path, **options)
        if len(account.posts) == 3:
            rotate(scene)
        return made

    monkeypatch.setattr(Account, "post", overtaken)
    assert scene.run(CANARY).result == "promoted"
