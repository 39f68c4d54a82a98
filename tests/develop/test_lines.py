"""wrangler's lines, as it prints them, become what a person wants to read."""

from __future__ import annotations

from trailboss.develop.lines import Entry, Reader, Ready, Reloaded, Said

OUTPUT = """
 ⛅️ wrangler 4.164.0
────────────────────
Using secrets defined in .wrangler/trailboss/dev/.dev.vars
Your Worker has access to the following bindings:
Binding                                                      Resource                     Mode
env.CACHE                                                    KV Namespace                 local
env.KNOWLEDGE (agency-knowledge-base-development)            Vectorize Index              not supported

[wrangler:warn] Unable to fetch the `Request.cf` object! Falling back to a default placeholder...
Error: getaddrinfo ENOTFOUND workers.cloudflare.com
    at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26)
\x1b[33m▲ \x1b[43;33m[\x1b[43;30mWARNING\x1b[43;33m]\x1b[0m \x1b[1mVectorize is not local.\x1b[0m

⎔ Starting local server...
[wrangler:info] Ready on https://localhost:8911
[wrangler:info] GET / 200 OK (15ms)
hello from the Worker
✘ [ERROR] Build failed with 1 error:
▲ [WARNING] Vectorize is not local.
⎔ Reloading local server...
⎔ Local server updated and ready
"""


def read(text: str) -> list[Said]:
    ticks = iter(range(100))
    reader = Reader("worker", clock=lambda: float(next(ticks)))
    return [said for line in text.split("\n") for said in reader.read(line)]


def test_noise_goes_and_news_stays() -> None:
    assert read(OUTPUT) == [
        Entry("worker", "Vectorize is not local.", "warn"),
        Ready("https://localhost:8911", 1.0),
        Entry("worker", "GET / 200 OK (15ms)"),
        Entry("worker", "hello from the Worker"),
        Entry("worker", "Build failed with 1 error:", "error"),
        Reloaded(1.0),
    ]


def test_what_the_worker_prints_is_left_as_it_is() -> None:
    line = "\x1b[31mred\x1b[0m  two  spaces"
    assert read(f"  {line}") == [Entry("worker", f"  {line}")]
    assert read("Error: mine\n    at fetch (index.js:1)") == [
        Entry("worker", "Error: mine"),
        Entry("worker", "    at fetch (index.js:1)"),
    ]


def test_what_the_runtime_says_of_itself_is_for_the_curious() -> None:
    lines = "e = rust/worker/ffi.rs:104: failed\nstack: /opt/bin/workerd@3d4d979 /opt/bin/workerd@2b5edc0"
    assert [said.level for said in read(lines) if isinstance(said, Entry)] == ["debug", "debug"]
