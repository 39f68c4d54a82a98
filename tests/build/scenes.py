"""Uploads that real wrangler and we both make, and what the account has before each."""

from __future__ import annotations

import copy
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.build import corpus, stub
from tests.build.stub import Account, Recorded, serve
from trailboss.build.wrangler import Wrangler

THERE = Account(exists=True, tags=["mine"])
DEPLOYED = [
    {"name": "KV", "type": "kv_namespace", "namespace_id": "made-kv"},
    {"name": "DB", "type": "d1", "id": "made-db"},
    {"name": "FILES", "type": "r2_bucket", "bucket_name": "made-files"},
    {"name": "Q", "type": "queue", "queue_name": "made-q"},
]


@dataclass(frozen=True)
class Scene:
    """One project of the corpus in one situation."""

    name: str
    account: Account = field(default_factory=Account)
    command: tuple[str, ...] = ("deploy",)
    label: str = "new"

    def __str__(self) -> str:
        return f"{self.name}-{self.label}"

    @property
    def is_version(self) -> bool:
        return self.command[0] == "versions"


def there(name: str, label: str = "there", **more: object) -> Scene:
    return Scene(name, Account(exists=True, tags=["mine"], **more), label=label)  # type: ignore[arg-type]


VERSION = ("versions", "upload")
SCENES = [
    Scene("durable-objects"),
    there("durable-objects", "behind", migration_tag="v1"),
    there("durable-objects", "unknown", migration_tag="v0"),
    there("durable-objects", "current", migration_tag="v3"),
    there("durable-exports"),
    there("durable-immediate"),
    there("workflow-exports"),
    there("service-worker-blobs"),
    Scene("assets-with-worker"),
    there("assets-with-worker"),
    there("assets-run-first", "single", single_assets=True),
    Scene("assets-only"),
    there("assets-only"),
    Scene("storage-without-ids"),
    there("storage-without-ids", bindings=DEPLOYED, resources={"db": "made-db"}),
    there("storage", resources={"files": "files", "eu-files": "eu-files"}),
    there(
        "queues",
        bindings=[{"name": "Q", "type": "queue", "queue_name": "jobs"}],
        resources=dict.fromkeys(("jobs", "slow", "dead"), "there"),
    ),
    there("env-staging"),
    there("observability"),
    there("tail-consumers"),
    there("flags"),
    Scene("npm-dependency"),
    Scene("env-production", copy.deepcopy(THERE), VERSION, "version"),
    Scene("assets-with-worker", copy.deepcopy(THERE), VERSION, "version"),
    Scene("observability", copy.deepcopy(THERE), VERSION, "version"),
]


def recordings(home: Path, wrangler: Wrangler) -> dict[str, list[Recorded]]:
    """What wrangler sent in each scene; made once and kept."""
    sources = Path(__file__).read_text() + Path(stub.__file__).read_text()
    root = home / corpus.digest(wrangler.version, str(wrangler.script), sources)
    with corpus.one_at_a_time(home):
        if not (root / "complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda scene: _record(root, wrangler, scene), SCENES))
            (root / "complete").touch()
    return {
        str(scene): [Recorded.from_json(row) for row in json.loads((root / f"{scene}.json").read_text())]
        for scene in SCENES
    }


def _record(root: Path, wrangler: Wrangler, scene: Scene) -> None:
    case = corpus.copy_project(scene.name, root / str(scene) / "project")
    with serve(copy.deepcopy(scene.account)) as server:
        environ = {
            "CLOUDFLARE_API_BASE_URL": server.url,
            "CLOUDFLARE_API_TOKEN": "token",
            "CLOUDFLARE_ACCOUNT_ID": stub.ACCOUNT,
        }
        corpus.run(wrangler, case, [*scene.command, *case.arguments], environ)
        rows = [request.as_json() for request in server.requests]
    (root / f"{scene}.json").write_text(json.dumps(rows))


def project(home: Path, wrangler: Wrangler, scene: Scene) -> corpus.Case:
    """The copy of the scene's project that wrangler was run in."""
    sources = Path(__file__).read_text() + Path(stub.__file__).read_text()
    root = home / corpus.digest(wrangler.version, str(wrangler.script), sources)
    return corpus.Case(root / str(scene) / "project")
