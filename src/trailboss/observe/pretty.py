"""A tail for people and for machines: pure functions from an item to text."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from trailboss.observe.events import Event
from trailboss.observe.items import Connected, Gap, Item, Overload, Received, Unreadable
from trailboss.observe.matching import said

_OUTCOMES = {
    "ok": "Ok",
    "canceled": "Canceled",
    "exceededCpu": "Exceeded CPU Limit",
    "exceededMemory": "Exceeded Memory Limit",
    "exception": "Exception Thrown",
    "responseStreamDisconnected": "Response Stream Disconnected",
    "scriptNotFound": "Script Not Found",
    "loadShed": "Load Shed",
}
"""Cloudflare's outcomes in the words wrangler prints."""


def as_json(item: Item) -> str:
    """One line of JSON: events exactly as they came, everything else as {"trailboss": {...}}."""
    if isinstance(item, Received):
        return json.dumps(json.loads(item.frame), ensure_ascii=False, separators=(",", ":"))
    named: dict[str, Any] = {"kind": type(item).__name__.lower()}
    named.update({name: getattr(item, name) for name in item.__dataclass_fields__})
    return json.dumps({"trailboss": named}, ensure_ascii=False, separators=(",", ":"))


def as_text(item: Item, *, prefix: str = "") -> str:
    """The lines wrangler would print for it; `prefix` begins each (a Worker's name, when several are
    watched)."""
    lines = _lines(item)
    return "\n".join(f"{prefix}{line}" for line in lines)


def _lines(item: Item) -> list[str]:
    if isinstance(item, Received):
        return _event(item.event)
    if isinstance(item, Connected):
        return [f"{'Reconnected' if item.again else 'Connected'} to {item.worker}, waiting for logs..."]
    if isinstance(item, Gap):
        span = f"{_clock(item.since * 1000)} to {_clock(item.until * 1000)}"
        return [f"-- gap of {item.until - item.since:.1f} s, {span}: {item.reason} --"]
    if isinstance(item, Overload):
        return [f"-- {item.message or ('sampling' if item.sampling else 'no longer sampling')} --"]
    return (
        [f"-- unreadable frame ({item.reason}): {item.frame[:200]} --"]
        if isinstance(item, Unreadable)
        else []
    )


def _event(event: Event) -> list[str]:
    lines = [_headline(event)]
    for log in event.logs:
        first, *more = said(log.message).split("\n")
        lines.append(f"  ({log.level}) {first}")
        lines += [f"    {line}" for line in more]
    for fault in event.exceptions:
        lines.append(f"  ✘ {fault.name}: {fault.message}")
        lines += [
            f"    {line.strip()}"
            for line in (fault.stack or "").splitlines()
            if line.strip().startswith("at ")
        ]
    if event.truncated:
        lines.append("  (the rest of the logs was cut off by Cloudflare)")
    return lines


def _headline(event: Event) -> str:
    outcome = _OUTCOMES.get(event.outcome, event.outcome)
    when = _clock(event.event_timestamp)
    version = f" [{event.script_version.id[:8]}]" if event.script_version and event.script_version.id else ""
    return f"{_caller(event)} - {outcome} @ {when}{version}"


def _caller(event: Event) -> str:
    """What called the Worker, by the keys of the event as Cloudflare sends them."""
    found = event.event or {}
    if event.request:
        status = f" {event.status}" if event.status else ""
        return f"{str(event.request.get('method', '')).upper()} {event.request.get('url', '')}{status}"
    if "cron" in found:
        return f'"{found["cron"]}"'
    if "queue" in found:
        size = found.get("batchSize", 0)
        return f"Queue {found['queue']} ({size} message{'' if size == 1 else 's'})"
    if "mailFrom" in found:
        return f"Email from:{found['mailFrom']} to:{found.get('rcptTo')} size:{found.get('rawSize')}"
    if "rpcMethod" in found:
        entry = f"{event.entrypoint}." if event.entrypoint else ""
        return f"{entry}{found['rpcMethod']}"
    if "consumedEvents" in found:
        names = ",".join(str(item.get("scriptName")) for item in found["consumedEvents"] or () if item)
        return f"Tailing {names}"
    return "Alarm" if "scheduledTime" in found else "Unknown Event"


def _clock(milliseconds: float | None) -> str:
    """Local date and time; a dash where there is none."""
    if milliseconds is None:
        return "-"
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return "-"
