"""Any edits of the file and any changes by hand, in any order: an apply makes the account as the file says,
leaves everybody else's things alone, and a second plan is empty."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.plan.crashing import OWNER, resource, revealed
from tests.plan.inprocess import ACCOUNT, Account, DirectCloud
from tests.plan.virtual import clock, run
from trailboss.plan.apply import Options, apply
from trailboss.plan.plan import Plan, make
from trailboss.plan.wanted import Wanted
from trailboss.resources.access_group import AccessGroup
from trailboss.resources.dns_record import DNSRecord
from trailboss.resources.hyperdrive_config import HyperdriveConfig
from trailboss.resources.kv_namespace import KVNamespace
from trailboss.resources.marks import identity_of
from trailboss.resources.queue import Queue
from trailboss.resources.registry import kind
from trailboss.resources.vectorize_index import VectorizeIndex

ACCOUNTS: list[Account] = []
KEYS, NAMES = st.sampled_from(("one", "two", "three")), st.sampled_from(("alpha", "beta", "gamma"))
NUMBERS = st.integers(1, 3)
MADE: dict[str, Any] = {
    "kv_namespace": lambda name, number: KVNamespace(f"kv-{name}"),
    "queue": lambda name, number: Queue(f"queue-{name}", delivery_delay=number),
    "hyperdrive_config": lambda name, number: HyperdriveConfig(f"sql-{name}", "${SQL}", max_age=60 * number),
    "vectorize_index": lambda name, number: VectorizeIndex(f"index-{name}", 8 * number, "cosine"),
    "dns_record": lambda name, number: DNSRecord(
        "example.com", f"{name}.example.com", "TXT", f'"{number}"', ttl=300
    ),
    "access_group": lambda name, number: AccessGroup(
        f"group-{name}", ({"email_domain": {"domain": f"n{number}.example"}},)
    ),
}
KINDS = st.sampled_from(tuple(MADE))
Key = tuple[str, str]


class Life(RuleBasedStateMachine):
    """`file` is what is wanted, by kind and key; `theirs` are handles of what strangers made."""

    @initialize()
    def begin(self) -> None:
        if not ACCOUNTS:
            ACCOUNTS.append(Account(Path(tempfile.mkdtemp(prefix="trailboss-test-"))))
        self.account = ACCOUNTS[0]
        self.account.load(self.account.empty)
        run(lambda: self.account.zone("example.com"))
        self.file: dict[Key, Any] = {}
        self.theirs: set[Key] = set()
        self.edited = self.touched = False

    @rule(name=KINDS, key=KEYS, title=NAMES, number=NUMBERS)
    def write(self, name: str, key: str, title: str, number: int) -> None:
        """Add it, change it, or give it another name."""
        spec = MADE[name](title, number)
        rest = [other for (one, at), other in self.file.items() if one == name and at != key]
        places = [identity_of(spec), *({identity_of(one) for one in self._foreign(name)})]
        if all(identity_of(other) not in places for other in rest) and places[0] not in places[1:]:
            self.edited |= self.file.get((name, key)) != spec
            self.file[name, key] = spec

    @rule(name=KINDS, key=KEYS)
    def strike(self, name: str, key: str) -> None:
        self.edited |= self.file.pop((name, key), None) is not None

    @rule(name=KINDS, key=KEYS, new=KEYS)
    def rekey(self, name: str, key: str, new: str) -> None:
        if (name, key) in self.file and (name, new) not in self.file:
            self.file[name, new] = self.file.pop((name, key))
            self.edited = True

    @rule(name=KINDS, title=NAMES)
    def stranger(self, name: str, title: str) -> None:
        """Somebody else makes something; the file does not want one of that name."""
        spec = MADE[name](f"their-{title}", 1)
        if not any(identity_of(one) == identity_of(spec) for one in self._observed(name)):
            made = run(lambda: self._create(name, spec))
            self.theirs.add((name, kind(name).handle(made)))

    @rule(name=KINDS, number=NUMBERS)
    def vandal(self, name: str, number: int) -> None:
        """Somebody deletes one of ours by hand."""
        ours = [one for one in self._observed(name) if (name, kind(name).handle(one)) not in self.theirs]
        if ours:
            run(lambda: kind(name).delete(DirectCloud(self.account), ours[number % len(ours)]))
            self.touched = True

    @rule(number=NUMBERS)
    def meddler(self, number: int) -> None:
        """Somebody changes one of ours by hand."""
        for one in self._observed("queue")[:1]:
            if ("queue", one.id) not in self.theirs:
                path = f"/accounts/{ACCOUNT}/queues/{one.id}"
                body = {"queue_name": identity_of(one)[0], "settings": {"delivery_delay": 100 + number}}
                run(lambda path=path, body=body: DirectCloud(self.account).patch(path, json=body))
                self.touched = True

    @rule()
    def settle(self) -> None:
        """Plan, apply, and look."""
        plan = self._plan()
        updates = [one for one in plan.changes if one.action == "update"]
        if not self.edited:
            assert all(one.why == "drift" for one in updates), updates
        if not self.touched:
            assert all(one.why != "drift" for one in updates), updates
        deleted = [one.seen for one in plan.changes if one.action == "delete" and one.seen]
        assert not [one for one in deleted if (one.kind, kind(one.kind).handle(one.observed)) in self.theirs]
        options = Options(confirmed=True, clock=clock(), reveal=revealed)
        run(lambda: apply(DirectCloud(self.account), self._wanted(), options))
        after = self._plan()
        assert after.is_empty and not any(one.restamp for one in after.changes), after.pending
        for name in MADE:
            there = {kind(name).handle(one) for one in self._observed(name)}
            foreign = {handle for one, handle in self.theirs if one == name}
            assert foreign <= there
            assert len(there - foreign) == sum(one == name for one, _ in self.file)
        self.edited = self.touched = False

    @invariant()
    def strangers_things_stay(self) -> None:
        for name, handle in getattr(self, "theirs", ()):
            assert handle in {kind(name).handle(one) for one in self._observed(name)}

    def _wanted(self) -> Wanted:
        found = tuple(resource(name, key, spec) for (name, key), spec in self.file.items())
        return Wanted(OWNER, found)

    def _plan(self) -> Plan:
        return run(lambda: make(DirectCloud(self.account), self._wanted()))

    def _foreign(self, name: str) -> list[Any]:
        return [one for one in self._observed(name) if (name, kind(name).handle(one)) in self.theirs]

    def _observed(self, name: str) -> list[Any]:
        like = MADE[name]("alpha", 1)

        async def read() -> list[Any]:
            return [one async for one in kind(name).list(DirectCloud(self.account), like)]

        return run(read)

    async def _create(self, name: str, spec: Any) -> Any:
        secrets = await revealed({"sql": "${SQL}"})
        sent = replace(spec, connection_string=secrets["sql"]) if name == "hyperdrive_config" else spec
        return await kind(name).create(DirectCloud(self.account), sent)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=80,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
