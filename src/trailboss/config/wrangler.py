"""`WranglerConfig`: every key wrangler 4.164 knows, typed, after the environment was resolved.

Import it only when a config is loaded: it brings pydantic.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from trailboss.config import bindings as b
from trailboss.config.bindings import Shape


class Route(Shape):
    """A route or a custom domain; a plain text in the file becomes `Route(pattern=…)`."""

    pattern: str
    zone_id: str | None = None
    zone_name: str | None = None
    custom_domain: bool | None = None
    enabled: bool | None = None
    previews_enabled: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"pattern": value} if isinstance(value, str) else value


class RenamedClass(Shape):
    """A class under a new name."""

    from_: str = Field(alias="from")
    to: str


class TransferredClass(RenamedClass):
    """A class taken over from another Worker."""

    from_script: str


class Migration(Shape):
    """One step of the Durable Object classes' history; `tag` names it."""

    tag: str
    new_classes: list[str] | None = None
    new_sqlite_classes: list[str] | None = None
    renamed_classes: list[RenamedClass] | None = None
    transferred_classes: list[TransferredClass] | None = None
    deleted_classes: list[str] | None = None


class Triggers(Shape):
    """`crons` None means: leave the schedules as they are; an empty list removes them."""

    crons: list[str] | None = None
    events: list[dict[str, Any]] | None = None


class Limits(Shape):
    """CPU milliseconds and subrequests per invocation."""

    cpu_ms: int | float | None = None
    subrequests: int | float | None = None


class Rule(Shape):
    """Which files are modules of which type."""

    type: str
    globs: list[str]
    fallthrough: bool | None = None


class Build(Shape):
    """The command run before bundling."""

    command: str | None = None
    cwd: str | None = None
    watch_dir: str | list[str] | None = None


class Placement(Shape):
    """Smart (`mode`, `hint`) or targeted (one of `region`, `host`, `hostname`)."""

    mode: str | None = None
    hint: str | None = None
    region: str | None = None
    host: str | None = None
    hostname: str | None = None


class Assets(Shape):
    """Static assets."""

    directory: str | None = None
    binding: str | None = None
    html_handling: (
        Literal["auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"] | None
    ) = None
    not_found_handling: Literal["single-page-application", "404-page", "none"] | None = None
    base_path: str | None = None
    run_worker_first: bool | list[str] | None = None


class ObservabilityPart(Shape):
    """Logs or traces; sampling rates from 0 to 1."""

    enabled: bool | None = None
    head_sampling_rate: int | float | None = None
    invocation_logs: bool | None = None
    persist: bool | None = None
    destinations: list[str] | None = None


class Observability(Shape):
    """Logs and traces kept by Cloudflare."""

    enabled: bool | None = None
    head_sampling_rate: int | float | None = None
    redact_query_string: bool | None = None
    issues: dict[str, Any] | None = None
    logs: ObservabilityPart | None = None
    traces: ObservabilityPart | None = None


class CacheOptions(Shape):
    """The cache in front of the Worker."""

    enabled: bool
    cross_version_cache: bool | None = None


class PythonModules(Shape):
    """Which Python files stay out."""

    exclude: list[str] = ["**/*.pyc"]


class SecretNames(Shape):
    """Secrets that must exist."""

    required: list[str] | None = None


class Container(Shape):
    """A container behind a Durable Object class; other keys are in `model_extra`."""

    name: str | None = None
    class_name: str | None = None
    image: str | None = None
    max_instances: int | None = None
    scheduling_policy: str | None = None
    instance_type: str | dict[str, Any] | None = None


class Site(Shape):
    """Workers Sites, the predecessor of assets."""

    bucket: str
    entry_point: str | None = Field(default=None, alias="entry-point")
    include: list[str] = []
    exclude: list[str] = []


