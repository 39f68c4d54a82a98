"""tail: every invocation as it happens, from the Worker's live tail. Fresh, needs nothing to be deployed.

Cloudflare drops events of a very busy Worker (it says so: "overload") and has ten viewers at most. What
arrives is counted as it is, never scaled up: what is left out depends on neither version nor outcome.

An event comes when its request has ended. One that comes after its window was taken belongs to the next
one of the same step: if the versions are alike, how long it took says nothing of its version.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from hashlib import blake2s
from typing import TYPE_CHECKING, Any

from trailboss.cloud import segment
from trailboss.cloud.tail_socket import Closed, TailSocket, open_tail
from trailboss.errors import CloudError
from trailboss.release.evidence.windows import Span
from trailboss.release.gates.base import Record
from trailboss.release.rollout.probing import MARK, OVERRIDES
from trailboss.release.sources.base import Freshness

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

MOST = 500_000
"""Records kept for windows still to be read."""
RENEW = 3000.0
"""Seconds after which a new tail takes over: Cloudflare lets them expire after an hour or more."""
AGAIN = (1.0, 2.0, 5.0, 10.0)
FINE = ("ok", "canceled", "responseStreamDisconnected")
KEY = "cloudflare-workers-version-key"


class TailSource:
    """The live tail of one Worker, kept open until `aclose`. `lag` is how late an event may be, seconds."""

    name = "tail"

    def __init__(self, cloud: Cloud, worker: str, *, lag: float = 2.0) -> None:
        self._cloud, self._worker, self._lag = cloud, worker, lag
        self._kept: list[tuple[str, Record]] = []
        self._task: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()
        self._trouble = "not connected yet"
        self._sampled = False
        self._since = self._read_until = 0.0

    async def open(self) -> None:
        """Listen from now on; returns when the tail is connected, or after ten seconds without it."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._listening.wait(), 10.0)

    async def aclose(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def read(self, span: Span, canary: str, stable: str | None = None) -> tuple[Record, ...] | None:
        """The span's records, and those of the spans just before it that were still under way when these were
        read: a request that hangs before it fails must not be lost. None while nobody listens."""
        if span.start != self._read_until:
            self._since = span.start
        self._read_until = span.end
        inside = tuple(
            record._replace(canary=version == canary)
            for version, record in self._kept
            if self._since <= record.at < span.end and (stable is None or version in (canary, stable))
        )
        self._kept = [kept for kept in self._kept if kept[1].at >= span.end]
        return inside if inside or not self._trouble else None

    def held(self, canary: str, stable: str) -> tuple[Record, ...]:
        """The records of both versions that have arrived and were not read."""
        return tuple(
            record._replace(canary=version == canary)
            for version, record in self._kept
            if version in (canary, stable)
        )

    def about(self) -> Freshness:
        """A second or two old; sampled once Cloudflare said so."""
        note = "live tail" + (", of which Cloudflare drops a part" if self._sampled else "")
        return Freshness(self._lag, self._sampled, note, self._trouble)

    async def _follow(self) -> None:
        failures = 0
        while True:
            try:
                await self._listen_once()
                failures = 0
            except (CloudError, OSError) as error:
                self._trouble = str(error)
                failures += 1
                await asyncio.sleep(AGAIN[min(failures, len(AGAIN)) - 1])

    async def _listen_once(self) -> None:
        """One tail, until it is due to be renewed or its connection ends. Raises CloudError, OSError."""
        path = f"{self._cloud.account}/workers/scripts/{segment(self._worker)}/tails"
        made = await self._cloud.post(path, json={"filters": []})
        try:
            async with open_tail(str(made["url"])) as frames, asyncio.timeout(RENEW):
                self._trouble = ""
                self._listening.set()
                await self._take_all(frames)
        except TimeoutError:
            return
        finally:
            with suppress(CloudError, TimeoutError):
                async with asyncio.timeout(5.0):
                    await self._cloud.delete(f"{path}/{segment(str(made['id']))}")

    async def _take_all(self, frames: TailSocket) -> None:
        try:
            while True:
                self._take(await frames.next())
        except Closed as closed:
            self._trouble = closed.reason or "the connection ended"
            raise OSError(self._trouble) from closed

    def _take(self, frame: bytes) -> None:
        import msgspec

        try:
            event = msgspec.json.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if isinstance(event, dict):
            kind = (event.get("event") or {}).get("type")
            if isinstance(kind, str) and kind.startswith("overload"):
                self._sampled = self._sampled or kind == "overload"
                return
            found = read_event(event)
            if found is not None and len(self._kept) < MOST:
                self._kept.append(found)


def read_event(event: dict[str, Any]) -> tuple[str, Record] | None:
    """The version's id and the record of a tail event; None for our probes, for whatever was sent to a
    version on purpose, and for events without a version or a time."""
    version = (event.get("scriptVersion") or {}).get("id")
    at = event.get("eventTimestamp")
    if not version or not isinstance(at, int | float):
        return None
    what = event.get("event") or {}
    headers = {str(name).lower(): text for name, text in _headers(what).items()}
    if MARK.lower() in headers or OVERRIDES.lower() in headers:
        return None
    outcome = str(event.get("outcome") or "unknown")
    status = (what.get("response") or {}).get("status") or 0
    return str(version), Record(
        at=at / 1000,
        canary=False,
        failed=outcome not in FINE or int(status) >= 500,
        raised=outcome == "exception" or bool(event.get("exceptions")),
        wall=_number(event.get("wallTime")),
        cpu=_number(event.get("cpuTime")),
        key=_told(headers.get(KEY)),
        user=_user(headers),
    )


def _headers(what: dict[str, Any]) -> dict[str, Any]:
    found = (what.get("request") or {}).get("headers")
    return found if isinstance(found, dict) else {}


def _told(value: Any) -> str | None:
    """A header's value, unless Cloudflare blackened it."""
    return None if value in (None, "", "REDACTED") else str(value)


def _user(headers: dict[str, Any]) -> str | None:
    """A digest of who asked: the version key, else the address."""
    who = _told(headers.get(KEY)) or _told(headers.get("cf-connecting-ip"))
    return blake2s(who.encode(), digest_size=8).hexdigest() if who else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
