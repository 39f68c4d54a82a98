"""`[ci]` of trailboss.toml. Import it only when a project is loaded: it brings pydantic."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trailboss.config.settings import Strict


class CiSettings(Strict):
    """`[ci]`: what the generated pipeline does. Everything has a default from the rest of the files."""

    pipeline: list[str] = Field(
        default_factory=list,
        description="Environments in the order a commit goes through them: the first is deployed, each "
        "following one is promoted to.",
    )
    branch: str | None = Field(
        default=None, min_length=1, description="The branch whose commits are released; the default branch."
    )
    preview: Literal["version", "environment", "none"] = Field(
        default="version",
        description="What a pull request gets: a version of the first environment without traffic, with an "
        "address; or an environment of its own, with its own resources, that ends with it.",
    )
    expires: str | None = Field(
        default=None,
        pattern=r"\d+[hd]",
        description="When such an environment ends by itself: 24h, 3d; [ephemeral] expires.",
    )
    install: str | None = Field(
        default=None, min_length=1, description="What `pip` installs as Trailboss; this version of it."
    )
    file: str | None = Field(
        default=None, min_length=1, description="Where the pipeline is written, from the repository's root."
    )