class WranglerConfig(Shape):
    """A Worker's whole configuration in one environment.

    Field names are wrangler's keys (`schema_` is `$schema`); absent lists are empty, other absent keys
    None; keys nobody knows are in `model_extra`. Paths are as written: `Worker.directory` is what they are
    relative to.
    """

    schema_: str | None = Field(default=None, alias="$schema")
    # What the Worker is.
    name: str | None = None
    main: str | None = None
    account_id: str | None = None
    compatibility_date: str | None = None
    compatibility_flags: list[str] = []
    compliance_region: Literal["public", "fedramp_high"] | None = None
    # How it is built.
    base_dir: str | None = None
    build: Build = Field(default_factory=Build)
    rules: list[Rule] = []
    no_bundle: bool | None = None
    minify: bool | None = None
    keep_names: bool | None = None
    find_additional_modules: bool | None = None
    preserve_file_names: bool | None = None
    upload_source_maps: bool | None = None
    jsx_factory: str | None = None
    jsx_fragment: str | None = None
    tsconfig: str | None = None
    python_modules: PythonModules = Field(default_factory=PythonModules)
    define: dict[str, str] = {}
    alias: dict[str, str] = {}
    wasm_modules: dict[str, str] = {}
    text_blobs: dict[str, str] = {}
    data_blobs: dict[str, str] = {}
    site: Site | None = None
    assets: Assets | None = None
    pages_build_output_dir: str | None = None
    # How it is reached.
    workers_dev: bool | None = None
    preview_urls: bool | None = None
    route: Route | None = None
    routes: list[Route] | None = None
    triggers: Triggers = Field(default_factory=Triggers)
    addresses: list[str] | None = None
    connect: list[b.ConnectHandler] = []
    # How it runs.
    limits: Limits | None = None
    placement: Placement | None = None
    observability: Observability | None = None
    logpush: bool | None = None
    cache: CacheOptions | None = None
    access: dict[str, Any] | None = None
    first_party_worker: bool | None = None
    keep_vars: bool | None = None
    migrations: list[Migration] = []
    exports: dict[str, Any] = {}
    previews: dict[str, Any] | None = None
    dev: dict[str, Any] = {}
    send_metrics: bool | None = None
    dependencies_instrumentation: dict[str, Any] | None = None
    # What it is bound to.
    vars: dict[str, Any] = {}
    secrets: SecretNames | None = None
    durable_objects: b.DurableObjects = Field(default_factory=b.DurableObjects)
    kv_namespaces: list[b.KVNamespace] = []
    d1_databases: list[b.D1Database] = []
    r2_buckets: list[b.R2Bucket] = []
    queues: b.Queues = Field(default_factory=b.Queues)
    vectorize: list[b.VectorizeIndex] = []
    hyperdrive: list[b.Hyperdrive] = []
    services: list[b.Service] = []
    workflows: list[b.Workflow] = []
    analytics_engine_datasets: list[b.AnalyticsEngineDataset] = []
    dispatch_namespaces: list[b.DispatchNamespace] = []
    mtls_certificates: list[b.MTLSCertificate] = []
    secrets_store_secrets: list[b.SecretsStoreSecret] = []
    ratelimits: list[b.RateLimit] = []
    send_email: list[b.SendEmail] = []
    pipelines: list[b.Pipeline] = []
    k2: list[b.K2Stream] = []
    ai_search_namespaces: list[b.AISearchNamespace] = []
    ai_search: list[b.AISearch] = []
    agent_memory: list[b.AgentMemory] = []
    artifacts: list[b.Artifacts] = []
    flagship: list[b.Flagship] = []
    vpc_services: list[b.VPCService] = []
    vpc_networks: list[b.VPCNetwork] = []
    worker_loaders: list[b.Binding] = []
    unsafe_hello_world: list[b.HelloWorld] = []
    ai: b.AI | None = None
    browser: b.Binding | None = None
    analytics: b.Binding | None = None
    images: b.Binding | None = None
    media: b.Binding | None = None
    stream: b.Binding | None = None
    version_metadata: b.Binding | None = None
    logfwdr: b.Logfwdr = Field(default_factory=b.Logfwdr)
    unsafe: b.Unsafe = Field(default_factory=b.Unsafe)
    tail_consumers: list[b.TailConsumer] | None = None
    streaming_tail_consumers: list[b.TailConsumer] | None = None
    containers: list[Container] | None = None
    cloudchamber: dict[str, Any] = {}
