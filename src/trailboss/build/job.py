"""One upload on its way through the calls: assets, the form, then one of the two ways."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from trailboss.build import assets_upload
from trailboss.build.artifact import Artifact
from trailboss.build.existing import Existing
from trailboss.build.metadata import lifecycle
from trailboss.build.metadata.bindings import Bindings, with_resources
from trailboss.build.metadata.compose import Wiring, compose
from trailboss.build.request import facts, form, strategy, wanted_bindings
from trailboss.build.shape import Shape, choose
from trailboss.build.subject import Subject
from trailboss.build.submit import Submission
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

Mode = Literal["deploy", "version"]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an upload made.

    `shape` says which way it went, `deployed` whether the version has all traffic now. `startup_time_ms` is
    Cloudflare's measurement; `assets` counts files.
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
    warnings: tuple[str, ...] = ()
    exports_reconciliation: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Job:
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

    async def run(
        self, secrets: Mapping[str, Secret], resources: Mapping[str, str | None], *, fresh_resources: bool
    ) -> Uploaded:
        """Make every call of the upload, in order. `fresh_resources`: some were made a moment ago."""
        bindings = wanted_bindings(self.subject, secrets, exists=self.existing.exists)
        bindings = with_resources(bindings, resources)
        sent = await self._send_assets()
        shape = choose(
            facts(
                self.subject,
                self.artifact,
                exists=self.existing.exists,
                migrations=self.migrations is not None,
            )
        )
        shape = "version" if self.mode == "version" else shape
        body = form(self._metadata(shape, bindings, sent), self.artifact)
        submission = Submission(self.cloud, self.base, nonce=self.nonce, fresh_resources=fresh_resources)
        self.progress(f"uploading {self.subject.name}")
        headers = lifecycle.headers(self.subject.settings)
        if shape == "script":
            return await self._script(submission, body, headers, sent)
        return await self._version(submission, body, headers, sent)

    @property
    def base(self) -> str:
        """The script's path."""
        from trailboss.cloud import segment

        return f"{self.cloud.account}/workers/scripts/{segment(self.subject.name)}"

    async def _send_assets(self) -> assets_upload.Sent | None:
        if self.artifact.assets is None:
            return None
        return await assets_upload.send(self.cloud, self.base, self.artifact.assets, self.progress)

    def _metadata(self, shape: Shape, bindings: Bindings, sent: assets_upload.Sent | None) -> dict[str, Any]:
        wiring = Wiring(
            bindings,
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
    ) -> Uploaded:
        answer = await submission.script(body, headers)
        await self._tag(submission)
        return self._uploaded(
            "script",
            hyphenated(answer.get("deployment_id")),
            sent,
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
        **more: Any,
    ) -> Uploaded:
        return Uploaded(
            script=self.subject.name,
            version_id=version_id,
            shape=shape,
            digest=self.artifact.digest,
            was_new=not self.existing.exists,
            assets=sent,
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
