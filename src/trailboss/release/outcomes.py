"""What a deploy is asked to do and what it answers: the options, the closed set of outcomes, the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trailboss.release.callbacks import Confirm
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.build import Options as BuildOptions
    from trailboss.cloud import Target
    from trailboss.config import Project
    from trailboss.plan.carry import Reveal
    from trailboss.release.proof import Proof
    from trailboss.release.rollout.policy import Policy
    from trailboss.release.rollout.report import RolloutReport


class Outcome(StrEnum):
    """How it ended for one Worker. There is no other way: failures before the code is live are
    exceptions."""

    DEPLOYED = "deployed"
    """The version has 100 % of the traffic, read back, and the triggers are as configured."""
    UNCHANGED = "unchanged"
    """The account already had exactly this; nothing was written."""
    TRIGGERS = "triggers"
    """The code was live already; only triggers or unversioned settings were written."""
    PARTIAL = "partial"
    """The code is live, one or more triggers are not. Running the same deploy again heals it."""
    PLANNED = "planned"
    """Dry run: everything was checked, nothing was written."""
    HANDED_OVER = "handed-over"
    """wrangler did it, because the project uses something our uploader does not know (`why` says what)."""
    UPLOADED = "uploaded"
    """`versions upload`: the version is there and takes no traffic."""
    ROLLED_BACK = "rolled-back"
    """A gate failed, or somebody aborted: the version before has all traffic again."""
    HELD = "held"
    """The rollout stands at a step; somebody has to decide, or somebody else has it."""


class TriggerState(StrEnum):
    """How it ended for one trigger."""

    UNCHANGED = "unchanged"
    UPDATED = "updated"
    PLANNED = "planned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TriggerReport:
    """One way to reach the Worker. `kind` is "workers.dev", "routes", "custom domains", "schedules",
    "queue consumer", "workflow" or "event triggers"; `targets` are its addresses (host names, patterns,
    crons, queue names); `error` says why it failed."""

    kind: str
    state: TriggerState
    targets: tuple[str, ...] = ()
    error: str | None = None
    hint: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageReport:
    """A stage that ran, how long it took (seconds), and one line on what it found."""

    name: str
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What a command line may ask of a deploy.

    `build` holds wrangler's flags for bundle and settings. `message` and `tag` are recorded on the
    version (1,000 and 100 bytes), `alias` names its preview URL. `secrets` ship inside the upload.
    `force` uploads even when nothing changed. `confirm` is asked before existing DNS records or a split
    of the traffic are overridden; None refuses. `routes`, `domains` and `schedules` replace the config's.
    `rollout` is how the new version gets its traffic (None: at once), `show` is handed its outlook, its
    pictures and lines about it. `promoted` is the lower environment whose artifacts are the only ones that
    may be released; `target_of` says where another environment lives (None: in the same account).
    `reveal` turns references in declared resources into secrets (None: what the process's environment has).
    """

    build: BuildOptions | None = None
    message: str | None = None
    tag: str | None = None
    alias: str | None = None
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    keep_vars: bool = False
    dry_run: bool = False
    force: bool = False
    confirm: Confirm | None = None
    triggers: bool = True
    routes: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None
    schedules: tuple[str, ...] | None = None
    rollout: Policy | None = None
    show: Callable[[Any], None] | None = None
    promoted: Proof | None = None
    target_of: Callable[[Project], Target] | None = None
    reveal: Reveal | None = None

    def over(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The Worker's resolved settings with the flags for triggers laid over them."""
        merged = dict(settings)
        if self.routes is not None or self.domains is not None:
            domains = [{"pattern": domain, "custom_domain": True} for domain in self.domains or ()]
            merged["routes"] = [*(self.routes or ()), *domains]
            merged.pop("route", None)
        if self.schedules is not None:
            merged["triggers"] = {**(merged.get("triggers") or {}), "crons": list(self.schedules)}
        return merged


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What happened to one Worker.

    `version_id` and `version_number` are what is live (or was uploaded); `previous_version_id` what was
    live before; `digest` the artifact's; `shape` which of Cloudflare's two upload requests was made
    ("script" or "version"), None without an upload; `urls` where it answers; `size` and `gzip_size` are
    bytes of the upload's modules."""

    worker: str
    outcome: Outcome
    digest: str | None = None
    version_id: str | None = None
    version_number: int | None = None
    previous_version_id: str | None = None
    first: bool = False
    shape: str | None = None
    startup_time_ms: int | None = None
    size: int = 0
    gzip_size: int = 0
    bindings: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    provisioned: tuple[str, ...] = ()
    triggers: tuple[TriggerReport, ...] = ()
    urls: tuple[str, ...] = ()
    preview_url: str | None = None
    alias_url: str | None = None
    warnings: tuple[str, ...] = ()
    why: str = ""
    stages: tuple[StageReport, ...] = ()

    @property
    def ok(self) -> bool:
        return self.outcome not in (Outcome.PARTIAL, Outcome.ROLLED_BACK, Outcome.HELD)


@dataclass(frozen=True, slots=True)
class ResourceReport:
    """A resource that trailboss.toml declares: created, updated, replaced or adopted before the upload."""

    action: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class DeployReport:
    """One report per Worker, in the order they were deployed (a Worker comes after those it calls);
    `rollout` says how the traffic was given to them, None when at once; `resources` what was done to
    resources first, or in a dry run would be."""

    dry_run: bool
    workers: tuple[WorkerReport, ...]
    seconds: float = 0.0
    rollout: RolloutReport | None = None
    resources: tuple[ResourceReport, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the command may exit with 0."""
        return all(worker.ok for worker in self.workers)

    @property
    def exit_status(self) -> int:
        """What a command ends with: 4 rolled back, 5 taken over, 1 held or partial."""
        back = any(worker.outcome is Outcome.ROLLED_BACK for worker in self.workers)
        return (self.rollout.exit_status if self.rollout else 0) or (4 if back else 0 if self.ok else 1)
