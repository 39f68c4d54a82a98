"""The edge of the sandbox, as ratios measured in one run.

    .venv/bin/python benchmarks/ingress.py [--quick]

Throughput against the runtime's own socket, what the hop adds, how fast a weight changes, whether a swap
fails a request, whether the split is fair, how long a start takes. Uses `wrk` when it is installed, else an
aiohttp client (slower than the server: its ratios flatter the ingress). It shares the machine with whatever
else runs: read the ratios, not the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.sandbox import wrangler_dev
from trailboss.toolchain import ensure

MAIN = Path(__file__).parents[1] / "src/trailboss/sandbox/sidecar/main.mjs"
TOKEN = "benchmark"
HOST = "hello.dev.workers.localhost"
ROUNDS = 3


def version(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012d}"


class Sidecar:
    """One side-car process with a quiet control plane that nobody answers."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        toolchain = ensure()
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [str(toolchain.node), str(MAIN)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        boot = {
            "toolchain": str(toolchain.root),
            "persist": str(folder / "data"),
            "edge": {"host": "127.0.0.1", "port": 0},
            "control": {"host": "127.0.0.1", "port": 0},
            "api": "http://127.0.0.1:9/_sandbox/runtime",
            "token": TOKEN,
            "account": {"id": "a" * 32, "subdomain": "dev"},
            **settings,
        }
        self.process.stdin.write(json.dumps(boot).encode() + b"\n")
        self.process.stdin.flush()
        self.ports = json.loads(self.process.stdout.readline())

    @property
    def edge(self) -> str:
        return f"http://127.0.0.1:{self.ports['edge_port']}/"

    async def control(self, session: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> Any:
        url = f"http://127.0.0.1:{self.ports['control_port']}{path}"
        async with session.request(
            method, url, json=body, headers={"authorization": f"Bearer {TOKEN}"}
        ) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    def state(self, shares: dict[int, float], workers: int = 1) -> dict[str, Any]:
        """`hello` with these versions, and `workers - 1` more scripts."""
        scripts = {"hello": shares} | {f"other{n}": {1: 100.0} for n in range(1, workers)}
        declared = [self._worker(script, number) for script, parts in scripts.items() for number in parts]
        return {"workers": declared, "routing": routing(scripts)}

    def _worker(self, script: str, number: int) -> dict[str, Any]:
        path = self.folder / f"{script}-{number}.js"
        path.write_text(f"export default {{ fetch() {{ return new Response('{number}'); }} }};")
        module = {"name": "index.js", "type": "application/javascript+module", "path": str(path)}
        return {
            "script": script,
            "version": version(number),
            "number": number,
            "format": "modules",
            "main": "index.js",
            "modules": [module],
            "compatibility_date": "2026-01-01",
            "bindings": [],
        }

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(15)


def routing(scripts: dict[str, dict[int, float]]) -> dict[str, Any]:
    def versions(parts: dict[int, float]) -> list[dict[str, Any]]:
        return [{"version": version(number), "percentage": share} for number, share in parts.items()]

    entries = {
        name: {"deployment": "d", "versions": versions(parts), "workers_dev": True, "previews": True}
        for name, parts in scripts.items()
    }
    return {"scripts": entries, "hosts": [], "routes": []}


@contextmanager
def sidecar(**settings: Any) -> Iterator[Sidecar]:
    with tempfile.TemporaryDirectory() as folder:
        running = Sidecar(Path(folder), **settings)
        try:
            yield running
        finally:
            running.stop()


async def load(url: str, clients: int, seconds: float) -> tuple[float, float]:
    """(requests per second, median ms) of `clients` clients."""
    if shutil.which("wrk"):
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--latency", "-H", f"Host: {HOST}", url]
        done = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        text = (await done.communicate())[0].decode()
        assert "Non-2xx" not in text, text
        rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
        median = re.search(r"50%\s+([\d.]+)(us|ms|s)", text)
        assert rate is not None and median is not None, text
        return float(rate[1]), float(median[1]) * {"us": 0.001, "ms": 1, "s": 1000}[median[2]]
    return await _aiohttp_load(url, clients, seconds)


async def _aiohttp_load(url: str, clients: int, seconds: float) -> tuple[float, float]:
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def client(session: aiohttp.ClientSession) -> None:
        while time.perf_counter() < end:
            started = time.perf_counter()
            async with session.get(url, headers={"host": HOST}) as reply:
                await reply.read()
                assert reply.status == 200
            took.append(time.perf_counter() - started)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))
    return len(took) / seconds, statistics.median(took) * 1000


