"""The bindings we resolve against those real wrangler uploads (`deploy --dry-run --outfile`)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from trailboss.config import Project, Worker
from trailboss.toolchain import ensure

CONFIG = """
name = "conform"
main = "index.mjs"
compatibility_date = "2026-01-01"
vars = { TEXT = "top", JSON = { a = [1, 2.5, { b = true }] }, NUMBER = 3 }
kv_namespaces = [{ binding = "KV", id = "11111111111111111111111111111111" }, { binding = "AUTO" }]
r2_buckets = [{ binding = "R2", bucket_name = "files", jurisdiction = "eu" }]
d1_databases = [{ binding = "DB", database_name = "db", database_id = "00000000-0000-0000-0000-00000000001" }]
services = [{ binding = "SELF", service = "conform" }, { binding = "RPC", service = "rpc", entrypoint = "A" }]
analytics_engine_datasets = [{ binding = "AE", dataset = "events" }]
vectorize = [{ binding = "INDEX", index_name = "docs" }]
hyperdrive = [{ binding = "PG", id = "5e2c29e1f2a34b0f8f3e0b1d7e9a4c55" }]
ai = { binding = "AI" }
browser = { binding = "BROWSER" }
version_metadata = { binding = "META" }
send_email = [{ name = "MAIL" }]
ratelimits = [{ name = "LIMIT", namespace_id = "1001", simple = { limit = 5, period = 60 } }]
workflows = [{ binding = "FLOW", name = "flow", class_name = "Flow" }]
durable_objects.bindings = [{ name = "ROOM", class_name = "Room" }]
migrations = [{ tag = "v1", new_sqlite_classes = ["Room"] }]

[queues]
producers = [{ binding = "JOBS", queue = "jobs", delivery_delay = 5 }]

[env.staging]
vars = { TEXT = "staging" }
kv_namespaces = [{ binding = "KV", id = "22222222222222222222222222222222" }]
durable_objects.bindings = [{ name = "ROOM", class_name = "Room" }]
"""
MODULE = """
import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";
export class Room extends DurableObject {}
export class Flow extends WorkflowEntrypoint {}
export default { fetch() { return new Response("ok"); } };
"""
# Our key, Cloudflare's type, and the fields that carry over: ours -> theirs.
KINDS: list[tuple[str, str, dict[str, str]]] = [
    ("kv_namespaces", "kv_namespace", {"id": "namespace_id"}),
    ("r2_buckets", "r2_bucket", {"bucket_name": "bucket_name", "jurisdiction": "jurisdiction"}),
    ("d1_databases", "d1", {"database_id": "id"}),
    ("services", "service", {"service": "service", "entrypoint": "entrypoint"}),
    ("analytics_engine_datasets", "analytics_engine", {"dataset": "dataset"}),
    ("vectorize", "vectorize", {"index_name": "index_name"}),
    ("hyperdrive", "hyperdrive", {"id": "id"}),
    ("send_email", "send_email", {}),
    ("ratelimits", "ratelimit", {"namespace_id": "namespace_id"}),
    ("workflows", "workflow", {"name": "workflow_name", "class_name": "class_name"}),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("worker")
    (root / "wrangler.toml").write_text(CONFIG)
    (root / "index.mjs").write_text(MODULE)
    return root


@pytest.fixture(scope="module", params=[None, "staging"])
def pair(request: pytest.FixtureRequest, folder: Path) -> tuple[Worker, dict[str, Any]]:
    """Our Worker, and the metadata of wrangler's dry run."""
    tools = ensure()
    out = folder / f"{request.param}.multipart"
    words = [
        "deploy",
        "--dry-run",
        "--outfile",
        str(out),
        *(["--env", request.param] if request.param else []),
    ]
    bundle = tools.root / "node_modules" / "wrangler" / "bin" / "wrangler.js"
    subprocess.run(
        [str(tools.node), str(bundle), *words],
        cwd=folder,
        check=True,
        capture_output=True,
        env={
            "PATH": str(tools.node.parent),
            "HOME": str(folder),
            "WRANGLER_SEND_METRICS": "false",
            "CI": "1",
        },
    )
    text = out.read_bytes()
    start = text.index(b"\r\n\r\n") + 4
    metadata = json.loads(text[start : text.index(b"\r\n--", start)])
    return Project.load(folder, environment=request.param, environ={}).worker(), metadata


def ours(worker: Worker) -> list[dict[str, Any]]:
    """The bindings of the resolved config in Cloudflare's words; without an id they are to be inherited."""
    found: list[dict[str, Any]] = []
    for key, kind, names in KINDS:
        for entry in worker.raw.get(key, []):
            name = entry.get("binding") or entry["name"]
            fields = {theirs: entry[mine] for mine, theirs in names.items() if mine in entry}
            needs_id = kind in ("kv_namespace", "d1") and not fields
            found.append(
                {"name": name, "type": "inherit"} if needs_id else {"name": name, "type": kind, **fields}
            )
    for producer in worker.config.queues.producers:
        queue = {"type": "queue", "queue_name": producer.queue, "delivery_delay": producer.delivery_delay}
        found.append({"name": producer.binding, **queue})
    for room in worker.config.durable_objects.bindings:
        found.append({"name": room.name, "type": "durable_object_namespace", "class_name": room.class_name})
    for key in ("ai", "browser", "version_metadata"):
        if worker.raw.get(key):
            found.append({"name": worker.raw[key]["binding"], "type": key})
    for name, value in worker.config.vars.items():
        plain = (
            {"type": "plain_text", "text": value}
            if isinstance(value, str)
            else {"type": "json", "json": value}
        )
        found.append({"name": name, **plain})
    return sorted(found, key=lambda binding: binding["name"])


def test_bindings_are_wranglers(pair: tuple[Worker, dict[str, Any]]) -> None:
    worker, metadata = pair
    theirs = sorted(metadata["bindings"], key=lambda binding: binding["name"])
    for binding in theirs:
        binding.pop("simple", None)
    assert ours(worker) == theirs
    assert metadata["compatibility_date"] == worker.config.compatibility_date
