"""What a tail sends, one JSON text per invocation of a Worker (cloudflare-api-core section 1.7)."""

from __future__ import annotations

from typing import Any

import msgspec


class Log(msgspec.Struct, gc=False):
    """One console call: `message` is the list of its arguments, `timestamp` milliseconds since 1970."""

    message: Any = None
    level: str = "log"
    timestamp: float = 0


class Fault(msgspec.Struct, gc=False):
    """An uncaught exception."""

    name: str = "Error"
    message: str = ""
    timestamp: float = 0
    stack: str | None = None


class ScriptVersion(msgspec.Struct, gc=False):
    """The version that ran."""

    id: str = ""
    tag: str | None = None
    message: str | None = None


class Event(msgspec.Struct, rename="camel"):
    """One invocation. `outcome` is "ok", "exception", "canceled", "exceededCpu", ...; `event` says what
    called the Worker (a request, a cron, a queue batch, ...) in Cloudflare's words; times are
    milliseconds."""

    outcome: str = "unknown"
    script_name: str | None = None
    entrypoint: str | None = None
    script_version: ScriptVersion | None = None
    event_timestamp: float | None = None
    exceptions: list[Fault] = msgspec.field(default_factory=list)
    logs: list[Log] = msgspec.field(default_factory=list)
    event: dict[str, Any] | None = None
    truncated: bool | None = None
    wall_time: float | None = None
    cpu_time: float | None = None

    @property
    def request(self) -> dict[str, Any]:
        """The HTTP request ({"url", "method", "headers", "cf"}), empty for other kinds."""
        found = (self.event or {}).get("request")
        return found if isinstance(found, dict) else {}

    @property
    def status(self) -> int | None:
        """The HTTP status the Worker answered with, None where there is none."""
        response = (self.event or {}).get("response")
        found = response.get("status") if isinstance(response, dict) else None
        return found if isinstance(found, int) else None

    @property
    def control(self) -> str | None:
        """ "overload" or "overload-stop" when this is Cloudflare speaking about the tail itself."""
        found = (self.event or {}).get("type")
        return found if isinstance(found, str) and found.startswith("overload") else None


_decoder = msgspec.json.Decoder(Event)


def decode(frame: str | bytes) -> Event:
    """An Event from one frame. Raises ValueError when it is not one."""
    try:
        return _decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a tail event: {error}") from error
