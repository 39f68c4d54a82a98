"""`[release]`, `[gates.<name>]`, `[probes.<name>]` and `[notifications.<name>]` of trailboss.toml. Imported
only where one of them is read: it brings pydantic."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, model_validator

from trailboss.release.rollout.spans import seconds


def _span(value: str | float) -> str | float:
    seconds(value)
    return value


Span = Annotated[str | float, AfterValidator(_span)]
Told = Literal["burning", "tried", "rolled-back", "not-the-release", "cannot", "abandoned"]
Name = Literal["at-once", "canary", "blue-green", "edge-first"]


class Table(BaseModel):
    """A table in which an unknown key is an error."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class StepTable(Table):
    """A step with a bake time of its own."""

    share: float = Field(description="Percent of the traffic.", gt=0, le=100)
    bake: Span | None = None
    deadline: Span | None = None


class ReleaseTable(Table):
    """How a release walks to 100 %."""

    strategy: Name | None = None
    steps: list[float | StepTable] = Field(default_factory=list)
    bake: Span | None = Field(default=None, description="Least time in each step.")
    deadline: Span | None = Field(default=None, description="Most time in a step; undecided then: held.")
    gates: list[str] | None = Field(default=None, description="Which gates; default: all there are.")
    evidence: Literal["tail", "analytics-engine", "none"] = "tail"
    dataset: str | None = Field(default=None, description="The Analytics Engine dataset with the counts.")
    undecided: Literal["hold", "rollback"] = "hold"
    after: list[str] | None = Field(default=None, description="Environments that prove a digest first.")
    sticky: bool = Field(default=False, description="Users keep a version: keys are the unit.")
    phi: float | None = Field(default=None, ge=1, description="Dispersion measured in an A/A run.")
    margin: float = Field(default=1.25, ge=1)
    theta_max: float = Field(default=0.01, gt=0, lt=1)
    ceiling: float = Field(default=0.05, gt=0, lt=1)
    alpha: float = Field(default=0.01, gt=0, le=0.1)
    beta: float = Field(default=0.05, gt=0, le=0.2)
    window: Span = 10.0
    settle: Span = 5.0
    lag: Span = 2.0
    checkpoint: Span = 300.0
    regions: str | None = None
    traffic: float | None = Field(default=None, gt=0, description="Requests per second, where unknown.")
    failing: float | None = Field(default=None, ge=0, lt=1)


class GateTable(Table):
    """One gate. Which of the keys it needs depends on its kind."""

    kind: Literal[
        "errors",
        "exceptions",
        "wall",
        "cpu",
        "ceiling",
        "probe",
        "command",
        "webhook",
        "tunnel",
        "load-balancer",
    ]
    probe: str | None = None
    run: str | None = None
    url: str | None = None
    tunnel: str | None = None
    pool: str | None = None
    margin: float | None = Field(default=None, ge=1)
    limit: float | None = Field(default=None, gt=0, lt=1)
    every: Span = 30.0
    timeout: Span = 30.0
    fails: int | None = Field(default=None, ge=1)


class GatesTable(RootModel[dict[str, GateTable]]):
    """Gates by name."""


class ProbeTable(Table):
    """One synthetic request."""

    path: str = Field(default="/", pattern=r"^/")
    method: str = "GET"
    headers: dict[str, str] = Field(default_factory=dict)
    body: str | None = None
    status: int | list[int] | None = None
    contains: str | None = None
    latency: Span | None = None
    count: int = Field(default=1, ge=1, le=1000)
    every: Span = 30.0
    timeout: Span = 10.0
    url: str | None = Field(default=None, pattern=r"^https?://")
    worker: str | None = None


class NotificationTable(Table):
    """Somebody who is told what a guard sees: by a webhook (`url`) or a program (`run`)."""

    url: str | None = None
    run: str | None = None
    alarms: list[Told] | None = Field(default=None, description="What is told; default: all but `tried`.")

    @model_validator(mode="after")
    def _one_way(self) -> NotificationTable:
        if (self.url is None) == (self.run is None):
            raise ValueError("a notification has either url or run")
        return self


class NotificationsTable(RootModel[dict[str, NotificationTable]]):
    """Who is told, by name."""


class ProbesTable(RootModel[dict[str, ProbeTable]]):
    """Probes by name."""
