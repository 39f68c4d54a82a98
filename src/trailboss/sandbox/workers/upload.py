"""A multipart script upload, in wrangler's layout or the SDK's, as one value."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from trailboss.sandbox.call import Call
from trailboss.sandbox.multipart import Part
from trailboss.sandbox.workers import refusals

LIMIT = 64 * 2**20
MODULE_TYPES = {
    "application/javascript+module",
    "application/javascript",
    "application/wasm",
    "application/octet-stream",
    "text/plain",
    "text/x-python",
    "text/x-python-requirement",
    "application/source-map",
    "application/json",
    "text/javascript",
    "text/javascript+module",
}


@dataclass(slots=True)
class Module:
    """One uploaded module."""

    name: str
    content_type: str
    data: bytes
    part: str = ""

    def stored(self, blobs: Path) -> dict[str, Any]:
        """Put the bytes among the blobs; the module's record."""
        digest = hashlib.sha256(self.data).hexdigest()
        store_blob(blobs, digest, self.data)
        return {
            "name": self.name,
            "part": self.part or self.name,
            "type": self.content_type,
            "sha256": digest,
            "size": len(self.data),
        }


@dataclass(slots=True)
class Upload:
    """Metadata and modules. `main` is the entry module or the service-worker script, "" for assets only."""

    metadata: dict[str, Any]
    modules: list[Module] = field(default_factory=list)
    main: str = ""
    format: str = "assets"

    @property
    def etag(self) -> str:
        """SHA-256 over the code, names included."""
        digest = hashlib.sha256()
        for module in self.modules:
            digest.update(module.name.encode() + b"\0" + hashlib.sha256(module.data).digest())
        return digest.hexdigest()


def blob_path(blobs: Path, digest: str) -> Path:
    """Where bytes of that SHA-256 are."""
    return blobs / digest[:2] / digest


def store_blob(blobs: Path, digest: str, data: bytes) -> Path:
    """Write bytes once."""
    path = blob_path(blobs, digest)
    if path.exists():
        path.touch()  # in use from now on, whatever a sweep thought of it
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = path.with_suffix(".part")
        staging.write_bytes(data)
        staging.replace(path)
    return path


async def read_upload(call: Call) -> Upload:
    """The upload in a request.

    Raises:
        ApiError: no metadata, no main module, unknown module type, too large.
    """
    return upload_of(await call.form())


def upload_of(parts: list[Part]) -> Upload:
    """The parts of an upload's form, put together."""
    metadata = _metadata(parts, "metadata")
    modules = [_module(part) for part in parts if part.name != "metadata"]
    return assemble(metadata, modules)


def assemble(metadata: dict[str, Any], modules: list[Module]) -> Upload:
    """Metadata and modules as an upload, checked against each other."""
    size = sum(len(module.data) for module in modules)
    if size > LIMIT:
        raise refusals.too_large(size, LIMIT)
    upload = Upload(metadata, modules)
    if metadata.get("main_module"):
        upload.main, upload.format = str(metadata["main_module"]), "modules"
    elif metadata.get("body_part"):
        upload.main, upload.format = str(metadata["body_part"]), "service-worker"
    elif not metadata.get("assets") and not metadata.get("keep_assets"):
        raise refusals.bad_metadata("The metadata has neither main_module nor body_part nor assets.")
    for module in modules:
        if module.part == upload.main:
            upload.main = module.name
    if upload.main and all(module.name != upload.main for module in modules):
        raise refusals.validation_failed(f'Uncaught Error: No such module "{upload.main}".')
    return upload


def _metadata(parts: list[Part], name: str) -> dict[str, Any]:
    for part in parts:
        if part.name == name:
            try:
                value = msgspec.json.decode(part.data)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise refusals.bad_metadata(f"The {name} part is not JSON: {error}") from None
            if isinstance(value, dict):
                return value
            raise refusals.bad_metadata(f"The {name} part must be a JSON object.")
    raise refusals.bad_metadata(f"The upload has no {name} part.")


def _module(part: Part) -> Module:
    """The file name is the module's name: the SDK names every part `files`. What a service worker binds is
    known by the part's own name."""
    name = part.filename or part.name
    kind = part.content_type.split(";")[0].strip().lower() or "application/octet-stream"
    if kind not in MODULE_TYPES:
        raise refusals.bad_metadata(f"Module {name!r} has the unknown content type {kind!r}.")
    return Module(name, kind, part.data, part.name)


async def read_settings(call: Call) -> dict[str, Any]:
    """The JSON of a settings PATCH: a multipart part `settings`, or the body itself."""
    if call.is_form():
        return _metadata(await call.form(), "settings")
    return await call.object()