async def throughput(seconds: float, traced: str | list[str]) -> dict[str, float]:
    """Ingress and the version's own socket in turns, so that both see the same neighbours."""
    rates: dict[str, list[float]] = {"edge": [], "direct": []}
    medians: dict[str, list[float]] = {"edge": [], "direct": []}
    with sidecar() as running:
        async with aiohttp.ClientSession() as session:
            await running.control(session, "PUT", "/state", running.state({1: 100}))
            await running.control(session, "PUT", "/trace", {"scripts": traced})
            ports = (await running.control(session, "GET", "/health"))["ports"]
        direct = f"http://127.0.0.1:{ports[f'hello@{version(1)}']}/"
        await load(running.edge, 16, 1)
        for _ in range(ROUNDS):
            for name, url in (("edge", running.edge), ("direct", direct)):
                rates[name].append((await load(url, 16, seconds))[0])
                medians[name].append((await load(url, 1, seconds))[1])
    edge, socket = (statistics.median(rates[name]) for name in ("edge", "direct"))
    added = statistics.median(medians["edge"]) - statistics.median(medians["direct"])
    return {"edge": edge, "direct": socket, "ratio": edge / socket, "added": added}


async def against_wrangler_dev(seconds: float) -> float:
    """Requests per second at the edge over those of `wrangler dev`, the same Worker, in turns."""
    rates: dict[str, list[float]] = {"edge": [], "peer": []}
    with tempfile.TemporaryDirectory() as name, sidecar() as running:
        folder = Path(name)
        (folder / "index.js").write_text('export default { fetch() { return new Response("1") } }')
        config = '{"name":"hello","main":"index.js","compatibility_date":"2026-11-01"}'
        (folder / "wrangler.json").write_text(config)
        async with aiohttp.ClientSession() as session:
            await running.control(session, "PUT", "/state", running.state({1: 100}))
            await running.control(session, "PUT", "/trace", {"scripts": []})
        with wrangler_dev(folder) as port:
            urls = {"edge": running.edge, "peer": f"http://127.0.0.1:{port}/"}
            for _ in range(ROUNDS):
                for who, url in urls.items():
                    rates[who].append((await load(url, 16, seconds))[0])
    return statistics.median(rates["edge"]) / statistics.median(rates["peer"])


async def weight_change() -> float:
    """Milliseconds from asking for a new split to the first answer that follows it (worst of 20)."""
    worst = 0.0
    with sidecar() as running:
        async with aiohttp.ClientSession() as session:
            await running.control(session, "PUT", "/state", running.state({1: 100, 2: 0}))
            for turn in range(20):
                wanted = {1: 100.0 * (turn % 2), 2: 100.0 * ((turn + 1) % 2)}
                target = "1" if wanted[1] else "2"
                started = time.perf_counter()
                await running.control(session, "PUT", "/routing", routing({"hello": wanted}))
                async with session.get(running.edge, headers={"host": HOST}) as reply:
                    assert await reply.text() == target
                worst = max(worst, (time.perf_counter() - started) * 1000)
    return worst


async def swaps(count: int, workers: int) -> dict[str, float]:
    """`count` new versions under 16 busy clients: what failed, what each took, how long it held requests."""
    seen: Counter[str] = Counter()
    took: list[float] = []
    held: list[float] = []
    slowest = 0.0
    stop = asyncio.Event()
    with sidecar() as running:
        async with aiohttp.ClientSession() as session:
            await running.control(session, "PUT", "/state", running.state({1: 100}, workers))

            async def client() -> None:
                nonlocal slowest
                while not stop.is_set():
                    started = time.perf_counter()
                    try:
                        async with session.get(running.edge, headers={"host": HOST}) as reply:
                            await reply.read()
                            seen["ok" if reply.status == 200 else "failed"] += 1
                    except aiohttp.ClientError:
                        seen["failed"] += 1
                    slowest = max(slowest, time.perf_counter() - started)

            clients = [asyncio.create_task(client()) for _ in range(16)]
            for number in range(2, count + 2):
                started = time.perf_counter()
                await running.control(session, "PUT", "/state", running.state({number: 100}, workers))
                took.append((time.perf_counter() - started) * 1000)
                held.append((await running.control(session, "GET", "/stats"))["last_hold_ms"])
            stop.set()
            await asyncio.gather(*clients)
    median = statistics.median
    return {**seen, "ms": median(took), "held": median(held), "slowest": slowest * 1000}


