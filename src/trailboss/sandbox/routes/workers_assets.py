"""Static assets: the upload session, the buckets, single files.

Faithful: what the Worker has is not asked for again; 202 while files are missing, 201 with the completion
token. https://developers.cloudflare.com/workers/static-assets/direct-upload/
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.guard import bearer
from trailboss.sandbox.refusals import bad_request, missing_credentials
from trailboss.sandbox.routes import API, Router
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers.assets import (
    asset_key,
    begin_session,
    find_session,
    missing_hashes,
    sign,
    verify,
)
from trailboss.sandbox.workers.upload import store_blob


async def create_session(call: Call) -> Any:
    """POST /workers/scripts/{n}/assets-upload-session {manifest}; the Worker need not exist yet."""
    manifest = (await call.object()).get("manifest")
    if not isinstance(manifest, dict):
        raise bad_request("The body must be {manifest: {path: {hash, size}}}.", 10021)
    return begin_session(call, call["script_name"], manifest)


async def upload_files(call: Call) -> Any:
    """POST /workers/assets/upload?base64=true: a multipart form, one part per file, named by its hash."""
    session = _session(call)
    encoded = call.flag("base64")
    for part in await call.form():
        data = part.data
        if encoded:
            try:
                data = base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                raise bad_request(f"Asset {part.name} is not base64.", 10021) from None
        _keep(call, session, part.name, data, part.content_type)
    return _progress(call, session)


async def upload_file(call: Call) -> Any:
    """POST /workers/assets/upload/{hash}: one file, raw."""
    session = _session(call)
    _keep(call, session, call["hash"], await call.body(), call.headers.get("content-type", ""))
    return _progress(call, session)


def _session(call: Call) -> Record:
    token = bearer(call.headers)
    if not token:
        raise missing_credentials()
    return find_session(call.box, str(verify(call.box, token, "upload")["session"]))


def _keep(call: Call, session: Record, name: str, data: bytes, content_type: str) -> None:
    digest = hashlib.sha256(data).hexdigest()
    store_blob(call.box.folder.blobs, digest, data)
    kind = "" if content_type == "application/null" else content_type
    script = session["script"]
    record = {"sha256": digest, "size": len(data), "content_type": kind}
    call.store.put("asset", asset_key(script, name), record, parent=script)


def _progress(call: Call, session: Record) -> Reply:
    if missing_hashes(call.box, session):
        return Reply({}, status=202)
    return Reply({"jwt": sign(call.box, {"purpose": "complete", "session": session["id"]})}, status=201)


router = Router("workers_assets")
router.add(
    "POST",
    "A/workers/scripts/{script_name}/assets-upload-session",
    create_session,
    sdk="workers.scripts.assets.upload.create",
    request="workers.scripts.assets.UploadCreateParams",
    reply="workers.scripts.assets.UploadCreateResponse",
)
router.add(
    "POST",
    f"{API}/accounts/{{account_id}}/workers/assets/upload",
    upload_files,
    sdk="workers.assets.upload.create",
    unchecked="the SDK sends the API token instead of the session's",
    open=True,
)
router.add(
    "POST",
    f"{API}/accounts/{{account_id}}/workers/assets/upload/{{hash}}",
    upload_file,
    open=True,
)
