"""Plans to be stopped at every call: every action, every way of owning, references, strangers beside."""

from __future__ import annotations

from collections.abc import Callable

from tests.plan.crashing import Fixture, prepared, resource, wanting
from tests.plan.inprocess import ACCOUNT, Account
from trailboss.resources.access_group import AccessGroup
from trailboss.resources.d1_database import D1Database
from trailboss.resources.dns_record import DNSRecord
from trailboss.resources.hyperdrive_config import HyperdriveConfig
from trailboss.resources.kv_namespace import KVNamespace
from trailboss.resources.load_balancer_monitor import LoadBalancerMonitor
from trailboss.resources.marks import Ref
from trailboss.resources.queue import Queue
from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.r2_bucket_cors import R2BucketCORS
from trailboss.resources.vectorize_index import VectorizeIndex
from trailboss.resources.vectorize_metadata_index import VectorizeMetadataIndex

ROOT = f"/accounts/{ACCOUNT}"
KV = resource("kv_namespace", "cache", KVNamespace("shop-cache"))
D1 = resource("d1_database", "db", D1Database("shop-db", read_replication="auto"))
JOBS = resource("queue", "jobs", Queue("shop-jobs", delivery_delay=5))
SLOW = resource("queue", "jobs", Queue("shop-jobs", delivery_delay=60))
MOVED = resource("queue", "jobs", Queue("shop-work", delivery_delay=5))
WWW = resource("dns_record", "www", DNSRecord("example.com", "www.example.com", "A", "192.0.2.1"))
WWW2 = resource("dns_record", "www2", DNSRecord("example.com", "www.example.com", "A", "192.0.2.2"))
WWW3 = resource("dns_record", "www", DNSRecord("example.com", "www.example.com", "A", "192.0.2.3"))
SQL = resource("hyperdrive_config", "sql", HyperdriveConfig("shop-sql", "${SQL}"))
SQL2 = resource("hyperdrive_config", "sql", HyperdriveConfig("shop-sql", "${SQL}", max_age=120))
INDEX = resource("vectorize_index", "docs", VectorizeIndex("docs", 768, "cosine"))
WIDER = resource("vectorize_index", "docs", VectorizeIndex("docs", 1024, "cosine"))
META = resource(
    "vectorize_metadata_index",
    "url",
    VectorizeMetadataIndex(Ref("vectorize_index", "docs"), "url", "string"),
)
FILES = resource("r2_bucket", "files", R2Bucket("shop-files"))
CORS = resource(
    "r2_bucket_cors",
    "files",
    R2BucketCORS(
        Ref("r2_bucket", "files"),
        rules=({"allowed": {"origins": ["https://example.com"], "methods": ["GET"]}},),
    ),
)
STAFF = resource("access_group", "staff", AccessGroup("staff", ({"email_domain": {"domain": "a.example"}},)))
HEALTH = resource("load_balancer_monitor", "health", LoadBalancerMonitor("shop-health", "https"))
STRANGER_GROUP = ("POST", f"{ROOT}/access/groups", {"name": "theirs", "include": [{"everyone": {}}]})
STRANGER_KV = ("POST", f"{ROOT}/storage/kv/namespaces", {"title": "theirs"})
THERE_KV = ("POST", f"{ROOT}/storage/kv/namespaces", {"title": "shop-cache"})
STRANGER_SQL = (
    "POST",
    f"{ROOT}/hyperdrive/configs",
    {
        "name": "theirs",
        "origin": {"scheme": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"},
    },
)

Make = Callable[[Account], Fixture]
SMALL: dict[str, Make] = {
    "create tagged": lambda a: prepared(a, "create tagged", None, wanting(KV, JOBS), STRANGER_KV),
    "create claimed": lambda a: prepared(a, "create claimed", None, wanting(SQL), STRANGER_SQL),
    "create marked": lambda a: prepared(a, "create marked", None, wanting(WWW, WWW2)),
    "create inside": lambda a: prepared(a, "create inside", None, wanting(INDEX, META)),
    "create namesakes": lambda a: prepared(
        a, "create namesakes", None, wanting(STAFF, HEALTH), STRANGER_GROUP
    ),
    "update": lambda a: prepared(a, "update", wanting(JOBS, SQL), wanting(SLOW, SQL2), STRANGER_KV),
    "update marked": lambda a: prepared(a, "update marked", wanting(WWW), wanting(WWW3)),
    "replace": lambda a: prepared(a, "replace", wanting(INDEX), wanting(WIDER)),
    "rename": lambda a: prepared(a, "rename", wanting(JOBS), wanting(MOVED), STRANGER_KV),
    "delete": lambda a: prepared(a, "delete", wanting(KV, SQL, WWW), wanting(KV), STRANGER_SQL),
    "adopt": lambda a: prepared(a, "adopt", None, wanting(KV), THERE_KV, STRANGER_KV),
    "adopt nothing": lambda a: prepared(a, "adopt nothing", wanting(KV), wanting(), THERE_KV),
}
BIG: dict[str, Make] = {
    "everything": lambda a: prepared(
        a,
        "everything",
        None,
        wanting(KV, D1, JOBS, WWW, WWW2, SQL, INDEX, META, FILES, CORS),
        STRANGER_KV,
        STRANGER_SQL,
    ),
    "everything changes": lambda a: prepared(
        a,
        "everything changes",
        wanting(KV, D1, JOBS, WWW, WWW2, SQL, INDEX, META, FILES, CORS),
        wanting(KV, SLOW, WWW3, SQL2, WIDER, META, FILES),
        STRANGER_KV,
    ),
    "everything goes": lambda a: prepared(
        a, "everything goes", wanting(KV, D1, JOBS, WWW, SQL, INDEX, META, FILES, CORS), wanting()
    ),
}
