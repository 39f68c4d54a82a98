"""Life stories of queues, Vectorize, AI, secrets, certificates, analytics, zones, tags and the account."""

from __future__ import annotations

import io
import json
from typing import Any

from tests.sandbox.storage.test_others import CERTIFICATE, KEY
from tests.sandbox.walk.walker import Walk


def account(walk: Walk) -> None:
    sdk, here = walk.sdk, walk.here
    (found,) = sdk.accounts.list()
    assert sdk.accounts.get(**here) is not None and found.id == here["account_id"]
    (member,) = sdk.memberships.list()
    assert member.id is not None and sdk.memberships.get(member.id) is not None
    assert list(sdk.user.tokens.permission_groups.list())
    assert list(sdk.accounts.tokens.permission_groups.list(**here))
    assert sdk.user.get() is not None
    assert sdk.user.tokens.verify() is not None and sdk.accounts.tokens.verify(**here) is not None


def queues(walk: Walk) -> None:
    product, here = walk.sdk.queues, walk.here
    made = product.create(queue_name="jobs", **here).queue_id
    assert made is not None
    product.update(made, queue_name="jobs", settings={"delivery_delay": 0}, **here)
    product.edit(made, settings={"delivery_paused": False}, **here)
    assert product.get(made, **here).queue_name == "jobs"
    assert [item.queue_id for item in product.list(**here)] == [made]
    at: dict[str, Any] = {"queue_id": made, **here}
    consumers = product.consumers
    consumer = consumers.create(type="http_pull", settings={"max_retries": 1}, **at).consumer_id  # type: ignore[union-attr]
    assert consumer is not None
    consumers.update(consumer, type="http_pull", settings={"max_retries": 2}, **at)
    assert consumers.get(consumer, **at) is not None
    assert len(list(consumers.list(made, **here))) == 1
    _messages(walk, at)
    consumers.delete(consumer, **at)
    _subscriptions(walk, made)
    product.delete(made, **here)


def _messages(walk: Walk, at: dict[str, Any]) -> None:
    messages = walk.sdk.queues.messages
    messages.push(body="one", content_type="text", **at)
    messages.bulk_push(messages=[{"body": {"n": 2}, "content_type": "json"}], **at)
    peeked = messages.peek(batch_size=10, **at).messages or []
    assert len(peeked) == 2
    messages.purge(refs=[{"ref": str(peeked[0].ref)}], **at)
    (pulled,) = messages.pull(batch_size=10, visibility_timeout_ms=60000, **at).messages or []
    assert messages.ack(acks=[{"lease_id": str(pulled.lease_id)}], **at).ack_count == 1
    assert walk.sdk.queues.get_metrics(**at).backlog_count == 0
    walk.sdk.queues.purge.start(delete_messages_permanently=True, **at)
    assert walk.sdk.queues.purge.status(**at) is not None


def _subscriptions(walk: Walk, queue: str) -> None:
    product, here = walk.sdk.queues.subscriptions, walk.here
    made = product.create(
        name="s",
        enabled=True,
        source={"type": "kv"},
        events=["namespace.created"],
        destination={"type": "queues.queue", "queue_id": queue},
        **here,
    ).id
    product.update(made, enabled=False, **here)
    assert product.get(made, **here).enabled is False
    assert [item.id for item in product.list(**here)] == [made]
    product.delete(made, **here)


def vectorize(walk: Walk) -> None:
    indexes, here = walk.sdk.vectorize.indexes, walk.here
    indexes.create(name="kb", config={"dimensions": 2, "metric": "cosine"}, **here)
    indexes.metadata_index.create("kb", index_type="string", property_name="lang", **here)
    assert indexes.metadata_index.list("kb", **here) is not None
    lines = [json.dumps({"id": name, "values": [1, 0]}) for name in "abc"]
    for operation in ("insert", "upsert"):
        walk.plain("POST", f"vectorize/v2/indexes/kb/{operation}", content="\n".join(lines))
    walk.box.control("PUT", "clock", {"advance": 2})
    assert indexes.info("kb", **here) is not None
    found = indexes.query("kb", vector=[1, 0], top_k=2, return_metadata="none", **here)
    assert found is not None and len(found.matches or []) == 2
    indexes.get_by_ids("kb", ids=["a"], **here)
    assert indexes.list_vectors("kb", count=2, **here) is not None
    indexes.delete_by_ids("kb", ids=["a"], **here)
    indexes.metadata_index.delete("kb", property_name="lang", **here)
    assert [item.name for item in indexes.list(**here)] == ["kb"]
    assert indexes.get("kb", **here) is not None
    indexes.delete("kb", **here)


def ai(walk: Walk) -> None:
    product, here = walk.sdk.ai, walk.here
    model = "@cf/meta/llama-3.1-8b-instruct"
    walk.plain("POST", f"ai/run/{model}", json={"prompt": "hello"})
    assert product.run("@cf/baai/bge-base-en-v1.5", text="one", **here) is not None
    assert list(product.models.list(search="llama", **here))
    assert product.models.schema.get(model=model, **here) is not None
    assert list(product.tasks.list(**here))
    made = product.finetunes.create(model=model, name="mine", **here)
    file = ("adapter_model.safetensors", io.BytesIO(b"{}"))
    product.finetunes.assets.create(made.id, file=file, file_name=file[0], **here)
    assert len(walk.plain("GET", "ai/finetunes")) == 1


