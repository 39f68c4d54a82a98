"""An environment is taken away, stopped at any call, and taken away again: nothing of it is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plan.crashing import OWNER, Hook, prepared, resource, wanting
from tests.plan.every import every, revealed
from tests.plan.fixtures import D1, HEALTH, JOBS, KV, ROOT, SQL, STRANGER_KV, WWW
from tests.plan.inprocess import Account, Crash, DirectCloud, lost
from tests.plan.virtual import NOW, clock, run
from tests.resources.cases.mtls_certificate import pair
from trailboss.errors import PlanError, RefusedError, TrailbossError
from trailboss.plan.apply import Options, apply
from trailboss.plan.plan import Plan, make
from trailboss.plan.register import Expiry, Register
from trailboss.plan.removal import Removal, remove_environment
from trailboss.plan.schedule import leaving
from trailboss.plan.wanted import Wanted
from trailboss.resources.load_balancer_pool import LoadBalancerPool
from trailboss.resources.marks import Ref
from trailboss.resources.mtls_certificate import MTLSCertificate
from trailboss.resources.mtls_hostname_association import MTLSHostnameAssociation
from trailboss.resources.queue_consumer import QueueConsumer
from trailboss.resources.registry import NAMES
from trailboss.sandbox.routes.resource_tagging import MODE

CONSUMER = resource("queue_consumer", "theirs", QueueConsumer("theirs", script="shop"))
STRANGERS = (STRANGER_KV, ("POST", f"{ROOT}/queues", {"queue_name": "theirs"}))
WANTED = replace(
    wanting(KV, D1, JOBS, WWW, SQL, HEALTH, CONSUMER), expires=Expiry("2026-12-01T00:00:00+00:00", ("shop",))
)
NAMELESS = Wanted(OWNER)
"""What a checkout knows that no longer has the environment in its files."""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(Path(tmp_path_factory.mktemp("account")))


def options(number: int = 0) -> Options:
    return Options(doing="end", confirmed=True, clock=clock(NOW + 600.0 * number))


def removed(account: Account, hook: Hook = lambda *_: None, number: int = 0) -> Removal:
    return run(lambda: remove_environment(DirectCloud(account, hook), NAMELESS, options(number)))


def kinds_of(account: Account) -> list[str]:
    rows = account.box.store.execute("select kind, key from records order by kind, key")
    kept = ("zone", "user", "account", "universal", "tags", "ruleset_version")
    return [f"{kind} {key}" for kind, key in rows if not kind.startswith(kept)]


def test_nothing_is_left_wherever_it_is_stopped(account: Account) -> None:
    start = prepared(account, "there", WANTED, NAMELESS, *STRANGERS).start
    account.load(start)
    calls: list[str] = []
    done = removed(account, lambda _, stage, method, path: calls.append(stage))
    assert done.workers == ("shop",)
    assert {one.kind for one in done.resources} == {one.kind for one in WANTED.resources}
    expected = kinds_of(account)
    assert len([one for one in expected if one.startswith(("kv_namespace ", "queue "))]) == 2, expected
    assert not [one for one in expected if one.startswith(("script", "queue_consumer"))], expected
    assert removed(account) and kinds_of(account) == expected
    for number in range(calls.count("before")):
        for stage in ("before", "after", "lost"):
            account.load(start)
            with pytest.raises((Crash, TrailbossError)):
                removed(account, _stopping(number, stage))
                raise Crash  # a lost reply that did not matter
            for again in (1, 2):
                account.begin(again)
                removed(account, number=again)
            assert kinds_of(account) == expected, (number, stage)
            assert own_tags(account) == [], (number, stage)


def own_tags(account: Account) -> list[str]:
    register = run(lambda: Register.read(DirectCloud(account)))
    return [name for name in register._tags.values if name.startswith("trailboss.")]


def _stopping(number: int, stage: str) -> Hook:
    def hook(count: int, now: str, method: str, path: str) -> None:
        if count == number and now == ("before" if stage == "before" else "after"):
            raise lost(method, path) if stage == "lost" else Crash

    return hook


def test_it_asks_first_and_needs_tags(account: Account) -> None:
    account.load(prepared(account, "there", WANTED, NAMELESS, *STRANGERS).start)
    before = kinds_of(account)
    with pytest.raises(RefusedError) as caught:
        run(lambda: remove_environment(DirectCloud(account), NAMELESS, replace(options(), confirmed=False)))
    asked: list[tuple[Plan, tuple[str, ...]]] = []

    def no(plan: Plan, workers: tuple[str, ...]) -> bool:
        asked.append((plan, workers))
        return False

    with pytest.raises(RefusedError):
        run(lambda: remove_environment(DirectCloud(account), NAMELESS, options(), approve=no))
    assert (caught.value.code, kinds_of(account)) == ("TB6201", before)
    assert (len(asked[0][0].losing) > 2, asked[0][1]) == (True, ("shop",))
    account.box.store.put(MODE, MODE, {"is": "not-enabled"})
    with pytest.raises(RefusedError) as caught:
        removed(account)
    assert caught.value.code == "TB6202"
    assert [one for one in kinds_of(account) if MODE not in one] == [one for one in before if MODE not in one]


def test_another_environment_keeps_what_it_has(account: Account) -> None:
    account.load(prepared(account, "there", WANTED, NAMELESS, *STRANGERS).start)
    other = replace(
        wanting(resource("queue", "jobs", replace(JOBS.spec, name="jobs-qa"))), scripts=frozenset()
    )
    other = replace(other, owner=replace(OWNER, environment="qa"))
    run(lambda: apply(DirectCloud(account), other, options()))
    removed(account)
    left = run(lambda: apply(DirectCloud(account), other, options(1)))
    assert left.done == ()


def test_what_uses_something_goes_before_it() -> None:
    """Cloudflare refuses to delete a certificate that a Hyperdrive uses, a pool of a balancer, and so on."""
    order = leaving()
    assert sorted(order) == sorted(NAMES)
    for user, used in (
        ("hyperdrive_config", "mtls_certificate"),
        ("mtls_hostname_association", "mtls_certificate"),
        ("load_balancer", "load_balancer_pool"),
        ("load_balancer_pool", "load_balancer_monitor"),
        ("queue_consumer", "queue"),
        ("r2_event_notification", "queue"),
        ("access_application", "access_policy"),
        ("alerting_policy", "alerting_webhook"),
    ):
        assert order.index(user) < order.index(used), (user, used)


def test_a_replacement_in_use_says_how_it_can_be_done(account: Account) -> None:
    """An authority's certificate is renewed: refused under its old name, and done under another."""
    account.load(account.empty)
    old, new = (MTLSCertificate("ca", pair(name, ca=True)[0], ca=True) for name in "ab")
    uses = MTLSHostnameAssociation("example.com", Ref("mtls_certificate", "ca"), ("api.example.com",))
    used = resource("mtls_hostname_association", "api", uses)

    def certified(certificate: MTLSCertificate) -> Wanted:
        return wanting(resource("mtls_certificate", "ca", certificate), used)

    account.load(prepared(account, "there", certified(old), NAMELESS).start)
    with pytest.raises(PlanError, match="is associated with") as caught:
        run(lambda: apply(DirectCloud(account), certified(new), options(1)))
    assert "another name" in caught.value.hint
    renewed = certified(replace(new, name="ca-2027"))
    run(lambda: apply(DirectCloud(account), renewed, options(2)))
    assert run(lambda: apply(DirectCloud(account), renewed, options(3))).done == ()
    assert len([one for one in kinds_of(account) if one.startswith("mtls_certificate ")]) == 1


