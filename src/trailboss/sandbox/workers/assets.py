"""Static assets: upload sessions, each Worker's asset blobs, and the folders versions serve from.

What a Worker has is known by the hash the client gives it; bytes are kept once. Tokens are signed with the
account's secret and look like Cloudflare's: a JWT whose payload has `exp`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
from pathlib import Path
from typing import Any

from trailboss.sandbox.box import Box
from trailboss.sandbox.call import Call
from trailboss.sandbox.refusals import ApiError
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers.model import latest_version
from trailboss.sandbox.workers.upload import blob_path

LIFETIME = 3600
BUCKET_FILES = 50
FILE_LIMIT = 25 * 2**20


def bad_token() -> ApiError:
    """A token that is not ours, or too old."""
    return ApiError(403, 10403, "The asset upload token is invalid or has expired.")


def sign(box: Box, payload: dict[str, Any]) -> str:
    """A JWT over `payload` with an hour to live."""
    now = int(box.clock.now())
    body = {**payload, "iat": now, "exp": now + LIFETIME}
    head = _b64(b'{"alg":"HS256","typ":"JWT"}') + "." + _b64(json.dumps(body).encode())
    return f"{head}.{_b64(_signature(box, head))}"


def verify(box: Box, token: str, purpose: str) -> dict[str, Any]:
    """The payload of a token of ours.

    Raises:
        ApiError: not ours, for another purpose, or expired.
    """
    head, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_b64(_signature(box, head)), signature):
        raise bad_token()
    payload: dict[str, Any] = json.loads(_unb64(head.partition(".")[2]))
    if payload.get("purpose") != purpose or payload["exp"] < box.clock.now():
        raise bad_token()
    return payload


def _signature(box: Box, text: str) -> bytes:
    return hmac.new(box.identity.s3_secret.encode(), text.encode(), hashlib.sha256).digest()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def begin_session(call: Call, script: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """Which files of a manifest the Worker does not have yet, in buckets; with none, the token that
    completes."""
    entries: dict[str, str] = {}
    for path, entry in manifest.items():
        if not path.startswith("/") or not isinstance(entry, dict) or not entry.get("hash"):
            raise ApiError(400, 10021, f"The manifest entry {path!r} needs a hash and a size.")
        if int(entry.get("size", 0)) > FILE_LIMIT:
            raise ApiError(400, 10021, f"Asset {path} is larger than {FILE_LIMIT // 2**20} MiB.")
        entries[path] = str(entry["hash"])
    session = call.ids.hex(32)
    record = {"id": session, "script": script, "manifest": entries}
    call.store.put("asset_session", session, record, parent=script)
    missing = missing_hashes(call.box, record)
    if not missing:
        return {"jwt": sign(call.box, {"purpose": "complete", "session": session}), "buckets": []}
    buckets = [missing[at : at + BUCKET_FILES] for at in range(0, len(missing), BUCKET_FILES)]
    return {"jwt": sign(call.box, {"purpose": "upload", "session": session}), "buckets": buckets}


def missing_hashes(box: Box, session: Record) -> list[str]:
    """The hashes of a session's manifest that its Worker lacks, each once."""
    wanted = dict.fromkeys(session["manifest"].values())
    return [value for value in wanted if box.store.get("asset", asset_key(session["script"], value)) is None]


def asset_key(script: str, name: str) -> str:
    """The key of a Worker's asset by the client's hash. Cloudflare asks every Worker for its own files."""
    return f"{script}/{name}"


def find_session(box: Box, session: str) -> Record:
    """An upload session: `script`, and `manifest` path -> hash."""
    found = box.store.get("asset_session", session)
    if found is None:
        raise bad_token()
    return found


def take_assets(call: Call, script: str, metadata: dict[str, Any]) -> dict[str, Any] | None:
    """The asset set of a new version: from the completion token, or the one before with `keep_assets`."""
    assets = metadata.get("assets")
    previous = (latest_version(call.store, script) or {}).get("assets")
    if assets and assets.get("jwt"):
        payload = verify(call.box, str(assets["jwt"]), "complete")
        session = find_session(call.box, payload["session"])
        return {"set": lay_out(call.box, session), "config": assets.get("config") or {}}
    if metadata.get("keep_assets") and previous:
        return {"set": previous["set"], "config": (assets or {}).get("config") or previous["config"]}
    return None


def lay_out(box: Box, session: Record) -> str:
    """Link a session's files into a folder of their own, once per distinct set; the folder's name."""
    found = {
        path: _uploaded(box, session["script"], path, name) for path, name in session["manifest"].items()
    }
    digest = hashlib.sha256(json.dumps(sorted(found.items())).encode()).hexdigest()[:32]
    folder = box.folder.assets / digest
    if folder.exists():
        return digest
    staging = folder.with_suffix(".part")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    for path, digest_of_file in found.items():
        _place(box, staging, path, digest_of_file)
    staging.rename(folder)
    return digest


def _uploaded(box: Box, script: str, path: str, name: str) -> str:
    asset = box.store.get("asset", asset_key(script, name))
    if asset is None:
        raise ApiError(400, 10021, f"The asset {path} was not uploaded.")
    return str(asset["sha256"])


def _place(box: Box, folder: Path, path: str, digest: str) -> None:
    parts = [part for part in path.split("/") if part]
    if ".." in parts or not parts:
        raise ApiError(400, 10021, f"{path!r} cannot be the path of an asset.")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(blob_path(box.folder.blobs, digest), target)
