"""Wrangler and we upload the same projects to the same account: every request is equal, field by field."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.build import scenes
from tests.build.corpus import Case
from tests.build.scenes import SCENES, Scene
from tests.build.stub import Recorded, Stub, connect, serve
from trailboss.build import upload
from trailboss.build.artifact import Artifact, seal
from trailboss.build.assets import scan
from trailboss.build.builder import no_code
from trailboss.build.bundle import collect
from trailboss.build.making import code_of
from trailboss.build.multipart import parse
from trailboss.build.normalise import portable
from trailboss.build.subject import Subject
from trailboss.build.wrangler import Wrangler
from trailboss.plan import provision

# The first run starts wrangler for every project: one test process does it, with time to spare.
pytestmark = [pytest.mark.xdist_group("build-corpus"), pytest.mark.timeout(600)]

# The calls that change something. Triggers and consumers are the release's business.
WRITES = [
    ("POST", r"/workers/scripts/[^/]+/assets-upload-session"),
    ("POST", r"/workers/assets/upload(/.*)?"),
    ("POST", r"/storage/kv/namespaces|/d1/database|/r2/buckets|/queues"),
    ("PUT", r"/workers/scripts/[^/]+"),
    ("POST", r"/workers/scripts/[^/]+/versions"),
    ("POST", r"/workers/scripts/[^/]+/deployments"),
    ("PATCH", r"/workers/scripts/[^/]+/script-settings"),
]


@pytest.fixture(scope="session")
def recorded(kept: Path, wrangler: Wrangler) -> dict[str, list[Recorded]]:
    return scenes.recordings(kept / "requests", wrangler)


def artifact_of(case: Case, wrangler: Wrangler) -> Artifact:
    """The artifact, from the dry run that is kept for this project."""
    subject = Subject.of(case.worker, case.options)
    directory = subject.assets_directory
    assets = scan(directory, subject.settings["assets"]) if directory else None
    if subject.is_assets_only:
        return seal(no_code(subject), assets)
    return seal(code_of(collect(subject, wrangler, case.folder.parent), wrangler), assets)


def ours(scene: Scene, case: Case, artifact: Artifact) -> Stub:
    """Upload with our uploader; the server with what it was sent."""

    async def run(server: Stub) -> None:
        async with connect(server) as cloud:
            mode: Any = "version" if scene.is_version else "deploy"
            subject = Subject.of(case.worker, case.options)
            provided = await provision(cloud, subject.name, subject.settings, deployed_bindings=None)
            uploaded = await upload(
                cloud,
                case.worker,
                artifact,
                mode=mode,
                options=case.options,
                resources=provided.resources,
                record_digest=False,
            )
            assert uploaded.version_id == server.versions[0]["id"]

    with serve(copy.deepcopy(scene.account)) as server:
        asyncio.run(run(server))
    return server


def writes(requests: list[Recorded], wrangler: Wrangler, base: Path) -> list[dict[str, Any]]:
    """The requests that change something, as values that can be compared; buckets in a fixed order."""
    rows = [_row(request, wrangler, base) for request in requests if _is_write(request)]
    assets = sorted(
        (row for row in rows if "/assets/upload" in row["path"]), key=lambda row: str(row["body"])
    )
    rest = [row for row in rows if "/assets/upload" not in row["path"]]
    made = sorted(
        (row for row in rest if row["method"] == "POST" and "/workers/" not in row["path"]), key=str
    )
    return assets + made + [row for row in rest if row not in made]


def _is_write(request: Recorded) -> bool:
    return any(request.method == m and re.fullmatch(p, request.path) for m, p in WRITES)


def _row(request: Recorded, wrangler: Wrangler, base: Path) -> dict[str, Any]:
    api_date = request.headers.get("cloudflare-workers-script-api-date")
    by_session = request.headers.get("authorization") != "Bearer token"
    kind = request.headers.get("content-type", "")
    body: Any = request.body
    if kind.startswith("multipart/form-data"):
        parts = portable(parse(request.body), wrangler, base)
        body = [
            json.loads(part.content)
            if part.name == "metadata"
            else (part.name, part.filename, part.content_type, part.content)
            for part in parts
        ]
    elif body and "/assets/upload/" not in request.path:
        body = json.loads(body)
    elif "/assets/upload/" in request.path:
        body = (kind, body)
    return {
        "method": request.method,
        "path": request.path,
        "query": sorted(request.query),
        "api_date": api_date,
        "by_session": by_session,
        "body": body,
    }


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_our_requests_are_wranglers(
    scene: Scene, recorded: dict[str, list[Recorded]], kept: Path, cases: dict[str, Case], wrangler: Wrangler
) -> None:
    case = cases[scene.name]
    artifact = artifact_of(case, wrangler)
    server = ours(scene, case, artifact)
    there = scenes.project(kept / "requests", wrangler, scene)

    mine = writes(server.requests, wrangler, case.folder)
    theirs = writes(recorded[str(scene)], wrangler, there.folder)

    assert [(row["method"], row["path"]) for row in mine] == [(row["method"], row["path"]) for row in theirs]
    for left, right in zip(mine, theirs, strict=True):
        assert left == right
