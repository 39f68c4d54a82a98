"""Artifact -> Cloudflare: exactly the request wrangler would make, in the same one of its two ways."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from trailboss.build import assets_upload
from trailboss.build.artifact import Artifact
from trailboss.build.existing import Existing, look_up
from trailboss.build.metadata import annotations as notes
from trailboss.build.metadata import lifecycle
from trailboss.build.metadata.compose import Wiring, compose
from trailboss.build.options import Options
from trailboss.build.provision import Provisioned, provision
from trailboss.build.request import check_size, facts, form, strategy, wanted_bindings
from trailboss.build.shape import Shape, choose
from trailboss.build.subject import Subject, WorkerLike
from trailboss.build.submit import Submission
from trailboss.build.support import needs_wrangler
from trailboss.errors import BuildError
from trailboss.values import Location, Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Mode = Literal["deploy", "version"]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an upload made.

    `shape` says which way it went, `deployed` whether the version has all traffic now. `startup_time_ms` is
    Cloudflare's measurement; `made` are the bindings whose resource was made; `assets` counts files.
    """

    script: str
    version_id: str
    shape: Shape
    deployed: bool
    digest: str
    was_new: bool = False
    deployment_id: str | None = None
    startup_time_ms: int | None = None
    etag: str | None = None
    has_preview: bool | None = None
    assets: assets_upload.Sent | None = None
    made: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    exports_reconciliation: Mapping[str, Any] | None = None


