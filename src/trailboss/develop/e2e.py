"""`test e2e`: the project's end-to-end tests against something that is deployed already."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from trailboss.develop.lines import Entry
from trailboss.develop.testing import Command, run_tests
from trailboss.errors import ReleaseError
from trailboss.values import Secret

KEPT = 200
"""Lines of the log that a result has."""
BETWEEN = 0.25
REQUEST = 10.0
NOT_YET = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530})
"""What Cloudflare's edge itself answers while a host name is not everywhere yet."""
_NOTHING_YET = re.compile(r"error code: 10\d\d|There is nothing here yet")
_ACCESS = ".cloudflareaccess.com"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """What is tested: its `url`; `edge` is where a sandbox's Workers answer, `headers` let us through
    Access."""

    url: str
    edge: str | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict, repr=False)

    @property
    def environ(self) -> dict[str, str]:
        """What the tests are given besides the URL: the headers, as JSON in TRAILBOSS_HEADERS."""
        if not self.headers:
            return {}
        shown = {name: value.reveal() for name, value in self.headers.items()}
        return {"TRAILBOSS_HEADERS": json.dumps(shown)}


@dataclass(frozen=True, slots=True)
class Tested:
    """How it went. `status` is the command's; `seconds` without the waiting, which is `waited`; `log` its
    last lines."""

    url: str
    ok: bool
    status: int
    seconds: float
    waited: float
    log: tuple[str, ...]


async def test(place: Place, command: Command, patience: float, tell: Tell) -> Tested:
    """Wait until `place` answers, at most `patience` seconds; then run the command with its URL.

    Raises:
        ReleaseError: TB4702 it does not answer, TB4703 Access stands before it. BuildError: TB3603 the
            command takes too long. UsageError: TB9462 it cannot be started.
    """
    began = time.monotonic()
    await wait_ready(place, patience)
    started, kept = time.monotonic(), deque[str](maxlen=KEPT)

    def said(one: Any) -> None:
        if isinstance(one, Entry):
            kept.append(one.text)
            tell(one.text)

    status = await run_tests(command.with_variables(place.environ), place.url, said)
    ended = time.monotonic()
    return Tested(place.url, status == 0, status, ended - started, started - began, tuple(kept))


async def wait_ready(place: Place, patience: float) -> None:
    """Ask until the Worker itself answers, whatever it says: then it is there.

    Raises:
        ReleaseError: TB4702, TB4703.
    """
    import httpx

    headers = {name: value.reveal() for name, value in place.headers.items()}
    url, deadline = place.url, time.monotonic() + patience
    if place.edge is not None:
        headers["Host"], url = urlsplit(place.url).netloc, place.edge
    async with httpx.AsyncClient(timeout=REQUEST, trust_env=place.edge is None) as client:
        while True:
            try:
                answer = await client.get(url, headers=headers)
                why = _why_not(place, answer)
            except httpx.HTTPError as error:
                why = str(error) or type(error).__name__
            if why is None:
                return
            if time.monotonic() > deadline:
                raise ReleaseError(
                    "TB4702",
                    f"{place.url} is not ready after {patience:g} s: {why}",
                    hint="Is it deployed? `ready_timeout` under [test] in trailboss.toml allows more.",
                )
            await asyncio.sleep(BETWEEN)


def _why_not(place: Place, answer: Any) -> str | None:
    """Why what answered is not the Worker; None when it is."""
    target = answer.headers.get("location", "")
    if "cf-access-domain" in answer.headers or _ACCESS in urlsplit(target).netloc:
        shown = "does not let this service token in" if place.headers else "asks who is there"
        raise ReleaseError(
            "TB4703",
            f"Access stands before {place.url}, and it {shown}",
            hint="Set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET to a service token its policy allows.",
        )
    if answer.status_code in NOT_YET:
        return f"the edge answers {answer.status_code}"
    if answer.status_code == 404 and _NOTHING_YET.search(answer.text[:4096]):
        return "nothing is served there yet"
    return None
