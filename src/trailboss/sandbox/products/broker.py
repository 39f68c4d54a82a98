"""The queues' messages: durable, leased, retried, dead-lettered. At least once, in no promised order.

A message is leased by one consumer at a time and comes back when its lease runs out. Everything is in SQLite,
so a killed daemon loses nothing: `recover` frees what its deliveries held. Times are milliseconds of the
sandbox's clock.
Source: https://developers.cloudflare.com/queues/configuration/ (batching, retries, dead letter queues)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from trailboss.sandbox.store import Store

SCHEMA = """
create table if not exists queue_messages (
  sequence integer primary key autoincrement, id text not null unique, queue text not null,
  body blob not null, content_type text not null, sent integer not null, visible integer not null,
  attempts integer not null default 0, lease text unique, leased_until integer, holder text, source text
);
create index if not exists queue_messages_due on queue_messages (queue, visible, sequence);
"""

COLUMNS = "id, body, content_type, sent, attempts, lease, source"


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a consumer sees it; `attempts` counts this delivery."""

    id: str
    body: bytes
    content_type: str
    sent: int
    attempts: int
    lease: str
    source: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What a consumer says about failing: how often to try again, how long to wait, where to give up to."""

    max_retries: int = 3
    retry_delay: int = 0
    dead_letter: str | None = None
    """The id of the dead letter queue; None drops the message."""


class Broker:
    """All messages of the account, by queue id."""

    def __init__(self, store: Store, now: Callable[[], int], new_id: Callable[[], str]) -> None:
        store.define(SCHEMA)
        self._store, self._now, self._new_id = store, now, new_id
        self.listeners: list[Callable[[str], None]] = []
        """Called with a queue's id when it got something to deliver."""

    def send(
        self, queue: str, bodies: Iterable[tuple[bytes, str, float]], *, source: str = "api"
    ) -> list[str]:
        """Append messages given as (body, content type, delay in seconds); all or none. Returns their ids."""
        now, ids = self._now(), []
        with self._store.transaction():
            for body, content_type, delay in bodies:
                ids.append(self._new_id())
                self._store.execute(
                    "insert into queue_messages (id, queue, body, content_type, sent, visible, source)"
                    " values (?,?,?,?,?,?,?)",
                    (ids[-1], queue, body, content_type, now, now + int(delay * 1000), source),
                )
        self._tell(queue)
        return ids

    def lease(
        self, queue: str, limit: int, milliseconds: int, *, holder: str, policy: Policy
    ) -> list[Message]:
        """Take up to `limit` due messages for so long. Those that used up their retries go where they go."""
        now = self._now()
        with self._store.transaction():
            self._give_up(queue, policy, now)
            rows = self._store.execute(
                "select id from queue_messages where queue=? and visible<=?"
                " and (lease is null or leased_until<=?) order by visible, sequence limit ?",
                (queue, now, now, limit),
            ).fetchall()
            for (identifier,) in rows:
                self._store.execute(
                    "update queue_messages set attempts=attempts+1, lease=?, leased_until=?, holder=?"
                    " where id=?",
                    (self._new_id(), now + milliseconds, holder, identifier),
                )
            return [self._message(identifier) for (identifier,) in rows]

    def _message(self, identifier: str) -> Message:
        row = self._store.execute(f"select {COLUMNS} from queue_messages where id=?", (identifier,))  # noqa: S608
        return Message(*row.fetchone())

    def _give_up(self, queue: str, policy: Policy, now: int) -> None:
        rows = self._store.execute(
            "select id from queue_messages where queue=? and attempts>? and visible<=?"
            " and (lease is null or leased_until<=?)",
            (queue, policy.max_retries, now, now),
        ).fetchall()
        for (identifier,) in rows:
            self._bury(identifier, policy, now)

    def _bury(self, identifier: str, policy: Policy, now: int) -> None:
        if policy.dead_letter is None:
            self._store.execute("delete from queue_messages where id=?", (identifier,))
            return
        self._store.execute(
            "update queue_messages set queue=?, attempts=0, lease=null, leased_until=null, holder=null,"
            " sent=?, visible=? where id=?",
            (policy.dead_letter, now, now, identifier),
        )
        self._tell(policy.dead_letter)

    def acknowledge(self, leases: Iterable[str]) -> int:
        """Done with these. How many of the leases still held."""
        now = self._now()
        with self._store.transaction():
            return sum(
                self._store.execute(
                    "delete from queue_messages where lease=? and leased_until>?", (lease, now)
                ).rowcount
                for lease in leases
            )

    def retry(self, leases: Iterable[tuple[str, float | None]], policy: Policy) -> int:
        """Give these back as (lease, delay in seconds or None for the policy's). How many were still held."""
        now, count = self._now(), 0
        with self._store.transaction():
            for lease, delay in leases:
                row = self._store.execute(
                    "select id, queue, attempts from queue_messages where lease=? and leased_until>?",
                    (lease, now),
                ).fetchone()
                if row is None:
                    continue
                count += 1
                if row[2] > policy.max_retries:
                    self._bury(row[0], policy, now)
                    continue
                wait = policy.retry_delay if delay is None else delay
                self._free("id=?", (row[0],), visible=now + int(wait * 1000))
                self._tell(row[1])
        return count

    def release(self, leases: Iterable[str], delay: float) -> None:
        """Give back what could not even be handed over: the attempt does not count."""
        now = self._now()
        with self._store.transaction():
            for lease in leases:
                self._store.execute(
                    "update queue_messages set attempts=attempts-1, lease=null, leased_until=null,"
                    " holder=null, visible=? where lease=?",
                    (now + int(delay * 1000), lease),
                )

    def recover(self) -> None:
        """After a restart: deliveries to Workers that were under way come again."""
        self._free("holder=?", ("worker",), visible=self._now())

    def _free(self, where: str, values: tuple[Any, ...], *, visible: int) -> None:
        self._store.execute(
            "update queue_messages set lease=null, leased_until=null, holder=null, visible=?"  # noqa: S608
            f" where {where}",
            (visible, *values),
        )

    def expire(self, queue: str, retention: float) -> int:
        """Drop what is older than the retention period (seconds). How many."""
        return self._store.execute(
            "delete from queue_messages where queue=? and sent<=?",
            (queue, self._now() - int(retention * 1000)),
        ).rowcount

    def ready(self, queue: str) -> tuple[int, int | None]:
        """How many messages could be leased now, and since when the first of them could."""
        now = self._now()
        row = self._store.execute(
            "select count(*), min(max(visible, coalesce(leased_until, 0))) from queue_messages"
            " where queue=? and visible<=? and (lease is null or leased_until<=?)",
            (queue, now, now),
        ).fetchone()
        return int(row[0]), row[1]

    def next_due(self, queue: str) -> int | None:
        """When the next message becomes available that is not yet; None when there is none."""
        row = self._store.execute(
            "select min(max(visible, coalesce(leased_until, 0))) from queue_messages"
            " where queue=? and (visible>? or leased_until>?)",
            (queue, self._now(), self._now()),
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def peek(self, queue: str, limit: int) -> list[Message]:
        """The first messages, without taking them."""
        rows = self._store.execute(
            f"select {COLUMNS} from queue_messages where queue=? order by visible, sequence limit ?",  # noqa: S608
            (queue, limit),
        )
        return [Message(*row) for row in rows]

    def purge(self, queue: str, identifiers: Iterable[str] | None = None) -> list[str]:
        """Delete all messages of a queue, or those named. Returns the named ones that were not there."""
        if identifiers is None:
            self._store.execute("delete from queue_messages where queue=?", (queue,))
            return []
        with self._store.transaction():
            return [
                identifier
                for identifier in identifiers
                if not self._store.execute(
                    "delete from queue_messages where queue=? and id=?", (queue, identifier)
                ).rowcount
            ]

    def metrics(self, queue: str) -> dict[str, int]:
        """`backlog_count`, `backlog_bytes`, `oldest_message_timestamp_ms` (0 when empty)."""
        count, size, oldest = self._store.execute(
            "select count(*), coalesce(sum(length(body)), 0), coalesce(min(sent), 0)"
            " from queue_messages where queue=?",
            (queue,),
        ).fetchone()
        return {"backlog_count": count, "backlog_bytes": size, "oldest_message_timestamp_ms": oldest}

    def _tell(self, queue: str) -> None:
        for listener in self.listeners:
            listener(queue)