async def upload(
    cloud: Cloud,
    worker: WorkerLike,
    artifact: Artifact,
    *,
    mode: Mode = "deploy",
    options: Options | None = None,
    message: str | None = None,
    tag: str | None = None,
    alias: str | None = None,
    commit: str | None = None,
    secrets: Mapping[str, Secret] | None = None,
    keep_vars: bool | None = None,
    existing: Existing | None = None,
    resources: Mapping[str, str] | None = None,
    record_digest: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Uploaded:
    """Upload `artifact` as a version of `worker`; `mode="deploy"` gives it all traffic as well.

    `commit` is the git SHA, kept as `workers/commit_sha`. `existing` saves the look-up of the Worker,
    `resources` (binding name -> id) the provisioning of bindings without an id. With `record_digest` the
    message ends in the artifact's digest (see `metadata.annotations`). An upload whose answer was lost is
    looked for before it is repeated, so it never makes two versions.

    Raises:
        BuildError: TB3500 wrangler must do it, TB3501 a version of a Worker that does not exist, TB3502 a
        version
            with pending migrations, TB3503 no name, TB3510 too large, TB3401-TB3403 bindings, TB3307-TB3309
            assets.
        CloudError: what Cloudflare answered.
    """
    options = options or Options()
    subject = Subject.of(worker, options)
    _refuse(subject, artifact, needs_wrangler(worker, options))
    if existing is None:
        progress(f"looking up {subject.name}")
        existing = await look_up(cloud, subject.name)
    job = _Job(cloud, subject, artifact, existing, mode, progress)
    job.migrations = _migrations(subject, existing, mode)
    job.message = message if message is not None else options.message
    nonce = notes.draw() if record_digest else None
    job.nonce = nonce
    said = notes.compose(
        message=notes.write_message(job.message, artifact.digest, nonce) if nonce else job.message,
        tag=tag if tag is not None else options.tag,
        alias=(alias if alias is not None else options.preview_alias) if mode == "version" else None,
        commit=commit,
    )
    job.annotations = said if said or mode == "version" else None
    job.keep_vars = bool(subject.settings.get("keep_vars")) if keep_vars is None else keep_vars
    return await job.run(secrets or {}, resources or {})


def _refuse(subject: Subject, artifact: Artifact, reason: str | None) -> None:
    where = Location(subject.config)
    if not subject.name:
        raise BuildError(
            "TB3503", "the Worker has no name", where=where, hint='Set "name", or give --name <name>.'
        )
    if reason is not None:
        raise BuildError(
            "TB3500",
            f"{subject.name} must be uploaded by wrangler: {reason}",
            where=where,
            hint="`trailboss deploy` hands it to wrangler by itself.",
        )
    check_size(artifact)


def _migrations(subject: Subject, existing: Existing, mode: Mode) -> dict[str, Any] | None:
    """The pending Durable Object steps; declared exports replace them."""
    where = Location(subject.config)
    if mode == "version" and not existing.exists:
        raise BuildError(
            "TB3501",
            f"there is no Worker {subject.name} to upload a version of",
            where=where,
            hint="Run `trailboss deploy` once; a Worker's first upload deploys it.",
        )
    if lifecycle.has_durable_object_exports(subject.settings):
        return None
    steps = subject.settings.get("migrations") or ()
    pending = lifecycle.pending_migrations(steps, existing.migration_tag)
    if pending is not None and mode == "version":
        raise BuildError(
            "TB3502",
            f"the migration {pending['new_tag']} cannot go with a version that takes no traffic",
            where=where,
            hint="Run `trailboss deploy`, which applies it at once and cannot be split.",
        )
    return pending


@dataclass(slots=True)
class _Job:
    """The facts of one upload on its way through the calls."""

    cloud: Cloud
    subject: Subject
    artifact: Artifact
    existing: Existing
    mode: Mode
    progress: Callable[[str], None]
    migrations: dict[str, Any] | None = None
    annotations: dict[str, str] | None = None
    message: str | None = None
    nonce: str | None = None
    keep_vars: bool = False
    warnings: list[str] = field(default_factory=list)

    async def run(self, secrets: Mapping[str, Secret], resources: Mapping[str, str]) -> Uploaded:
        bindings = wanted_bindings(self.subject, secrets, exists=self.existing.exists)
        sent = await self._send_assets()
        provided = Provisioned(bindings)
        if self.artifact.format != "assets":
            provided = await provision(
                self.cloud,
                self.subject.name,
                bindings,
                self.existing,
                resources=resources,
                progress=self.progress,
            )
        if provided.unchecked:
            names = ", ".join(provided.unchecked)
            self.warnings.append(f"the token may not look up the resources of {names}; sent as they are")
        shape = choose(
            facts(
                self.subject,
                self.artifact,
                exists=self.existing.exists,
                migrations=self.migrations is not None,
            )
        )
        shape = "version" if self.mode == "version" else shape
        body = form(self._metadata(shape, provided, sent), self.artifact)
        submission = Submission(
            self.cloud, self.base, nonce=self.nonce, fresh_resources=bool(provided.made or resources)
        )
        self.progress(f"uploading {self.subject.name}")
        headers = lifecycle.headers(self.subject.settings)
        if shape == "script":
            return await self._script(submission, body, headers, sent, provided)
        return await self._version(submission, body, headers, sent, provided)

    @property
    def base(self) -> str:
        """The script's path."""
        from trailboss.cloud import segment

        return f"{self.cloud.account}/workers/scripts/{segment(self.subject.name)}"

    async def _send_assets(self) -> assets_upload.Sent | None:
        if self.artifact.assets is None:
            return None
        return await assets_upload.send(self.cloud, self.base, self.artifact.assets, self.progress)

    def _metadata(
        self, shape: Shape, provided: Provisioned, sent: assets_upload.Sent | None
    ) -> dict[str, Any]:
        wiring = Wiring(
            provided.bindings,
            deploys=self.mode == "deploy",
            keep_vars=self.keep_vars,
            migrations=self.migrations,
            exports=lifecycle.exports(self.subject.settings),
            code_update_strategy=strategy(self.subject) if shape == "script" else None,
            annotations=self.annotations,
            assets_jwt=sent.token if sent else None,
        )
        return compose(self.subject.settings, self.artifact, wiring)

    async def _script(
        self,
        submission: Submission,
        body: Any,
        headers: Mapping[str, str],
        sent: assets_upload.Sent | None,
        provided: Provisioned,
    ) -> Uploaded:
        answer = await submission.script(body, headers)
        await self._tag(submission)
        return self._uploaded(
            "script",
            hyphenated(answer.get("deployment_id")),
            sent,
            provided,
            deployed=True,
            startup_time_ms=answer.get("startup_time_ms"),
            etag=answer.get("etag"),
            exports_reconciliation=answer.get("exports_reconciliation"),
        )

    async def _version(
        self,
        submission: Submission,
        body: Any,
        headers: Mapping[str, str],
        sent: assets_upload.Sent | None,
        provided: Provisioned,
    ) -> Uploaded:
        answer = await submission.version(body, headers)
        deployment: Mapping[str, Any] = {}
        if self.mode == "deploy":
            self.progress(f"deploying {self.subject.name}")
            deployment = await submission.deploy(answer["id"], self.message, strategy(self.subject))
            await self._settle(submission)
        else:
            await self._tag(submission)
        return self._uploaded(
            "version",
            answer["id"],
            sent,
            provided,
            deployed=self.mode == "deploy",
            deployment_id=(deployment or {}).get("id"),
            startup_time_ms=answer.get("startup_time_ms"),
            etag=((answer.get("resources") or {}).get("script") or {}).get("etag"),
            has_preview=(answer.get("metadata") or {}).get("has_preview"),
        )

    def _uploaded(
        self,
        shape: Shape,
        version_id: str,
        sent: assets_upload.Sent | None,
        provided: Provisioned,
        **more: Any,
    ) -> Uploaded:
        return Uploaded(
            script=self.subject.name,
            version_id=version_id,
            shape=shape,
            digest=self.artifact.digest,
            was_new=not self.existing.exists,
            assets=sent,
            made=provided.made,
            warnings=tuple(self.warnings),
            **more,
        )

    async def _settle(self, submission: Submission) -> None:
        """The settings that belong to no version; leaving one out of the configuration switches it off."""
        settings = self.subject.settings
        body = {
            **{key: settings[key] for key in ("tail_consumers", "logpush") if settings.get(key) is not None},
            "observability": settings.get("observability") or {"enabled": False},
            "tags": self._tags(),
        }
        if not await submission.settings(body):
            self.warnings.append("the new code is live, but tail consumers, logs or tags could not be set")

    async def _tag(self, submission: Submission) -> None:
        tags = self._tags()
        if tags != list(self.existing.tags) and not await submission.settings({"tags": tags}):
            self.warnings.append("the service and environment tags could not be set")

    def _tags(self) -> list[str]:
        """The script's tags with those that group the environments of one Worker."""
        kept = [tag for tag in self.existing.tags if not tag.startswith(("cf:service=", "cf:environment="))]
        if not (self.subject.environments and self.subject.top_level_name):
            return kept
        kept.append(f"cf:service={self.subject.top_level_name}")
        if self.subject.wrangler_environment:
            kept.append(f"cf:environment={self.subject.wrangler_environment}")
        return kept


def hyphenated(identifier: str | None) -> str:
    """A version id as Cloudflare writes it elsewhere; the script upload answers it without hyphens."""
    if identifier and len(identifier) == 32:
        return str(uuid.UUID(identifier))
    return identifier or ""