async def visible(workers: int) -> float:
    """Median ms from declaring a new version to its first answer, with `workers` Workers and no load."""
    took = []
    with sidecar() as running:
        async with aiohttp.ClientSession() as session:
            await running.control(session, "PUT", "/state", running.state({1: 100}, workers))
            for number in range(2, 9):
                started = time.perf_counter()
                await running.control(session, "PUT", "/state", running.state({number: 100}, workers))
                async with session.get(running.edge, headers={"host": HOST}) as reply:
                    assert await reply.text() == str(number)
                took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


async def split(requests: int, share: float) -> tuple[float, float]:
    """(share of version 2 in percent, p value of the chi-square test) over `requests` requests."""
    with sidecar() as running:
        async with aiohttp.ClientSession() as session:
            await running.control(session, "PUT", "/state", running.state({1: 100 - share, 2: share}))
            await running.control(session, "PUT", "/trace", {"scripts": []})
            await running.control(session, "DELETE", "/stats")
            if shutil.which("wrk"):
                while await _counted(running, session) < requests:
                    await load(running.edge, 16, 2)
            else:
                await asyncio.gather(*(_ask(running, session, requests // 16) for _ in range(16)))
            counts = await _counts(running, session)
    total = sum(counts.values())
    second = counts.get(version(2), 0)
    expected = total * share / 100
    square = (second - expected) ** 2 / expected + (second - expected) ** 2 / (total - expected)
    return 100 * second / total, math.erfc(math.sqrt(square / 2))


async def _ask(running: Sidecar, session: aiohttp.ClientSession, count: int) -> None:
    for _ in range(count):
        async with session.get(running.edge, headers={"host": HOST}) as reply:
            await reply.read()


async def _counts(running: Sidecar, session: aiohttp.ClientSession) -> dict[str, int]:
    scripts = (await running.control(session, "GET", "/stats"))["scripts"]
    return {name: entry["requests"] for name, entry in scripts.get("hello", {}).items()}


async def _counted(running: Sidecar, session: aiohttp.ClientSession) -> int:
    return sum((await _counts(running, session)).values())


async def cold_start() -> float:
    """Median ms from starting the process to the first answer of a Worker."""
    took = []
    for _ in range(3):
        with sidecar() as running:
            async with aiohttp.ClientSession() as session:
                await running.control(session, "PUT", "/state", running.state({1: 100}))
                async with session.get(running.edge, headers={"host": HOST}) as reply:
                    assert await reply.text() == "1"
            took.append((time.perf_counter() - running.started) * 1000)
    return statistics.median(took)


async def measure_all(quick: bool) -> None:
    seconds, count, requests = (1, 15, 20_000) if quick else (3, 100, 100_000)
    rows: list[tuple[str, str, str]] = []
    quiet = await throughput(seconds, [])
    heard = await throughput(seconds, "all")
    rows.append(("throughput, edge / own socket, c=16", f"{quiet['ratio']:.2f}", ">= 0.55"))
    rows.append(("  the same with every trace delivered", f"{heard['ratio']:.2f}", ""))
    rows.append(("requests per second at the edge, c=16", f"{quiet['edge']:,.0f}", ">= 5,000"))
    rows.append(("  traced / untraced", f"{heard['edge'] / quiet['edge']:.2f}", ""))
    rows.append(("edge / wrangler dev, c=16", f"{await against_wrangler_dev(seconds):.1f}", ""))
    rows.append(("added median, c=1", f"{quiet['added']:.2f} ms", "<= 0.3 ms"))
    rows.append(("weight change, worst of 20", f"{await weight_change():.1f} ms", "<= 10 ms"))
    for workers in (1, 10, 30):
        target = "<= 500 ms" if workers <= 10 else ""
        rows.append((f"new version visible, {workers} Workers", f"{await visible(workers):.0f} ms", target))
    swapped = await swaps(count, 5)
    rows.append((f"failed of {swapped['ok']:,.0f} in {count} swaps", f"{swapped.get('failed', 0):.0f}", "0"))
    rows.append(("  one swap, under load", f"{swapped['ms']:.0f} ms", ""))
    rows.append(("  of it with requests held", f"{swapped['held']:.0f} ms", ""))
    rows.append(("  slowest request of all", f"{swapped['slowest']:.0f} ms", ""))
    share, p = await split(requests, 10)
    rows.append((f"10 % split over {requests:,}+ requests", f"{share:.2f} %, p = {p:.3f}", "p > 0.001"))
    rows.append(("cold start to first answer", f"{await cold_start():.0f} ms", "<= 1,500 ms"))
    width = max(len(name) for name, _, _ in rows)
    for name, figure, target in rows:
        print(f"{name:<{width}}  {figure:>20}  {target}")


def main() -> None:
    """Print the table of the full run."""
    asyncio.run(measure_all(quick=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    asyncio.run(measure_all(parser.parse_args().quick))
