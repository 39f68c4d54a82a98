"""`[performance]` of trailboss.toml. Import it only when a project is loaded: it brings pydantic."""

from __future__ import annotations

from pydantic import Field

from trailboss.config.settings import Strict


class PerformanceSettings(Strict):
    """`[performance]`: what is asked, how often, and what counts as worse."""

    paths: list[str] = Field(default=["/"], min_length=1, description="Asked for in turn.")
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with each request.")
    url: str | None = Field(
        default=None, min_length=1, description="Where; the Worker's own address by default."
    )
    rate: float = Field(default=20.0, gt=0, le=10_000, description="Requests per second.")
    locustfile: str | None = Field(
        default=None, min_length=1, description="Users of locust instead of `paths`, relative to this file."
    )
    users: int = Field(default=10, ge=1, description="How many of them.")
    round: float = Field(default=3.0, gt=0, description="Seconds of one round.")
    rounds: int = Field(default=10, ge=5, le=30, description="Rounds of a measurement, after one to warm up.")
    timeout: float = Field(default=10.0, gt=0, description="Seconds after which an answer is a failure.")
    margin: float = Field(
        default=1.25, ge=1.0, description="So many times slower is put up with; worse is a regression."
    )
    failures: float = Field(
        default=0.01, ge=0.0, lt=1.0, description="So many more failures, as a share, are put up with."
    )
    alpha: float = Field(
        default=0.01, gt=0.0, lt=0.5, description="How often a regression may be claimed where there is none."
    )
    baseline: str = Field(
        default="performance/{environment}.json",
        min_length=1,
        description="The file the baseline is kept in, relative to trailboss.toml.",
    )
