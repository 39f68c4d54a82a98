"""Uploads survive lost answers, expired sessions and slow validators, and refuse what cannot work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.build.projects import load, make
from tests.build.stub import Account, Recorded, Refusal, Stub, connect, serve
from trailboss.build import Existing, Uploaded, read_message, upload
from trailboss.build.artifact import Artifact, Code, Module, seal
from trailboss.build.assets import scan
from trailboss.build.multipart import parse
from trailboss.build.request import MAX_CODE
from trailboss.errors import BuildError, CloudError, Unavailable
from trailboss.values import Secret

THERE = Existing(exists=True)


def code(text: bytes = b"export default {};") -> Code:
    main = Module("index.js", "application/javascript+module", text, "main")
    return Code("modules", "index.js", (main,), "2026-11-01", ())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailboss.build.submit.READY_PAUSES", (0.0,) * 5)
    monkeypatch.setattr("trailboss.build.submit.NEW_PAUSES", (0.0, 0.0))


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Any]:
    def worker(**settings: Any) -> Any:
        config = {"name": "w", "main": "index.js", "compatibility_date": "2026-11-01", **settings}
        files = {"wrangler.json": json.dumps(config), "index.js": "export default {};"}
        return load(make(tmp_path / "p", files))

    return worker


def send(server: Stub, worker: Any, artifact: Artifact | None = None, **options: Any) -> Uploaded:
    async def run() -> Uploaded:
        async with connect(server) as cloud:
            return await upload(cloud, worker, artifact or seal(code(), None), **options)

    return asyncio.run(run())


def once(method: str, suffix: str, say: str | Refusal) -> Callable[[Recorded], str | None]:
    """A fault for the first such request only."""
    left = [say]

    def fault(request: Recorded) -> str | None:
        if request.method != method or not request.path.endswith(suffix) or not left:
            return None
        said = left.pop()
        if isinstance(said, Refusal):
            raise said
        return said

    return fault


def metadata(request: Recorded) -> dict[str, Any]:
    parts = {part.name: part for part in parse(request.body)}
    value: dict[str, Any] = json.loads(parts["metadata"].content)
    return value


@pytest.mark.parametrize(("say", "sent"), [("lose", 1), ("drop", 2)])
@pytest.mark.parametrize("exists", [True, False])
def test_lost_answer_makes_no_second_version(
    say: str, sent: int, exists: bool, project: Callable[..., Any]
) -> None:
    with serve(Account(exists=exists)) as server:
        method, suffix = ("POST", "/versions") if exists else ("PUT", "/scripts/w")
        server.faults.append(once(method, suffix, say))
        uploaded = send(server, project())
        assert len(server.sent(method, ".*" + suffix)) == sent
    assert len(server.versions) == 1
    assert uploaded.version_id == server.versions[0]["id"]
    assert server.deployments[0]["versions"] == [{"version_id": uploaded.version_id, "percentage": 100}]


def test_lost_deployment_is_not_repeated(project: Callable[..., Any]) -> None:
    with serve(Account(exists=True)) as server:
        server.faults.append(once("POST", "/deployments", "lose"))
        assert send(server, project()).deployed
    assert len(server.deployments) == 1


def test_without_a_mark_a_lost_answer_is_an_error(project: Callable[..., Any]) -> None:
    with serve(Account(exists=True)) as server:
        server.faults.append(once("POST", "/versions", "lose"))
        with pytest.raises(Unavailable):
            send(server, project(), record_digest=False)
    assert len(server.versions) == 1


def test_version_that_is_not_ready_is_waited_for(project: Callable[..., Any]) -> None:
    with serve(Account(exists=True)) as server:
        server.faults += [once("POST", "/deployments", Refusal(400, 100146)) for _ in range(3)]
        assert send(server, project()).deployed


def test_validator_that_does_not_know_a_new_resource_is_asked_again(project: Callable[..., Any]) -> None:
    with serve(Account(exists=True)) as server:
        server.faults.append(once("POST", "/versions", Refusal(400, 10021)))
        worker = project(kv_namespaces=[{"binding": "MY_KV"}])
        assert send(server, worker, resources={"MY_KV": "made"}, fresh_resources=True).deployed
        assert len(server.sent("POST", ".*/versions")) == 2


def test_validation_error_without_new_resources_is_final(project: Callable[..., Any]) -> None:
    with serve(Account(exists=True)) as server:
        server.faults.append(once("POST", "/versions", Refusal(400, 10021)))
        with pytest.raises(CloudError) as caught:
            send(server, project(kv_namespaces=[{"binding": "KV"}]), resources={"KV": "old"})
    assert caught.value.has_code(10021)
    assert not server.versions


def test_resources_are_taken_as_given_or_kept(project: Callable[..., Any]) -> None:
    listed = [{"binding": "A"}, {"binding": "B", "id": "x"}, {"binding": "C"}, {"binding": "D", "id": "y"}]
    with serve(Account(exists=True)) as server:
        send(server, project(kv_namespaces=listed), existing=THERE, resources={"A": "id-1", "B": None})
        assert metadata(server.sent("POST", ".*/versions")[0])["bindings"] == [
            {"name": "A", "type": "kv_namespace", "namespace_id": "id-1"},
            {"name": "B", "type": "inherit"},
            {"name": "C", "type": "inherit"},
            {"name": "D", "type": "kv_namespace", "namespace_id": "y"},
        ]
        assert [request.method for request in server.requests] == ["POST", "POST", "PATCH"]


def test_message_carries_the_digest_and_keeps_the_users_words(project: Callable[..., Any]) -> None:
    artifact = seal(code(), None)
    with serve(Account(exists=True)) as server:
        send(server, project(), artifact, message="ü" * 2000, tag="t" * 200, commit="abc123", mode="version")
        said = metadata(server.sent("POST", ".*/versions")[0])["annotations"]
    origin = read_message(said["workers/message"])
    assert origin.digest == artifact.digest
    assert len(said["workers/message"].encode()) <= 1000
    assert set(origin.text) == {"ü"}
    assert said["workers/tag"] == "t" * 100
    assert said["workers/commit_sha"] == "abc123"


def test_secret_ships_with_the_version_and_is_shown_nowhere(project: Callable[..., Any]) -> None:
    with serve(Account(exists=True)) as server:
        server.faults.append(once("POST", "/versions", Refusal(400, 10001)))
        with pytest.raises(CloudError) as caught:
            send(server, project(), secrets={"KEY": Secret("hush-hush")})
        assert "hush" not in str(caught.value) + repr(caught.value.__dict__)
        send(server, project(), secrets={"KEY": Secret("hush-hush")})
        row = metadata(server.sent("POST", ".*/versions")[-1])["bindings"][0]
    assert row == {"name": "KEY", "type": "secret_text", "text": "hush-hush"}


def assets_project(tmp_path: Path, count: int) -> tuple[Any, Artifact]:
    files = {f"public/{number}.txt": f"file {number}\n" for number in range(count)}
    config = {"name": "w", "compatibility_date": "2026-11-01", "assets": {"directory": "public"}}
    folder = make(tmp_path / "p", {"wrangler.json": json.dumps(config), **files})
    empty = Code("assets", None, (), "2026-11-01", ())
    return load(folder), seal(empty, scan(folder / "public", {}))


def hashes(artifact: Artifact) -> set[str]:
    assert artifact.assets is not None
    return {asset.hash for asset in artifact.assets.files.values()}


def test_expired_session_is_replaced_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    worker, artifact = assets_project(tmp_path, 9)
    with serve(Account()) as server:
        server.expires = 1

        def expire(request: Recorded) -> None:
            late = request.path == "/workers/assets/upload" and len(server.account.known) >= 4
            if late and server.expires == 1:
                server.expires = 4_000_000_000
                raise Refusal(401, 10000)

        server.faults.append(expire)
        uploaded = send(server, worker, artifact)
    assert uploaded.assets is not None
    assert len(server.sent("POST", ".*/assets-upload-session")) == 2
    assert server.account.known == hashes(artifact)


def test_refused_asset_upload_is_an_error(tmp_path: Path) -> None:
    worker, artifact = assets_project(tmp_path, 9)
    with serve(Account()) as server:
        server.faults.append(once("POST", "/assets/upload", Refusal(401, 10000)))
        with pytest.raises(CloudError):
            send(server, worker, artifact)
    assert not server.versions


def test_asset_that_changed_since_the_build_is_refused(tmp_path: Path) -> None:
    worker, artifact = assets_project(tmp_path, 1)
    (tmp_path / "p/public/0.txt").write_text("other\n")
    with serve(Account()) as server, pytest.raises(BuildError, match="changed since") as caught:
        send(server, worker, artifact)
    assert caught.value.code == "TB3307"


def test_known_assets_are_not_sent(tmp_path: Path) -> None:
    worker, artifact = assets_project(tmp_path, 3)
    with serve(Account(known=hashes(artifact))) as server:
        uploaded = send(server, worker, artifact)
    assert uploaded.assets is not None
    assert (uploaded.assets.files, uploaded.assets.known) == (0, 3)


REFUSALS: list[tuple[str, dict[str, Any], dict[str, Any], Account]] = [
    ("TB3500", {"site": {"bucket": "x"}}, {}, Account()),
    ("TB3501", {}, {"mode": "version"}, Account()),
    (
        "TB3502",
        {"migrations": [{"tag": "v1", "new_sqlite_classes": ["A"]}]},
        {"mode": "version"},
        Account(exists=True),
    ),
    ("TB3403", {"secrets": {"required": ["KEY"]}}, {}, Account()),
]


@pytest.mark.parametrize(("expected", "settings", "options", "account"), REFUSALS)
def test_what_cannot_work_is_refused_before_any_write(
    expected: str,
    settings: dict[str, Any],
    options: dict[str, Any],
    account: Account,
    project: Callable[..., Any],
) -> None:
    with serve(account) as server, pytest.raises(BuildError) as caught:
        send(server, project(**settings), **options)
    assert caught.value.code == expected
    assert caught.value.hint
    assert all(request.method == "GET" for request in server.requests)


def test_oversize_code_is_refused_with_sizes(project: Callable[..., Any]) -> None:
    with serve(Account()) as server, pytest.raises(BuildError) as caught:
        send(server, project(), seal(code(bytes(MAX_CODE + 1)), None))
    assert caught.value.code == "TB3510"
    assert "64.00 MiB  index.js" in caught.value.hint
    assert not server.requests


def test_source_maps_do_not_count(project: Callable[..., Any]) -> None:
    big = Module("index.js.map", "application/source-map", bytes(MAX_CODE + 1), "source-map")
    whole = Code("modules", "index.js", (*code().modules, big), "2026-11-01", ())
    assert seal(whole, None).size < 100