def test_what_somebody_else_uses_is_refused_before_the_first_write(account: Account) -> None:
    pool = LoadBalancerPool("shop-pool", ({"name": "a", "address": "192.0.2.1"},))
    mine = resource("load_balancer_pool", "pool", pool)
    account.load(prepared(account, "there", wanting(mine, KV), NAMELESS).start)
    cloud = DirectCloud(account)

    async def foreign() -> None:
        (made,) = [one async for one in cloud.pages(f"{ROOT}/load_balancers/pools")]
        body = {"name": "their.example.com", "default_pools": [made["id"]], "fallback_pool": made["id"]}
        await cloud.post(f"{await cloud.zone('example.com')}/load_balancers", json=body)

    run(foreign)
    before = kinds_of(account)
    (line,) = [one for one in run(lambda: make(cloud, wanting(KV))).changes if one.action == "delete"]
    assert line.note == "cannot go: load_balancer their.example.com uses it"
    with pytest.raises(RefusedError, match=r"their\.example\.com") as caught:
        run(lambda: apply(cloud, wanting(KV, JOBS), options(1)))
    assert (caught.value.code, kinds_of(account)) == ("TB6203", before)


def test_a_plan_of_the_end_says_what_goes_with_what(account: Account) -> None:
    """Settings of what is deleted are not said to stay."""
    account.load(prepared(account, "there", wanting(*every("FULL")), NAMELESS, reveal=revealed).start)
    ends = Wanted(OWNER, scripts=frozenset({"shop"}), ends=True)
    found = run(lambda: make(DirectCloud(account), ends)).changes
    notes = {(one.action, one.kind): one.note for one in found}
    assert notes["release", "d1_migrations"] == "goes with the d1_database"
    assert notes["release", "zone_setting"] == "stays as it is"
    assert {note for (action, _), note in notes.items() if action == "delete"} == {
        "goes with the environment"
    }
