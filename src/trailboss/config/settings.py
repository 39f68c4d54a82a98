"""`Settings`: everything trailboss.toml can say. Import it only when a project is loaded: it brings pydantic.

The tables of later rooms are open here; a room types its own with `Project.section(name, Model)`.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Open = dict[str, Any]


def table(about: str) -> Any:
    """An open table, described for the JSON Schema."""
    return Field(default_factory=dict, description=about)


class Strict(BaseModel):
    """A table in which an unknown key is an error."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, protected_namespaces=(), defer_build=True
    )


class WorkerEntry(Strict):
    """One Worker of the project."""

    path: str = Field(
        description="The Worker's folder, or its wrangler config file, relative to trailboss.toml.",
        min_length=1,
    )


class Sections(Strict):
    """The tables that an environment may repeat; its values are merged over the top level's."""

    workers: dict[str, WorkerEntry] = Field(
        default_factory=dict,
        description="The project's Workers by name; without it, the config beside this file.",
    )
    target: Open = table("Where it is deployed: the sandbox or a Cloudflare account.")
    resources: Open = table("Account resources by kind and key.")
    secrets: Open = table("Where secrets come from.")
    build: Open = table("How Workers are built.")
    hooks: Open = table("Programs to run around a release.")
    release: Open = table("How a release walks to 100 %: steps, probes, what to do on failure.")
    gates: Open = table("Questions asked of evidence about a new version.")
    probes: Open = table("Synthetic requests sent to a new version.")
    dev: Open = table("The development server.")
    test: Open = table("End-to-end tests.")
    performance: Open = table("Performance tests and their limits.")
    ephemeral: Open = table("Short-lived environments: what previews copy, their expiry and their data.")
    tunnels: Open = table("Cloudflare Tunnels by name.")
    ssh: Open = table("SSH access through tunnels.")
    databases: Open = table("TCP databases reached through tunnels.")
    zones: Open = table("Zones by alias.")
    domains: Open = table("Custom domains by hostname.")
    certificates: Open = table("Certificates by name.")
    security: Open = table("Zone security settings.")
    rate_limits: Open = table("Rate limiting rules by name.")
    rulesets: Open = table("WAF rulesets by name.")
    origin_pools: Open = table("Load balancer pools by name.")
    load_balancers: Open = table("Load balancers by name.")
    edge: Open = table("Placement, caching and routing.")
    tail: Open = table("Log filters and sinks.")
    alerts: Open = table("Alerts by name.")
    slos: Open = table("Service level objectives by name.")
    notifications: Open = table("Where alerts go.")
    analytics: Open = table("Analytics datasets by name.")
    backups: Open = table("What is backed up, when, and for how long it is kept.")
    budgets: Open = table("Limits on cost.")
    ai: Open = table("Models and fine-tunes.")
    workflows: Open = table("Workflows and their schedules.")
    mtls: Open = table("Client certificates.")
    audit: Open = table("Compliance reports.")
    bridges: Open = table("Connections to other clouds by name.")
    flags: Open = table("Feature flags by name.")
    beta: Open = table("Compatibility flags that are opted into.")
    ci: Open = table("Generated pipelines.")
    export: Open = table("Terraform export.")
    onepassword: Open = table("1Password accounts and vaults.")
    dashboard: Open = table("The web page.")
    sandbox: Open = table("The emulated account: seeds and faults.")


class EnvironmentSettings(Sections):
    """`[environments.<name>]`: what the environment itself is, and any table of the top level."""

    protected: bool = Field(default=False, description="Risky changes are refused unless forced.")
    branches: list[str] = Field(
        default_factory=list, description="Git branches (or patterns) that choose it."
    )
    inherit_bindings: bool | None = Field(default=None, description="Overrides the top level's value.")
    seed: Open = table("Data its new databases, namespaces and buckets begin with; else [ephemeral.seed].")


class Settings(Sections):
    """trailboss.toml, merged for one environment."""

    name: str | None = Field(
        default=None, description="The project's name; default: its first Worker's.", min_length=1
    )
    inherit_bindings: bool = Field(
        default=True,
        description="Every environment inherits bindings of the top level, with its own resources.",
    )
    environments: dict[str, EnvironmentSettings] = Field(
        default_factory=dict, description="Environments by name."
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of trailboss.toml, as published in schema/trailboss.schema.json."""
    schema = Settings.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "trailboss.toml"
    return schema


def schema_text() -> str:
    """The text of schema/trailboss.schema.json."""
    import json

    return json.dumps(json_schema(), indent=2) + "\n"
