"""Each gate by itself: what it counts, what it asks, and that no answer is never a pass."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, cast

import pytest

from trailboss.errors import CloudError, NotFound, ReleaseError
from trailboss.release.evidence.windows import Span
from trailboss.release.gates import ask, load_balancer, make, tunnel, webhook
from trailboss.release.gates.base import Asked, Asking, Batch, Record
from trailboss.release.rollout.policy import Gate, Judgement, Policy, Probe, Step
from trailboss.release.rollout.probing import Prober

POLICY = Policy("canary", (Step(100, 0, 1),))


def batch(number: int, *records: Record) -> Batch:
    return Batch(Span(10.0 * number, 10.0 * number + 10), 0.5, records)


def run(statistic: Any, canary: Record, stable: Record, windows: int = 40, each: int = 20) -> Any:
    for number in range(windows):
        at = 10.0 * number
        mine = tuple(canary._replace(at=at, canary=True, user=str(one)) for one in range(each))
        others = tuple(stable._replace(at=at, canary=False) for _ in range(each))
        statistic = statistic.after(batch(number, *mine, *others))
    return statistic


OK = Record(0, False, False, False, 10.0, 2.0)


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("errors", OK._replace(failed=True)),
        ("exceptions", OK._replace(raised=True)),
        ("wall", OK._replace(wall=50.0)),
        ("cpu", OK._replace(cpu=9.0)),
        ("ceiling", OK._replace(failed=True)),
    ],
)
def test_statistics_see_what_they_are_for(kind: str, bad: Record) -> None:
    start = make(Gate(kind, kind), Judgement())
    assert run(start, bad, OK).log_e > 5
    assert run(start, OK, OK).log_e < 1
    assert run(start, OK, bad).log_e < 1 or kind == "ceiling"
    seen = run(start, bad, OK)
    assert seen.after(batch(3, bad)) == seen
    again = start.loaded(seen.saved(), 390_000)
    assert again.log_e == pytest.approx(seen.log_e, abs=1e-3) and len(start.saved()) == len(seen.saved())


def test_times_without_a_history_say_nothing() -> None:
    start = make(Gate("wall", "wall"), Judgement())
    silent = OK._replace(wall=None)
    assert run(start, silent, silent).log_e == 0
    assert run(start, OK, OK, windows=1).figures()["canary"]["p90"] == 10.0


def test_sticky_users_count_once() -> None:
    sticky = Judgement(sticky=True)
    start = make(Gate("errors", "errors"), sticky)
    broken = OK._replace(failed=True, key="one user")
    assert run(start, broken, OK._replace(key="another")).log_e < 1
    with pytest.raises(ReleaseError) as caught:
        make(Gate("wall", "wall"), sticky)
    assert caught.value.code == "TB4302"
    assert make(Gate("wall", "wall"), replace(sticky, phi=3.0)).log_e == 0


class Cloud:
    """Answers GETs from a table; a CloudError is raised."""

    account = "/accounts/a"

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    async def get(self, path: str, **_: Any) -> Any:
        found = self.answers[path.split("/")[3]]
        if isinstance(found, dict) and path.rsplit("/", 1)[-1] in found:
            found = found[path.rsplit("/", 1)[-1]]
        if isinstance(found, CloudError):
            raise found
        return found


def question(gate: Gate, cloud: Any = None, address: str | None = None, **changes: Any) -> Any:
    policy = replace(POLICY, probes=changes.pop("probes", ()))
    asking = Asking(
        cloud,
        policy,
        (Asked("api", "s", "c", address),),
        10.0,
        changes.pop("phase", "during"),
        Prober(),
        "r",
        **changes,
    )

    async def main() -> Any:
        async with asking.prober:
            return await ask(gate, asking)

    return asyncio.run(main())


ID = "11111111-2222-4333-8444-555555555555"
AWAY = CloudError("TB2000", "no answer")


@pytest.mark.parametrize(
    ("target", "reply", "outcome"),
    [
        (ID, {"status": "healthy"}, "pass"),
        (ID, {"status": "down"}, "fail"),
        (ID, {"status": "inactive"}, "fail"),
        (ID, {"status": "degraded"}, "undecided"),
        (ID, {"status": "healthy", "deleted_at": "2026-01-01"}, "fail"),
        (ID, NotFound("TB2001", "no"), "fail"),
        (ID, AWAY, "undecided"),
        ("db", [{"name": "db", "status": "healthy"}], "pass"),
        ("db", [{"name": "dbx", "status": "healthy"}], "fail"),
    ],
)
def test_tunnel(target: str, reply: Any, outcome: str) -> None:
    assert question(Gate("t", "tunnel", target), Cloud(cfd_tunnel=reply)).outcome == outcome


@pytest.mark.parametrize(
    ("reply", "coming", "refused"),
    [
        ([], set(), True),
        ([{"name": "db", "status": "down"}], set(), False),
        ([], {"db"}, False),
        (AWAY, set(), False),
    ],
)
def test_a_tunnel_that_nobody_made(reply: Any, coming: set[str], refused: bool) -> None:
    gates, cloud = [Gate("t", "tunnel", "db")], cast("Any", Cloud(cfd_tunnel=reply))
    with pytest.raises(ReleaseError, match="there is none") if refused else nullcontext():
        asyncio.run(tunnel.require(gates, cloud, coming))


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"pop_health": {"WNAM": {"healthy": True}, "EEU": {"healthy": True}}}, "pass"),
        ({"pop_health": {"healthy": True, "origins": []}}, "pass"),
        ({"pop_health": {"healthy": False, "origins": []}}, "fail"),
        (
            {"pop_health": {"A": {"healthy": True}, "B": {"healthy": True}, "C": {"healthy": False}}},
            "undecided",
        ),
        ({"pop_health": {"A": {"healthy": True}, "B": {"healthy": False}}}, "fail"),
        ({"pop_health": {}}, "undecided"),
        (None, "undecided"),
    ],
)
def test_pool_health(reply: Any, outcome: str) -> None:
    assert load_balancer.read(reply).outcome == outcome


def test_load_balancer_by_name() -> None:
    healthy = {"pop_health": {"A": {"healthy": True}}}
    cloud = Cloud(load_balancers={"pools": [{"id": "p1", "name": "main"}], "health": healthy})
    assert question(Gate("l", "load-balancer", "main"), cloud).outcome == "pass"
    assert question(Gate("l", "load-balancer", "other"), cloud).outcome == "fail"
    assert question(Gate("l", "load-balancer", "f" * 32), Cloud(load_balancers=AWAY)).outcome == "undecided"


@pytest.mark.parametrize(
    ("command", "outcome", "note"),
    [
        (
            'test "$TRAILBOSS_CANARY $TRAILBOSS_SHARE $TRAILBOSS_PHASE" = "c 10 during" && echo well',
            "pass",
            "well",
        ),
        ("echo no; exit 3", "fail", "exit 3: no"),
        ("exit 75", "undecided", "exit 75: try again later"),
        ("sleep 20", "undecided", "not done within 0.5 s"),
    ],
)
def test_command(command: str, outcome: str, note: str) -> None:
    found = question(Gate("c", "command", command, timeout=0.5))
    assert (found.outcome, found.note) == (outcome, note)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"", "pass"),
        (200, b'{"outcome": "fail", "note": "no"}', "fail"),
        (200, b'{"outcome": "maybe"}', "undecided"),
        (200, b"<html>", "pass"),
        (202, b"", "undecided"),
        (403, b"", "fail"),
        (404, b"", "undecided"),
        (500, b"", "undecided"),
    ],
)
def test_what_a_webhook_says(status: int, body: bytes, outcome: str) -> None:
    assert webhook.read(status, body).outcome == outcome


class Handler(http.server.BaseHTTPRequestHandler):
    """Remembers what it was asked; slow, ill and a body by path."""

    asked: list[dict[str, Any]] = []

    def do_GET(self) -> None:
        self.asked.append({name.lower(): text for name, text in self.headers.items()})
        if self.path == "/slow":
            time.sleep(0.2)
        self.send_response(503 if self.path == "/ill" else 200)
        self.end_headers()
        self.wfile.write(b"all is well")

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"outcome": "undecided", "note": "asleep"}')

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_webhook_is_told_everything(site: str) -> None:
    found = question(Gate("w", "webhook", f"{site}/"), environment="production")
    assert (found.outcome, found.note) == ("undecided", "asleep")
    told = Handler.asked[-1]
    assert (told["gate"], told["share"], told["workers"][0]["canary"]) == ("w", 10.0, "c")
    assert question(Gate("w", "webhook", "http://127.0.0.1:1/", timeout=1)).outcome == "undecided"


@pytest.mark.parametrize(
    ("probe", "outcome"),
    [
        (Probe("p", count=3), "pass"),
        (Probe("p", "/ill"), "fail"),
        (Probe("p", "/ill", statuses=(503,)), "pass"),
        (Probe("p", statuses=(204,)), "fail"),
        (Probe("p", contains="well"), "pass"),
        (Probe("p", contains="ill"), "fail"),
        (Probe("p", "/slow", latency=0.05), "fail"),
        (Probe("p", "/slow", timeout=0.05), "fail"),
        (Probe("p", url="http://127.0.0.1:1/"), "undecided"),
        (Probe("p", worker="web"), "undecided"),
    ],
)
def test_probe(site: str, probe: Probe, outcome: str) -> None:
    found = question(Gate("p", "probe", "p"), address=site, probes=(probe,))
    assert found.outcome == outcome, found
    assert found.good + found.bad == (0 if outcome == "undecided" else probe.count)


def test_probes_name_the_version_and_themselves(site: str) -> None:
    question(Gate("p", "probe", "p"), address=site, probes=(Probe("p"),))
    assert Handler.asked[-1]["cloudflare-workers-version-overrides"] == 'api="c"'
    assert Handler.asked[-1]["trailboss-probe"] == "p"
    question(Gate("p", "probe", "p"), address=site, probes=(Probe("p"),), phase="after")
    assert "cloudflare-workers-version-overrides" not in Handler.asked[-1]
