"""Life stories of KV, D1, R2 and Hyperdrive."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.sandbox.walk.walker import Walk

ORIGIN: Any = {
    "scheme": "postgres",
    "host": "db.example.com",
    "port": 5432,
    "database": "d",
    "user": "u",
    "password": "p",
}


def kv(walk: Walk) -> None:
    spaces, here = walk.sdk.kv.namespaces, walk.here
    space = spaces.create(title="cache", **here).id
    assert [item.id for item in spaces.list(**here)] == [space]
    spaces.update(space, title="renamed", **here)
    assert spaces.get(space, **here).title == "renamed"
    at = {"namespace_id": space, **here}
    spaces.values.update("a/b", value=b"one", metadata='{"n": 1}', **at)
    assert spaces.values.get("a/b", **at).read() == b"one"
    assert spaces.metadata.get("a/b", **at) == {"n": 1}
    more = [{"key": key, "value": base64.b64encode(b"v").decode(), "base64": True} for key in "xyz"]
    spaces.bulk_update(space, body=more, **here)  # type: ignore[arg-type]
    assert spaces.bulk_get(space, keys=["x"], **here) is not None
    assert [key.name for key in spaces.keys.list(space, **here)] == ["a/b", "x", "y", "z"]
    spaces.bulk_delete(space, body=["x"], **here)
    walk.plain("DELETE", f"storage/kv/namespaces/{space}/bulk", json=["y"])
    spaces.values.delete("z", **at)
    assert [key.name for key in spaces.keys.list(space, **here)] == ["a/b"]
    spaces.delete(space, **here)


def d1(walk: Walk) -> None:
    base, here = walk.sdk.d1.database, walk.here
    made = base.create(name="app", **here).uuid
    assert made is not None
    list(base.query(made, sql="create table t (a text)", **here))
    list(base.raw(made, sql="insert into t values ('x')", **here))
    bookmark = base.time_travel.get_bookmark(made, **here).bookmark
    assert bookmark is not None
    list(base.query(made, sql="delete from t", **here))
    base.time_travel.restore(made, bookmark=bookmark, **here)
    base.edit(made, read_replication={"mode": "auto"}, **here)
    base.update(made, read_replication={"mode": "disabled"}, **here)
    assert base.get(made, **here).num_tables == 1
    assert [item.uuid for item in base.list(**here)] == [made]
    _transfer(walk, f"d1/database/{made}")
    base.delete(made, **here)


def _transfer(walk: Walk, path: str) -> None:
    body: dict[str, Any] = {"output_format": "polling"}
    first = walk.plain("POST", f"{path}/export", json=body)
    done = walk.plain("POST", f"{path}/export", json={**body, "current_bookmark": first["at_bookmark"]})
    assert "INSERT INTO" in walk.raw("GET", done["result"]["signed_url"]).text
    script = b"insert into t values ('y');"
    etag = hashlib.md5(script).hexdigest()
    begun = walk.plain("POST", f"{path}/import", json={"action": "init", "etag": etag})
    walk.raw("PUT", begun["upload_url"], content=script)
    ingest = {"action": "ingest", "etag": etag, "filename": begun["filename"]}
    walk.plain("POST", f"{path}/import", json=ingest)


def r2(walk: Walk) -> None:
    buckets, here = walk.sdk.r2.buckets, walk.here
    buckets.create(name="files", **here)
    assert [item.name for item in buckets.list(**here).buckets or []] == ["files"]
    buckets.edit("files", storage_class="InfrequentAccess", **here)
    assert buckets.get("files", **here).storage_class == "InfrequentAccess"
    at = {"bucket_name": "files", **here}
    buckets.objects.upload("a.txt", body=b"hello", **at)
    assert buckets.objects.get("a.txt", **at).read() == b"hello"
    _s3(walk)
    assert [item.key for item in buckets.objects.list("files", **here)] == ["a.txt"]
    buckets.objects.delete("a.txt", **at)
    assert buckets.metrics.list(**here) is not None
    _r2_settings(walk)
    _r2_domains(walk, at)
    _r2_events(walk, at)
    buckets.delete("files", **here)


def _r2_settings(walk: Walk) -> None:
    buckets, here = walk.sdk.r2.buckets, walk.here
    rule: Any = {"id": "old", "enabled": True, "conditions": {"prefix": "tmp/"}}
    buckets.lifecycle.update("files", rules=[rule], **here)
    assert [item.id for item in buckets.lifecycle.get("files", **here).rules or []] == ["old"]
    allowed: Any = {"methods": ["GET"], "origins": ["https://example.com"]}
    buckets.cors.update("files", rules=[{"allowed": allowed}], **here)
    assert buckets.cors.get("files", **here).rules
    buckets.cors.delete("files", **here)
    lock: Any = {"id": "keep", "enabled": True, "condition": {"type": "Age", "maxAgeSeconds": 60}}
    buckets.locks.update("files", rules=[lock], **here)
    assert buckets.locks.get("files", **here).rules
    buckets.locks.update("files", rules=[], **here)
    source: Any = {"cloud_provider": "gcs", "bucket": "b", "client_email": "e", "private_key": "k"}
    target: Any = {"cloud_provider": "r2", "access_key_id": "a", "secret_access_key": "s"}
    buckets.sippy.update("files", source=source, destination=target, **here)
    assert buckets.sippy.get("files", **here) is not None
    buckets.sippy.delete("files", **here)
    walk.plain("PUT", "r2/buckets/files/local-uploads", json={"enabled": True})
    assert walk.plain("GET", "r2/buckets/files/local-uploads")["enabled"] is True
    minted = walk.sdk.r2.temporary_credentials.create(
        bucket="files",
        parent_access_key_id=walk.box.connection.s3["access_key_id"],
        permission="object-read-only",
        ttl_seconds=900,
        **here,
    )
    assert minted.session_token


def _r2_domains(walk: Walk, at: dict[str, Any]) -> None:
    domains, here = walk.sdk.r2.buckets.domains, walk.here
    name = "files.example.com"
    domains.custom.create("files", domain=name, enabled=True, zone_id=walk.zone_id, min_tls="1.2", **here)
    domains.custom.update(name, enabled=False, min_tls="1.3", **at)
    assert domains.custom.get(name, **at).min_tls == "1.3"
    assert [item.domain for item in domains.custom.list("files", **here).domains] == [name]
    domains.custom.delete(name, **at)
    assert domains.managed.update("files", enabled=True, **here).enabled
    assert domains.managed.list("files", **here).enabled


def _r2_events(walk: Walk, at: dict[str, Any]) -> None:
    events, here = walk.sdk.r2.buckets.event_notifications, walk.here
    queue = walk.sdk.queues.create(queue_name="uploads", **here).queue_id
    assert queue is not None
    events.update(queue, rules=[{"actions": ["PutObject"]}], **at)
    assert events.get(queue, **at).rules
    assert events.list("files", **here).queues
    events.delete(queue, **at)
    walk.sdk.queues.delete(queue, **here)


def _s3(walk: Walk) -> None:
    keys = walk.box.connection.s3
    root = walk.box.connection.api_url.removesuffix("/client/v4") + "/_s3"
    for path in ("", "/files", "/files/a.txt"):
        request = AWSRequest(method="GET", url=root + path)
        S3SigV4Auth(Credentials(keys["access_key_id"], keys["secret_access_key"]), "s3", "auto").add_auth(
            request
        )
        walk.raw("GET", root + path, headers=dict(request.headers))


def hyperdrive(walk: Walk) -> None:
    configs, here = walk.sdk.hyperdrive.configs, walk.here
    made = configs.create(name="db", origin=ORIGIN, **here).id
    configs.edit(made, caching={"disabled": True}, **here)
    configs.update(made, name="db2", origin=ORIGIN, **here)
    assert configs.get(made, **here).name == "db2"
    assert [item.id for item in configs.list(**here)] == [made]
    configs.restart(made, **here)
    configs.delete(made, **here)


STORIES = (kv, d1, r2, hyperdrive)
