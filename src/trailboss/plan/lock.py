"""One apply at a time per project and environment: a lease in the account's tags, by compare-and-set.

Cloudflare cannot check a fencing token, so a holder that stalled could still write after its lease ran out.
Two rules close that: the holder sends nothing that could still be on its way when the lease ends (the send
deadline), and a successor waits one request's time before it reads (it settles). Only on the same machine,
where a dead process is known to be dead, is there no waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from trailboss.errors import CloudError, ConflictError
from trailboss.plan.clock import Clock
from trailboss.plan.owner import Owner
from trailboss.plan.register import LOCK, Register, Values, key_of

LEASE = 120.0
BEAT = 20.0
REQUEST = 60.0
"""Seconds that one request may be on its way."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds it: `until` in seconds since 1970, `since` in ISO 8601, `doing` in a few words."""

    op: str
    who: str
    host: str
    pid: int
    since: str
    until: float
    doing: str

    def text(self) -> str:
        """The tag's value."""
        return json.dumps(asdict(self), separators=(",", ":"))


def holder_in(text: str) -> Holder | None:
    """The holder a tag's value names; None when nobody does."""
    return Holder(**json.loads(text)) if text else None


class Lock:
    """The lease of one owner, once it is held."""

    def __init__(self, register: Register, owner: Owner, clock: Clock, holder: Holder) -> None:
        self._register = register
        self._key = key_of(LOCK, owner)
        self._clock = clock
        self.holder = holder
        self._lost = ""

    def check(self) -> None:
        """Whether a write may still be sent.

        Raises:
            ConflictError: TB6504 the lease runs out before the write could be done.
        """
        if self._lost or self._clock.now() > self.holder.until - REQUEST:
            raise ConflictError(
                "TB6504",
                f"the lock on this environment was lost: {self._lost or 'it could not be renewed in time'}",
                hint="What was done is kept. Run the command again: it goes on from there.",
            )

    async def renew(self) -> None:
        """Another lease from now on."""
        longer = replace(self.holder, until=self._clock.now() + LEASE)

        def edit(values: Values) -> Values:
            present = holder_in(values.get(self._key, ""))
            if present is None or present.op != self.holder.op:
                self._lost = f"{present.who} on {present.host} took it" if present else "it was released"
                self.check()
            return {**values, self._key: longer.text()}

        await self._register.change(edit)
        self.holder = longer

    def released(self, values: Values) -> Values:
        """These tags without our lock."""
        present = holder_in(values.get(self._key, ""))
        if present is not None and present.op == self.holder.op:
            return {key: value for key, value in values.items() if key != self._key}
        return values

    async def beat(self) -> None:
        """Renew for ever; run it beside the work. A renewal that fails for now is tried again."""
        while True:
            await self._clock.sleep(BEAT)
            with contextlib.suppress(CloudError):
                await self.renew()


async def take(
    register: Register,
    owner: Owner,
    clock: Clock,
    doing: str,
    *,
    wait: float = 0.0,
    tell: Callable[[str], None] = lambda _: None,
) -> Lock:
    """The lock, waiting up to `wait` seconds for somebody else to let go.

    Raises:
        ConflictError: TB6503 it is held: by whom, since when, doing what.
    """
    key, deadline, told = key_of(LOCK, owner), clock.now() + wait, False
    while True:
        before: list[Holder] = []
        mine = _holder(clock, doing)

        def edit(values: Values, mine: Holder = mine, before: list[Holder] = before) -> Values:
            present = holder_in(values.get(key, ""))
            if present is not None and present.op != mine.op:
                if present.until > clock.now() and not _is_dead(present):
                    raise _held(owner, present)
                before[:] = [present]
            return {**values, key: mine.text()}

        try:
            await register.change(edit)
        except ConflictError as held:
            if held.code != "TB6503" or clock.now() >= deadline:
                raise
            if not told:
                tell(f"waiting: {held.message}")
                told = True
            await clock.sleep(2.0)
            await register.refresh()
            continue
        if before and not _is_dead(before[0]):
            tell("an earlier run stopped without letting go; waiting for its last request to settle")
            await clock.sleep(REQUEST)
            lock = Lock(register, owner, clock, mine)
            await lock.renew()
            return lock
        return Lock(register, owner, clock, mine)


@asynccontextmanager
async def beating(lock: Lock) -> AsyncIterator[None]:
    """Renews the lock for as long as the block runs."""
    task = asyncio.ensure_future(lock.beat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _holder(clock: Clock, doing: str) -> Holder:
    now = clock.now()
    since = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    who = os.environ.get("GITHUB_ACTOR") or os.environ.get("GITLAB_USER_LOGIN") or _user()
    return Holder(
        secrets.token_hex(4), who[:60], socket.gethostname()[:60], os.getpid(), since, now + LEASE, doing[:80]
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _is_dead(holder: Holder) -> bool:
    """Whether the holder was a process of this machine that is no more."""
    if holder.host != socket.gethostname()[:60]:
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _held(owner: Owner, holder: Holder) -> ConflictError:
    return ConflictError(
        "TB6503",
        f"{owner} is locked: {holder.who} on {holder.host} (process {holder.pid}) since {holder.since}, "
        f"doing: {holder.doing}",
        hint="Wait for it with --wait, or let it finish. A run that died is noticed by itself.",
    )
