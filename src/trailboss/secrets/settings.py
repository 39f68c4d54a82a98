"""`[secrets]` of trailboss.toml. Import it only when a project is loaded: it brings pydantic."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trailboss.config.settings import Strict

BackendName = Literal["auto", "op", "service-account", "connect", "environment"]


class SecretsSettings(Strict):
    """Where secrets come from. Tokens are never written here: they are variables of the process."""

    backend: BackendName = Field(
        default="auto",
        description='How op:// references are resolved; "environment" never asks 1Password itself.',
    )
    account: str | None = Field(
        default=None, description="The 1Password account for `op`, when there are several.", min_length=1
    )
    vault: str | None = Field(
        default=None, description="The vault that `op init` writes into new references.", min_length=1
    )
    connect_host: str | None = Field(
        default=None, description="The Connect server, instead of OP_CONNECT_HOST.", min_length=1
    )
    timeout: float = Field(default=120.0, gt=0, le=3600, description="Seconds to wait for 1Password.")
    file: str | None = Field(
        default=None,
        description="Secrets that ship with every version (dotenv or JSON), relative to this file; "
        "{environment} is the environment's name. `op init` writes `.env.{environment}`.",
        min_length=1,
    )
    required: list[str] = Field(
        default_factory=list,
        description="Secrets that every Worker needs, beside `secrets.required` of its own configuration.",
    )
    fingerprints: bool = Field(
        default=True, description="Keep fingerprints of secrets with each version, for `secret status`."
    )
    fingerprint_key: str | None = Field(
        default=None,
        description="A key for fingerprints, as a reference: without it nobody can guess values from them.",
        min_length=1,
    )
