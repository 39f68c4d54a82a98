"""The driver against an account in memory: every end, every interruption, every write cut short."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.release.rollout.sim import Killed, Scene, Visitors, steps
from trailboss.errors import ConflictError, ReleaseError, Unavailable
from trailboss.release.burn import BurnWindow
from trailboss.release.evidence import Outcome
from trailboss.release.gates.base import Answer, Asking
from trailboss.release.guarded import Guarded, Watch
from trailboss.release.rollout import control, engine, stages
from trailboss.release.rollout.policy import Gate, Judgement, Policy
from trailboss.release.watching import watch

GATES = (Gate("errors", "errors"), Gate("ceiling", "ceiling", limit=0.5))
CANARY = Policy("canary", steps(1, 10, 50, 100), GATES)
QUICK = Policy("canary", steps(10, 50, 100), GATES, judgement=Judgement(theta_max=0.05))


def answers(patch: pytest.MonkeyPatch, *outcomes: str, then: str = "pass", good: int = 1) -> list[str]:
    """Checks answer so, one after the other; what they were asked for is returned."""
    asked: list[str] = []
    queue = list(outcomes)

    async def ask(gate: Gate, asking: Asking) -> Answer:
        asked.append(f"{gate.name} {asking.phase}")
        outcome = Outcome(queue.pop(0) if queue else then)
        bad = int(outcome is Outcome.FAIL)
        return Answer(outcome, outcome.value, good if not bad else 0, bad, asking.workers[0].worker)

    patch.setattr(stages, "ask", ask)
    patch.setattr(engine, "ask", ask)
    return asked


def test_promoted_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    ended = scene.run(CANARY)
    assert ended.result == "promoted" and scene.account.canary_shares() == [0, 1, 10, 50, 100]
    assert scene.account.live() == {"canary": 100}
    mark = scene.mark()
    assert mark is not None and mark.phase.over and mark.seen[0] > 500 and mark.seen[1] == 0


@pytest.mark.parametrize(("rate", "most"), [(0.2, 60), (1.0, 20)])
def test_a_regression_is_caught_in_the_first_steps(
    monkeypatch: pytest.MonkeyPatch, rate: float, most: int
) -> None:
    scene = Scene(monkeypatch, failing={"api": (0.01, rate)})
    ended = scene.run(CANARY)
    assert (ended.result, ended.gate) == ("rolled-back", "api/errors")
    assert scene.account.live() == {"stable": 100} and max(scene.account.canary_shares()) == 1
    (worker,) = ended.picture.workers
    assert 0 < worker.failed <= worker.requests <= most and worker.users


def test_a_good_release_survives_a_bad_day(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Scene(monkeypatch, failing={"api": (0.004, 0.004)}, rate=200).run(
        replace(CANARY, judgement=Judgement(theta_max=0.05))
    )
    assert ended.result == "promoted"


def test_what_breaks_both_is_the_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Scene(monkeypatch, failing={"api": (0.9, 0.9)}).run(CANARY)
    assert (ended.result, ended.gate) == ("rolled-back", "api/ceiling")


@pytest.mark.parametrize(("rate", "trouble"), [(0.0, ""), (50.0, "HTTP 500")])
def test_no_evidence_is_never_a_promotion(monkeypatch: pytest.MonkeyPatch, rate: float, trouble: str) -> None:
    scene = Scene(monkeypatch, rate=rate, trouble=trouble)
    ended = scene.run(CANARY)
    assert ended.result == "held" and "insufficient traffic" in ended.why and trouble in ended.why
    assert scene.account.live() == {"stable": 99, "canary": 1}
    mark = scene.mark()
    assert mark is not None and mark.phase.value == "held" and not mark.dead(scene.clock.now() + 1e6)


def test_undecided_may_be_configured_to_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, rate=0)
    ended = scene.run(replace(CANARY, undecided="rollback"))
    assert (ended.result, ended.gate) == ("rolled-back", "undecided")
    assert scene.account.live() == {"stable": 100}


def test_probes_prove_where_nobody_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, good=5)
    probed = replace(QUICK, gates=(*GATES, Gate("home", "probe", "home", every=5)))
    assert Scene(monkeypatch, rate=0).run(probed).result == "promoted"


def test_a_failing_check_keeps_everybody_away(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, then="fail")
    scene = Scene(monkeypatch)
    ended = scene.run(replace(QUICK, gates=(*GATES, Gate("home", "probe", "home", every=5))))
    assert (ended.result, ended.gate, ended.healthy) == ("rolled-back", "home", False)
    assert scene.account.canary_shares() == [0] and asked == ["home before", "home before", "home after"]


def test_one_bad_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "fail", "undecided", "pass", "pass", "fail")
    policy = replace(QUICK, gates=(*GATES, Gate("t", "tunnel", "t", every=5)))
    assert Scene(monkeypatch).run(policy).result == "promoted"


def test_an_undecided_check_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, then="undecided")
    scene = Scene(monkeypatch)
    ended = scene.run(replace(QUICK, gates=(*GATES, Gate("t", "tunnel", "t"))))
    assert ended.result == "held" and scene.account.canary_shares() == [0]
    assert len(asked) <= 62 and len(scene.account.posts) <= 4, "it polls no faster than its window"


def test_blue_green_keeps_the_old_one_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    answers(monkeypatch)
    policy = Policy("blue-green", (replace(steps(100)[0], bake=30),), (Gate("t", "tunnel", "t", every=5),))
    assert scene.run(policy).result == "promoted"
    assert [shares for _, shares in scene.account.posts] == [(100, 0), (0, 100), (100,)]


def test_two_workers_go_and_come_back_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, ("api", "web"), failing={"web": (0.0, 0.5)})
    ended = scene.run(QUICK)
    assert (ended.result, ended.gate) == ("rolled-back", "web/errors")
    assert [worker for worker, _ in scene.account.posts] == ["web", "api", "api", "web", "web", "api"]
    assert scene.account.live("api") == scene.account.live("web") == {"stable": 100}
    good = Scene(monkeypatch, ("api", "web"))
    assert good.run(QUICK).result == "promoted"
    assert good.account.live("api") == good.account.live("web") == {"canary": 100}


def test_somebody_else_deploys(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    other = {"versions": [{"version_id": "cccccccc", "percentage": 100}]}
    scene.clock.events.append((scene.clock.now() + 100, lambda: scene.account._add("api", other) and None))
    with pytest.raises(ConflictError) as caught:
        scene.run(CANARY)
    assert caught.value.code == "TB4402" and scene.account.live() == {"other": 100}


def test_two_deploys_at_once_one_proceeds(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)

    async def main() -> list[object]:
        return await asyncio.gather(scene.release(QUICK), scene.release(QUICK), return_exceptions=True)

    results = asyncio.run(main())
    conflicts = [one for one in results if isinstance(one, ConflictError)]
    ends = [one.result for one in results if isinstance(one, engine.Ended)]
    assert (len(conflicts), ends) == (1, ["promoted"]), results
    assert scene.account.live() == {"canary": 100}


def test_a_forced_deploy_ends_what_it_knew_of(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)

    async def main() -> tuple[engine.Ended, BaseException | engine.Ended]:
        first = asyncio.create_task(scene.release(CANARY))
        while scene.account.live().get("canary") != 1:
            await asyncio.sleep(0)
        second = await scene.release(QUICK)
        (ended,) = await asyncio.gather(first, return_exceptions=True)
        return second, ended

    second, first = asyncio.run(main())
    assert second.result == "promoted" and isinstance(first, ConflictError) and first.code == "TB4402"


def test_the_account_is_away_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    scene.account.out = (scene.clock.now() + 30, scene.clock.now() + 200)
    assert scene.run(QUICK).result == "promoted"
    gone = Scene(monkeypatch)
    gone.account.out = (gone.clock.now() + 30, gone.clock.now() + 1e9)
    with pytest.raises(Unavailable):
        gone.run(QUICK)
    assert gone.account.live() == {"stable": 90, "canary": 10}


def test_going_back_is_tried_until_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, failing={"api": (0.0, 1.0)})
    fail = stages.Fail("errors", "broken")

    async def judge(walk: object, view: object) -> object:
        scene.account.out = (scene.clock.now(), scene.clock.now() + 60)
        return fail

    table = tuple((name, judge if name == "judge" else stage) for name, stage in stages.STAGES)
    monkeypatch.setattr(engine, "STAGES", table)
    assert scene.run(QUICK).result == "rolled-back" and scene.account.live() == {"stable": 100}


def drive_and_kill(scene: Scene, policy: Policy) -> bool:
    """Whether the deployer was killed on its way."""
    try:
        scene.run(policy)
    except Killed:
        return True
    return False


@pytest.mark.parametrize("workers", [("api",), ("api", "web")])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("broken", [False, True])
def test_killed_at_every_write_and_resumed(
    monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...], when: str, broken: bool
) -> None:
    failing = {workers[-1]: (0.0, 0.6)} if broken else {}
    for number in range(40):
        scene = Scene(monkeypatch, workers, failing=failing)
        scene.account.kill = {number: when}
        if not drive_and_kill(scene, QUICK):
            assert number >= 3 * len(workers)
            return
        scene.account.kill = {}
        scene.clock.time += 3600
        finish_elsewhere(scene, broken)
    raise AssertionError("it never ended")


def finish_elsewhere(scene: Scene, broken: bool) -> None:
    mark = scene.mark()
    live = [scene.account.live(worker) for worker in scene.workers]
    if mark is None:  # before the claim was whole: nothing has traffic, and the next deploy begins anew
        assert all(one["stable"] == 100 for one in live)
        assert scene.run(QUICK).result == ("rolled-back" if broken else "promoted")
    elif not mark.phase.over:
        assert mark.dead(scene.clock.now())
        done = asyncio.run(scene.resume(QUICK))
        assert done.result == ("rolled-back" if broken else "promoted")
    else:  # the first Worker has the end already: the others follow
        asyncio.run(settle(scene))
    wanted = {"stable": 100} if broken else {"canary": 100}
    assert [scene.account.live(worker) for worker in scene.workers] == [wanted] * len(scene.workers)


async def settle(scene: Scene) -> None:
    found = await control.find(scene.account, scene.workers)  # type: ignore[arg-type]
    if any(mark.phase is not found.state.phase for mark in found.marks.values()):
        await scene.resume(QUICK)


def test_an_interrupt_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)

    async def main() -> None:
        task = asyncio.create_task(scene.release(CANARY))
        scene.clock.events.append((scene.clock.now() + 30, lambda: task.cancel() and None))
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    mark = scene.mark()
    assert mark is not None and mark.phase.value == "held" and scene.account.live()["canary"] == 1
    assert asyncio.run(scene.resume(CANARY)).result == "promoted"


def test_evidence_survives_the_deployer(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, failing={"api": (0.01, 0.04)}, rate=20)
    policy = replace(CANARY, timing=replace(CANARY.timing, checkpoint=30))
    scene.account.kill = {4: "after"}
    assert drive_and_kill(scene, policy)
    mark = scene.mark()
    assert mark is not None and mark.window is not None and any(mark.evidence)
    scene.account.kill = {}
    with pytest.raises(ConflictError) as caught:
        asyncio.run(scene.resume(policy))
    assert caught.value.code == "TB4403"
    with pytest.raises(ReleaseError) as other:
        asyncio.run(scene.resume(replace(policy, judgement=Judgement(margin=2.0)), force=True))
    assert other.value.code == "TB4303"
    assert asyncio.run(scene.resume(policy, force=True)).result == "rolled-back"


@pytest.mark.parametrize("source", ["tail", "analytics-engine"])
def test_counts_that_are_kept_are_read_again(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    scene = Scene(monkeypatch)
    policy = replace(QUICK, source=source)
    scene.account.kill = {2: "before"}
    assert drive_and_kill(scene, policy)
    before, scene.account.kill = scene.mark(), {}
    scene.clock.time += 3600
    assert before is not None and before.phase.value == "step"
    seen: list[float] = []
    make = scene._source

    def counted(*words: Any) -> Any:
        found = make(*words)
        assert found is not None
        read = found.read

        async def noted(span: Any, *rest: Any) -> Any:
            seen.append(span.start)
            return await read(span, *rest)

        monkeypatch.setattr(found, "read", noted)
        return found

    monkeypatch.setattr(engine, "open_source", counted)
    assert asyncio.run(scene.resume(policy)).result == "promoted"
    assert (seen[0] < before.since + 60) == (source == "analytics-engine")


def test_the_guard_tells_of_an_abandoned_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    scene.account.kill = {2: "before"}
    assert drive_and_kill(scene, QUICK)
    scene.clock.time += 3600
    told: list[Guarded] = []
    source, cloud = Visitors(scene.account, "api"), scene.account
    asked = Watch(QUICK, windows=(BurnWindow(60, 10, 14.4),))
    last = asyncio.run(
        watch(cloud, "api", asked, told.append, seconds=300, clock=scene.clock, source=source)  # type: ignore[arg-type]
    )
    assert last.alarm == "quiet" and [one.alarm for one in told] == ["abandoned"]
    assert "10 % (step 1 of 3)" in told[0].text


def test_a_step_does_not_inherit_the_last_ones_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    walk = scene.walk(QUICK)
    proofs: dict[int, list[int]] = {}
    walk.show = lambda picture: proofs.setdefault(picture.step, []).append(picture.workers[0].missing)
    asyncio.run(scene.release(QUICK, walk))
    assert proofs[2][0] > 50