def ai_search(walk: Walk) -> None:
    spaces, here = walk.sdk.aisearch.namespaces, walk.here
    spaces.create(name="docs", **here)
    spaces.update("docs", description="ours", **here)
    assert spaces.read("docs", **here).description == "ours"
    assert [item.name for item in spaces.list(**here)] == ["docs"]
    assert list(spaces.instances.list("docs", **here)) == []
    spaces.delete("docs", **here)


def agent_memory(walk: Walk) -> None:
    root = "agent-memory/namespaces"
    walk.plain("POST", root, json={"name": "notes"})
    assert walk.plain("GET", f"{root}/notes")["name"] == "notes"
    assert len(walk.plain("GET", root)) == 1
    walk.plain("DELETE", f"{root}/notes")
    assert list(walk.sdk.containers.applications.list(**walk.here)) == []


def secrets_store(walk: Walk) -> None:
    stores, here = walk.sdk.secrets_store.stores, walk.here
    store = stores.create(name="vault", **here).id
    assert stores.get(store, **here) is not None
    assert [item.id for item in stores.list(**here)] == [store]
    at: dict[str, Any] = {"store_id": store, **here}
    secrets = stores.secrets
    (made,) = secrets.create(body=[{"name": "key", "value": "v", "scopes": ["workers"]}], **at)
    secrets.edit(made.id, comment="new", **at)
    assert secrets.get(made.id, **at).comment == "new"
    copy = secrets.duplicate(made.id, name="copy", scopes=["workers"], **at)
    assert len(list(secrets.list(**at))) == 2
    assert walk.sdk.secrets_store.quota.get(**here) is not None
    secrets.delete(copy.id, **at)
    walk.plain("DELETE", f"secrets_store/stores/{store}/secrets", json=[{"id": made.id}])
    stores.delete(store, **here)


def certificates(walk: Walk) -> None:
    product, here = walk.sdk.mtls_certificates, walk.here
    made = product.create(ca=False, certificates=CERTIFICATE, private_key=KEY, name="client", **here)
    assert made is not None and made.id is not None
    assert [item.id for item in product.list(**here)] == [made.id]
    assert product.get(made.id, **here) is not None
    assert list(product.associations.get(made.id, **here)) == []
    product.delete(made.id, **here)


def analytics(walk: Walk) -> None:
    document = "query { viewer { accounts(filter: {}) { r: r2StorageAdaptiveGroups(limit: 1) { max } } } }"
    assert walk.raw("POST", "/graphql", json={"query": document}).json()["errors"] is None
    sql = f"{walk.box.account}/analytics_engine/sql"
    assert walk.raw("POST", sql, content="SHOW TABLES").json()["rows"] == 0
    assert walk.raw("GET", sql, params={"query": "SHOW TABLES"}).json()["rows"] == 0


def zones(walk: Walk) -> None:
    product = walk.sdk.zones
    made = product.create(account={"id": walk.here["account_id"]}, name="example.net")
    product.edit(zone_id=made.id, paused=True)
    assert product.get(zone_id=made.id) is not None
    assert len(list(product.list())) == 2
    product.settings.edit("ssl", zone_id=made.id, value="strict")
    assert product.settings.get("ssl", zone_id=made.id) is not None
    walk.plain("PATCH", f"/zones/{made.id}/settings", json={"items": [{"id": "ssl", "value": "full"}]})
    assert walk.plain("GET", f"/zones/{made.id}/settings")
    _dns(walk, {"zone_id": made.id})
    product.delete(zone_id=made.id)


def _dns(walk: Walk, at: dict[str, Any]) -> None:
    records = walk.sdk.dns.records
    fields: Any = {"type": "A", "name": "www", "content": "192.0.2.1", "ttl": 60}
    made = records.create(**fields, **at)
    assert made is not None
    records.edit(made.id, comment="front", **fields, **at)
    records.update(made.id, **{**fields, "content": "192.0.2.2"}, **at)
    assert records.get(made.id, **at) is not None
    assert [item.id for item in records.list(**at)] == [made.id]
    records.batch(posts=[{"type": "TXT", "name": "t", "content": "x", "ttl": 60}], **at)
    text = records.export(**at)
    records.delete(made.id, **at)
    assert records.import_(file=text, **at) is not None
    assert walk.sdk.dns.usage.zone.get(**at) is not None


def tags(walk: Walk) -> None:
    product, here = walk.sdk.resource_tagging, walk.here
    space = walk.sdk.kv.namespaces.create(title="tagged", **here).id
    which: Any = {"resource_id": space, "resource_type": "kv_namespace"}
    product.account_tags.update(**which, tags={"env": "prod"}, **here)
    assert product.account_tags.get(**which, **here) is not None
    zone: Any = {"zone_id": walk.zone_id, "resource_id": walk.zone_id, "resource_type": "zone"}
    product.zone_tags.update(**zone, tags={"env": "dev"})
    assert product.zone_tags.get(**zone) is not None
    assert len(list(product.list(**here))) == 2
    assert list(product.keys.list(**here)) == ["env"]
    assert len(list(product.values.list("env", **here))) == 2
    assert product.summary.get(**here) is not None
    walk.raw("DELETE", f"{walk.box.account}/tags", json=which, status=204)
    zone.pop("zone_id")
    walk.raw("DELETE", f"/zones/{walk.zone_id}/tags", json=zone, status=204)
    walk.sdk.kv.namespaces.delete(space, **here)


STORIES = (
    account,
    queues,
    vectorize,
    ai,
    ai_search,
    agent_memory,
    secrets_store,
    certificates,
    analytics,
    zones,
    tags,
)
