"""A built Worker: an immutable value with a digest, and its form on disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.errors import BuildError

if TYPE_CHECKING:
    from trailboss.build.assets import Assets

SCHEMA = 1
"""The version of the on-disk form; another version is rebuilt, never guessed at."""

ROLES = ("main", "module", "blob", "source-map")


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the upload.

    `part` is the form field, the same as `name` except for a blob of the service-worker format, whose `role`
    is "blob" and which a binding of that field name carries.
    """

    name: str
    content_type: str
    data: bytes = field(repr=False)
    role: str = "module"
    part: str = ""

    @property
    def sha256(self) -> str:
        """The hash of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def field(self) -> str:
        """The name of the form field this travels in."""
        return self.part or self.name


@dataclass(frozen=True, slots=True)
class Code:
    """What the bundler made, before assets: this is what the build cache keeps.

    `format` is "modules", "service-worker" or "assets" (no code at all). `compatibility_*` are what the
    bundle was made for. `package_dependencies` is what wrangler reports of package.json.
    """

    format: str
    main: str | None
    modules: tuple[Module, ...]
    compatibility_date: str | None
    compatibility_flags: tuple[str, ...]
    package_dependencies: tuple[Mapping[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    bundler: str = ""

    def as_json(self) -> dict[str, Any]:
        """Everything but the bytes."""
        return {
            "schema": SCHEMA,
            "format": self.format,
            "main": self.main,
            "modules": [
                {
                    "name": module.name,
                    "type": module.content_type,
                    "role": module.role,
                    "part": module.part,
                    "size": len(module.data),
                    "sha256": module.sha256,
                }
                for module in self.modules
            ],
            "compatibility_date": self.compatibility_date,
            "compatibility_flags": list(self.compatibility_flags),
            "package_dependencies": [dict(entry) for entry in self.package_dependencies],
            "warnings": list(self.warnings),
            "bundler": self.bundler,
        }

    @classmethod
    def read(cls, folder: Path) -> Code:
        """Load what `write_code` left, checking every byte.

        Raises:
            BuildError: TB3202 when anything is missing, damaged or of another schema.
        """
        try:
            value = json.loads((folder / "manifest.json").read_bytes())
            if value["schema"] != SCHEMA:
                raise ValueError(f"schema {value['schema']}")
            modules = tuple(_read_module(folder, entry) for entry in value["modules"])
            return cls(
                format=value["format"],
                main=value["main"],
                modules=modules,
                compatibility_date=value["compatibility_date"],
                compatibility_flags=tuple(value["compatibility_flags"]),
                package_dependencies=tuple(value["package_dependencies"]),
                warnings=tuple(value["warnings"]),
                bundler=value["bundler"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BuildError(
                "TB3202", f"the artifact in {folder} is damaged: {error}", hint="Build it again."
            ) from error


def _read_module(folder: Path, entry: Mapping[str, Any]) -> Module:
    data = (folder / "modules" / entry["sha256"]).read_bytes()
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise ValueError(f"module {entry['name']} is not what was written")
    return Module(entry["name"], entry["type"], data, entry["role"], entry["part"])


def write_folder(folder: Path, value: Mapping[str, Any], modules: tuple[Module, ...]) -> None:
    """Put manifest.json and modules/ at `folder` whole, by one rename; an existing folder is replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        (staging / "modules").mkdir()
        for module in modules:
            (staging / "modules" / module.sha256).write_bytes(module.data)
        (staging / "manifest.json").write_text(json.dumps(value, indent=1, ensure_ascii=False), "utf-8")
        staging.chmod(0o755)
        _swap(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _swap(staging: Path, folder: Path) -> None:
    try:
        staging.rename(folder)
    except OSError:
        # A folder that is not empty cannot be renamed over: put it aside first, then drop it.
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
        folder.rename(aside / "old")
        staging.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Artifact:
    """An immutable built Worker. The same code, assets and runtime settings have the same `digest` in every
    environment and on every machine; names, bindings, variables and secrets are no part of it."""

    code: Code
    assets: Assets | None
    digest: str
    cached: bool = False

    @property
    def format(self) -> str:
        """ "modules", "service-worker" or "assets"."""
        return self.code.format

    @property
    def main(self) -> str | None:
        """The name of the entry module; None for an assets-only Worker."""
        return self.code.main

    @property
    def modules(self) -> tuple[Module, ...]:
        """Every uploaded file: entry, modules, blobs, source maps, in upload order."""
        return self.code.modules

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the bundler warned of."""
        return self.code.warnings

    @property
    def size(self) -> int:
        """Bytes of code without source maps: what Cloudflare's size limit counts."""
        return sum(len(module.data) for module in self.modules if module.role != "source-map")

    def as_json(self) -> dict[str, Any]:
        """The manifest: digest, modules with hashes, assets without bytes."""
        return {
            **self.code.as_json(),
            "digest": self.digest,
            "assets": self.assets.as_json() if self.assets else None,
        }

    def write(self, folder: Path) -> None:
        """Save to `folder`: manifest.json, modules/<sha256>, assets/<path>; `Artifact.read` has it all back.

        Raises:
            BuildError: TB3203 when the folder cannot be written.
        """
        try:
            write_folder(folder, self.as_json(), self.modules)
            if self.assets is not None:
                self.assets.copy_to(folder / "assets")
        except OSError as error:
            raise BuildError(
                "TB3203",
                f"the artifact could not be written to {folder}: {error.strerror or error}",
                hint="Choose a folder you may write, with room in it.",
            ) from error

    @classmethod
    def read(cls, folder: Path) -> Artifact:
        """Load what `write` saved.

        Raises:
            BuildError: TB3202 when it is damaged.
        """
        from trailboss.build.assets import Assets

        code = Code.read(folder)
        value = json.loads((folder / "manifest.json").read_bytes())
        assets = Assets.from_json(value["assets"], folder / "assets") if value.get("assets") else None
        artifact = seal(code, assets)
        if artifact.digest != value.get("digest"):
            raise BuildError(
                "TB3202", f"the artifact in {folder} does not match its digest", hint="Build it again."
            )
        return artifact


def seal(code: Code, assets: Assets | None, *, cached: bool = False) -> Artifact:
    """Compute the digest and close the artifact."""
    identity = {
        "format": code.format,
        "main": code.main,
        "modules": [[m.name, m.content_type, m.role, m.sha256] for m in code.modules],
        "compatibility_date": code.compatibility_date,
        "compatibility_flags": list(code.compatibility_flags),
        "assets": assets.identity() if assets else None,
    }
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return Artifact(code, assets, digest, cached)


def code_identity(code: Code) -> str:
    """A name for the folder that holds this code: equal content, equal name."""
    text = json.dumps(code.as_json(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[: 2 * 20]


def touch(path: Path) -> None:
    """Mark as used just now, where that is allowed."""
    try:
        os.utime(path)
    except OSError:
        return
