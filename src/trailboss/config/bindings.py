"""The shapes of wrangler's bindings, one model each; names are wrangler's own, unknown keys are kept.

What names an account resource is optional everywhere, because Trailboss can provide it: only the binding's
own name is required. Source: `config-schema.json` of wrangler 4.164.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """A table of a wrangler config: types are strict, keys we do not know stay in `model_extra`."""

    model_config = ConfigDict(
        strict=True,
        extra="allow",
        frozen=True,
        populate_by_name=True,
        protected_namespaces=(),
        defer_build=True,
    )


class Binding(Shape):
    """Anything the Worker sees as `env.<binding>`; `remote` matters to `dev` only."""

    binding: str
    remote: bool | None = None


class KVNamespace(Binding):
    """A KV namespace; `preview_id` is for `dev --remote`."""

    id: str | None = None
    preview_id: str | None = None


class D1Database(Binding):
    """A D1 database and where its migrations are."""

    database_name: str | None = None
    database_id: str | None = None
    jurisdiction: str | None = None
    preview_database_id: str | None = None
    migrations_table: str | None = None
    migrations_dir: str | None = None
    migrations_pattern: str | None = None
    database_internal_env: str | None = None


class R2Bucket(Binding):
    """An R2 bucket."""

    bucket_name: str | None = None
    preview_bucket_name: str | None = None
    jurisdiction: str | None = None
    local_dev: dict[str, Any] | None = None


class QueueProducer(Binding):
    """A queue to send to; `delivery_delay` in seconds."""

    queue: str | None = None
    delivery_delay: int | None = None


class QueueConsumer(Shape):
    """`max_batch_timeout` and `retry_delay` in seconds; `max_concurrency` null means no limit."""

    queue: str
    type: str | None = None
    max_batch_size: int | None = None
    max_batch_timeout: int | None = None
    max_retries: int | None = None
    dead_letter_queue: str | None = None
    max_concurrency: int | None = None
    visibility_timeout_ms: int | None = None
    retry_delay: int | None = None


class Queues(Shape):
    """Queues sent to and consumed."""

    producers: list[QueueProducer] = []
    consumers: list[QueueConsumer] = []


class VectorizeIndex(Binding):
    """A Vectorize index."""

    index_name: str | None = None


class Hyperdrive(Binding):
    """A Hyperdrive configuration; the local connection string may hold a password."""

    id: str | None = None
    localConnectionString: str | None = Field(default=None, repr=False)


class Service(Binding):
    """Another Worker, or one of its named entrypoints."""

    service: str
    entrypoint: str | None = None
    environment: str | None = None
    props: dict[str, Any] | None = None
    cross_account_grant: str | None = None


class AnalyticsEngineDataset(Binding):
    """A dataset to write to; its default name is the binding's."""

    dataset: str | None = None


class DispatchOutbound(Shape):
    """The Worker that outgoing requests of dispatched Workers pass."""

    service: str
    environment: str | None = None
    parameters: list[str] | None = None


class DispatchNamespace(Binding):
    """A Workers for Platforms namespace."""

    namespace: str | None = None
    outbound: DispatchOutbound | None = None


class MTLSCertificate(Binding):
    """A client certificate."""

    certificate_id: str | None = None


class SecretsStoreSecret(Binding):
    """One secret of a Secrets Store."""

    store_id: str | None = None
    secret_name: str | None = None


class Pipeline(Binding):
    """A pipeline; older configs say `pipeline`, newer ones `stream`."""

    pipeline: str | None = None
    stream: str | None = None


class K2Stream(Binding):
    """A K2 stream."""

    stream: str | None = None


class AISearchNamespace(Binding):
    """A namespace of AI Search instances."""

    namespace: str | None = None


class AISearch(Binding):
    """One AI Search instance."""

    instance_name: str | None = None


class AgentMemory(Binding):
    """An Agent Memory namespace."""

    namespace: str | None = None


class Artifacts(Binding):
    """An Artifacts namespace."""

    namespace: str | None = None


class HelloWorld(Binding):
    """wrangler's example binding."""

    enable_timer: bool | None = None


class Flagship(Binding):
    """A Flagship app of feature flags."""

    app_id: str | None = None


class VPCService(Binding):
    """A service in a private network."""

    service_id: str | None = None


class VPCNetwork(Binding):
    """A private network, by tunnel or network id."""

    tunnel_id: str | None = None
    network_id: str | None = None


class AI(Binding):
    """Workers AI."""

    staging: bool | None = None


class RateLimitRule(Shape):
    """`limit` calls per `period` seconds (10 or 60)."""

    limit: int | float
    period: int


class RateLimit(Shape):
    """A rate limiter; `namespace_id` is a number chosen by the user."""

    name: str
    namespace_id: str
    simple: RateLimitRule


class SendEmail(Shape):
    """Email sending, restricted to the addresses given."""

    name: str
    destination_address: str | None = None
    allowed_destination_addresses: list[str] | None = None
    allowed_sender_addresses: list[str] | None = None
    remote: bool | None = None


class DurableObject(Shape):
    """`script_name` names the Worker that implements the class, when it is another one."""

    name: str
    class_name: str
    script_name: str | None = None
    environment: str | None = None


class DurableObjects(Shape):
    """Durable Object bindings."""

    bindings: list[DurableObject] = []
    code_update_strategy: dict[str, Any] | None = None


class Workflow(Shape):
    """`name` is account-wide; `class_name` is in this Worker unless `script_name` says otherwise."""

    binding: str
    name: str
    class_name: str
    script_name: str | None = None
    remote: bool | None = None
    limits: dict[str, Any] | None = None
    concurrency: dict[str, Any] | None = None
    schedules: str | list[str] | None = None
    default_retention: dict[str, Any] | None = None
    jurisdiction: str | None = None


class UnsafeBinding(Shape):
    """A binding wrangler passes on as it is."""

    name: str
    type: str


class Unsafe(Shape):
    """What wrangler does not know but Cloudflare may."""

    bindings: list[UnsafeBinding] = []
    metadata: dict[str, Any] | None = None
    capnp: dict[str, Any] | None = None


class LogfwdrBinding(Shape):
    """One log forwarder."""

    name: str
    destination: str


class Logfwdr(Shape):
    """Log forwarding bindings."""

    bindings: list[LogfwdrBinding] = []


class TailConsumer(Shape):
    """A Worker that receives this one's events."""

    service: str
    environment: str | None = None


class ConnectHandler(Shape):
    """A TCP or UDP listener (`protocol`)."""

    protocol: Literal["tcp", "udp"]
    port: int
    address: str | None = None
    idle_timeout_ms: int | None = None
    max_pending_bytes: int | None = None
