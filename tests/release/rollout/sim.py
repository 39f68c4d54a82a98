"""An account and a clock in memory: a rollout of hours in milliseconds, with the account's rules kept.

Only what a rollout calls is there: listing and posting deployments, listing versions. Every post may be made
to fail, before or after it took effect, and requests arrive by chance with the shares that are live."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from trailboss.cloud import Target
from trailboss.errors import Unavailable
from trailboss.release.evidence.windows import Span
from trailboss.release.gates.base import Record
from trailboss.release.rollout import engine
from trailboss.release.rollout.mark import Mark
from trailboss.release.rollout.policy import Policy, Step
from trailboss.release.rollout.probing import Prober
from trailboss.release.rollout.scene import Member, Walk
from trailboss.release.sources.base import Freshness
from trailboss.values import Secret

STABLE, CANARY = "aaaaaaaa-0000-4000-8000-00000000000", "bbbbbbbb-0000-4000-8000-00000000000"


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Clock:
    """Time goes on only where somebody waits."""

    time: float = 1_800_000_000.0
    events: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    async def wait(self, until: float) -> None:
        for at, event in sorted(self.events, key=lambda item: item[0]):
            if at <= until:
                self.events.remove((at, event))
                self.time = max(self.time, at)
                event()
        self.time = max(self.time + 0.01, until)
        await asyncio.sleep(0)


@dataclass
class Account:
    """Deployments per Worker, oldest first. `posts` counts writes; `kill` maps the number of a write to
    "before" or "after"; `out` are times between which nothing answers."""

    clock: Clock
    deployments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    posts: list[tuple[str, tuple[float, ...]]] = field(default_factory=list)
    kill: dict[int, str] = field(default_factory=dict)
    out: tuple[float, float] = (0.0, 0.0)
    account: str = "/accounts/a"
    target: Target = field(default_factory=lambda: Target("sim", "http://sim", Secret("t"), "a", None, True))
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def begin(self, *workers: str) -> None:
        """Every Worker has its stable version live."""
        for number, worker in enumerate(workers):
            body = {"versions": [{"version_id": f"{STABLE}{number}", "percentage": 100}]}
            self.deployments[worker] = []
            self._add(worker, body)

    def _add(self, worker: str, body: dict[str, Any]) -> str:
        identifier = f"d{next(self._ids)}"
        self.deployments[worker].append({"id": identifier, "created_on": "2026-11-01T10:00:00Z", **body})
        return identifier

    def _answer(self) -> None:
        if self.out[0] <= self.clock.now() < self.out[1]:
            raise Unavailable("TB2501", "nobody answers")

    async def get(self, path: str, **_: Any) -> Any:
        self._answer()
        worker, what = path.split("/")[5:7]
        if what == "versions":
            ids = {v["version_id"] for d in self.deployments[worker] for v in d["versions"]}
            return {"items": [{"id": one, "number": 1 + (one[0] == "b")} for one in sorted(ids)]}
        return {"deployments": self.deployments[worker][::-1]}

    async def post(self, path: str, *, json: dict[str, Any], **_: Any) -> Any:
        self._answer()
        worker = path.split("/")[5]
        assert sum(one["percentage"] for one in json["versions"]) == 100 and len(json["versions"]) <= 2
        assert len(json["annotations"]["workers/message"].encode()) <= 1000
        number = len(self.posts)
        if self.kill.get(number) == "before":
            raise Killed
        self.posts.append((worker, tuple(one["percentage"] for one in json["versions"])))
        identifier = self._add(worker, json)
        if self.kill.get(number) == "after":
            raise Killed
        return {"id": identifier}

    def live(self, worker: str = "api") -> dict[str, float]:
        """Percent by kind of version."""
        shares = self.deployments[worker][-1]["versions"]
        return {
            {"a": "stable", "b": "canary"}.get(one["version_id"][0], "other"): one["percentage"]
            for one in shares
        }

    def canary_shares(self, worker: str = "api") -> list[float]:
        """What the canary had, change by change."""
        found = [
            next((v["percentage"] for v in one["versions"] if v["version_id"][0] == "b"), 0)
            for one in self.deployments[worker]
        ]
        return [share for share, _ in itertools.groupby(found)]


@dataclass
class Visitors:
    """A source: `rate` requests per second, failing by version; `trouble` makes it say nothing."""

    account: Account
    worker: str
    rate: float = 50.0
    failing: tuple[float, float] = (0.0, 0.0)
    trouble: str = ""
    name: str = "sim"
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    async def open(self) -> None: ...

    async def aclose(self) -> None: ...

    def about(self) -> Freshness:
        return Freshness(0.0, False, "simulated", self.trouble)

    async def read(self, span: Span, canary: str, stable: str | None = None) -> tuple[Record, ...] | None:
        if self.trouble:
            return None
        live = self.account.deployments[self.worker][-1]["versions"]
        share = sum(one["percentage"] for one in live if one["version_id"] == canary) / 100
        count = round(self.rate * (span.end - span.start))
        found = []
        for number in range(count):
            new = self.chance.random() < share
            bad = self.chance.random() < self.failing[new]
            at = span.start + (span.end - span.start) * number / max(count, 1)
            found.append(Record(at, new, bad, bad, user=str(number % 40)))
        return tuple(found)


def members(*workers: str) -> tuple[Member, ...]:
    return tuple(
        Member(worker, f"{STABLE}{number}", f"{CANARY}{number}", "v1", "v2", address="http://sim")
        for number, worker in enumerate(workers)
    )


def steps(*shares: float, bake: float = 60.0, deadline: float = 1800.0) -> tuple[Step, ...]:
    return tuple(Step(share, 0.0 if share == 100 else bake, deadline) for share in shares)


@dataclass
class Scene:
    """One account with Workers `workers`, and walks in it."""

    patch: pytest.MonkeyPatch
    workers: tuple[str, ...] = ("api",)
    clock: Clock = field(default_factory=Clock)
    failing: dict[str, tuple[float, float]] = field(default_factory=dict)
    rate: float = 50.0
    trouble: str = ""

    def __post_init__(self) -> None:
        self.account = Account(self.clock)
        self.account.begin(*self.workers)
        self.patch.setattr(engine, "open_source", self._source)
        self.patch.setattr("trailboss.release.traffic._READ_BACK_DELAYS", (0.0,))

    def _source(self, policy: Policy, _cloud: Any, worker: str) -> Visitors | None:
        if not policy.statistics:
            return None
        return Visitors(self.account, worker, self.rate, self.failing.get(worker, (0.0, 0.0)), self.trouble)

    def walk(self, policy: Policy) -> Walk:
        return Walk(policy, self.account, members(*self.workers), self.clock, Prober())  # type: ignore[arg-type]

    async def release(self, policy: Policy, walk: Walk | None = None) -> engine.Ended:
        """Claim and drive."""
        from trailboss.release.rollout import moves
        from trailboss.release.rollout.moves import observe

        walk = walk or self.walk(policy)
        before = {name: found[0] for name, found in (await observe(walk)).items()}
        await moves.claim(walk, before)
        return await engine.drive(walk)

    def run(self, policy: Policy) -> engine.Ended:
        return asyncio.run(self.release(policy))

    async def resume(self, policy: Policy, **options: Any) -> Any:
        """From another machine."""
        from trailboss.release.rollout import control, resuming

        cloud: Any = self.account
        self.patch.setattr(resuming, "look_ahead", _no_outlook)
        found = await control.find(cloud, self.workers[:1])
        return await resuming.resume(cloud, found, policy, addresses={}, clock=self.clock, **options)

    def mark(self, worker: str = "api") -> Mark | None:
        from trailboss.release.model import read_deployment

        return read_deployment(
            {**self.account.deployments[worker][-1], "created_on": "", "author_email": None}
        ).mark


async def _no_outlook(*_: Any, **__: Any) -> Any:
    from trailboss.release.rollout.report import Outlook

    return Outlook("canary", (), (), "", "", None)
