"""The body of an upload, put together from an artifact and an environment's wiring."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from trailboss.build.artifact import Artifact, Module
from trailboss.build.metadata import annotations as notes
from trailboss.build.metadata import bindings as table
from trailboss.build.metadata import lifecycle
from trailboss.build.metadata.bindings import Bindings
from trailboss.build.metadata.compose import Wiring, compose
from trailboss.build.options import Options
from trailboss.build.shape import Facts, choose
from trailboss.build.subject import Subject, WorkerLike
from trailboss.cloud.multipart import Multipart, Part
from trailboss.errors import BuildError
from trailboss.values import Location, Secret

MAX_CODE = 64 * 1024 * 1024
"""Bytes of code Cloudflare takes, uncompressed and without source maps (cloudflare-api-core section 8.3)."""


def check_size(artifact: Artifact) -> None:
    """Refuse code that Cloudflare would refuse.

    Raises:
        BuildError: TB3510 with the largest modules.
    """
    if artifact.size <= MAX_CODE:
        return
    code = [module for module in artifact.modules if module.role != "source-map"]
    largest = sorted(code, key=lambda module: len(module.data), reverse=True)[:5]
    sizes = "\n".join(f"  {len(module.data) / 1048576:7.2f} MiB  {module.name}" for module in largest)
    raise BuildError(
        "TB3510",
        f"the code has {artifact.size / 1048576:.2f} MiB; Cloudflare takes {MAX_CODE // 1048576} MiB",
        hint=f"Remove dependencies, or move data to KV, R2 or static assets. The largest modules:\n{sizes}",
    )


def wanted_bindings(subject: Subject, secrets: Mapping[str, Secret], *, exists: bool) -> Bindings:
    """All bindings the configuration, the flags and the secrets ask for.

    Raises:
        BuildError: TB3401 an unusable entry, TB3403 a new Worker lacks a secret it says it requires.
    """
    bindings = table.collect(subject.settings, subject.config)
    for name, value in subject.options.var.items():
        bindings[name] = ("plain_text", {"value": value})
    for name, secret in secrets.items():
        bindings[name] = ("secret_text", {"value": secret})
    required = (subject.settings.get("secrets") or {}).get("required") or ()
    absent = [name for name in required if name not in bindings]
    if absent and not exists:
        raise BuildError(
            "TB3403",
            f"{subject.name} is new and requires secrets that were not given: {', '.join(absent)}",
            where=Location(subject.config),
            hint="Give them with the upload; they cannot be put before the Worker exists.",
        )
    return bindings | {name: ("inherit", {}) for name in absent}


def form(metadata: Mapping[str, Any], artifact: Artifact) -> Multipart:
    """The form: blobs, metadata, then modules and source maps, each named as wrangler names it."""
    text = json.dumps(_shown(metadata), separators=(",", ":"), ensure_ascii=False)
    blobs = [_part(module) for module in artifact.modules if module.role == "blob"]
    others = [_part(module) for module in artifact.modules if module.role != "blob"]
    return Multipart([*blobs, Part("metadata", Secret(text)), *others])


def preview(worker: WorkerLike, artifact: Artifact, options: Options | None = None) -> Multipart:
    """The form of a dry run: no API is asked, so what only Cloudflare knows is left out.

    As with wrangler's dry run, resources without an id are inherited, and migrations and assets are missing.
    """
    subject = Subject.of(worker, options)
    check_size(artifact)
    bindings = table.with_resources(wanted_bindings(subject, {}, exists=True), {})
    shape = choose(facts(subject, artifact, exists=True, migrations=False))
    said = notes.compose(message=subject.options.message, tag=subject.options.tag)
    wiring = Wiring(
        bindings,
        keep_vars=bool(subject.settings.get("keep_vars")),
        exports=lifecycle.exports(subject.settings),
        code_update_strategy=strategy(subject) if shape == "script" else None,
        annotations=said or None,
    )
    return form(compose(subject.settings, artifact, wiring), artifact)


def facts(subject: Subject, artifact: Artifact, *, exists: bool, migrations: bool) -> Facts:
    """What decides the way of the upload."""
    return Facts(
        exists=exists,
        modules=artifact.format != "service-worker",
        migrations=migrations,
        durable_object_exports=lifecycle.has_durable_object_exports(subject.settings),
    )


def strategy(subject: Subject) -> dict[str, Any]:
    """How running Durable Objects take up this code."""
    return lifecycle.update_strategy(subject.settings, subject.options.durable_objects_code_update_mode)


def _part(module: Module) -> Part:
    return Part(module.field, module.data, module.name, module.content_type)


def _shown(value: Any) -> Any:
    """`value` with its secrets in the clear: the only place in this room where they are."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return value
