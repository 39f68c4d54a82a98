"""The routes the SDK cannot reach, each with its reason. All others are walked through the SDK."""

from __future__ import annotations

_ABSENT = "not in the SDK"
_GIT = "the SDK requires a git source"
_REFUSED = "not emulated: refused in the envelope"
_NDJSON = "NDJSON, which the SDK labels JSON"
_STATUS = "the SDK's states have no 'active'"
_BROKEN = "the SDK's own type is broken"
_SCRIPT = "A/workers/scripts/{script_name}"
_SERVICE = "A/workers/services/{service}"
_PAGES = "A/pages/projects"
_TUNNEL = "A/cfd_tunnel/{tunnel_id}"
_CATCH_ALL = "the SDK requires a host name of the catch-all rule"

ENVELOPED = {
    "GET A/agent-memory/namespaces": _ABSENT,
    "POST A/agent-memory/namespaces": _ABSENT,
    "GET A/agent-memory/namespaces/{name}": _ABSENT,
    "DELETE A/agent-memory/namespaces/{name}": _ABSENT,
    "GET A/ai/finetunes": "the SDK expects one, the API lists them",
    "POST A/d1/database/{database_id}/export": _STATUS,
    "POST A/d1/database/{database_id}/import": _STATUS,
    "DELETE A/storage/kv/namespaces/{namespace_id}/bulk": "wrangler's spelling",
    f"GET {_PAGES}": _GIT,
    f"POST {_PAGES}": _GIT,
    f"GET {_PAGES}/{{project_name}}": _GIT,
    f"PATCH {_PAGES}/{{project_name}}": _GIT,
    f"GET {_PAGES}/{{project_name}}/deployments": _GIT,
    f"POST {_PAGES}/{{project_name}}/deployments": _GIT,
    f"GET {_PAGES}/{{project_name}}/deployments/{{deployment_id}}": _GIT,
    "GET A/r2/buckets/{bucket_name}/local-uploads": _ABSENT,
    "PUT A/r2/buckets/{bucket_name}/local-uploads": _ABSENT,
    "DELETE A/secrets_store/stores/{store_id}/secrets": "the SDK sends no list",
    "POST A/vectorize/v2/indexes/{index_name}/insert": _NDJSON,
    "POST A/vectorize/v2/indexes/{index_name}/upsert": _NDJSON,
    "POST A/workers/assets/upload": "the SDK sends the API token and a broken form",
    "POST A/workers/assets/upload/{hash}": _ABSENT,
    f"GET {_SCRIPT}/deployments": "the SDK looks for the list in the wrong field",
    "PUT A/workers/dispatch/namespaces/{dispatch_namespace}": _ABSENT,
    "GET A/workers/dispatch/namespaces/{dispatch_namespace}/scripts": _ABSENT,
    "GET A/workers/domains/records": _ABSENT,
    "GET A/workers/domains/records/{domain_id}": _ABSENT,
    f"POST {_SCRIPT}/domains/changeset": _ABSENT,
    f"PUT {_SCRIPT}/domains/records": _ABSENT,
    f"PUT {_SCRIPT}/routes": _ABSENT,
    "GET A/workers/subdomain/edge-preview": _REFUSED,
    f"GET {_SCRIPT}/subdomain/edge-preview": _REFUSED,
    f"POST {_SCRIPT}/edge-preview": _REFUSED,
    "GET Z/workers/edge-preview": _REFUSED,
    "PUT A/triggers/{script_name}": _ABSENT,
    f"GET {_SERVICE}": _ABSENT,
    f"DELETE {_SERVICE}": _ABSENT,
    f"GET {_SERVICE}/environments/{{environment}}": _ABSENT,
    f"GET {_SERVICE}/environments/{{environment}}/bindings": _ABSENT,
    f"GET {_SERVICE}/environments/{{environment}}/routes": _ABSENT,
    f"GET {_SERVICE}/environments/{{environment}}/subdomain": _ABSENT,
    f"GET {_SCRIPT}/references": _ABSENT,
    "GET A/workers/tails/by-consumer/{script_name}": _ABSENT,
    "GET A/workers/subdomains/{subdomain}": _ABSENT,
    f"GET {_SCRIPT}/tails": "the SDK expects one, the API lists them",
    f"POST {_SCRIPT}/versions": _BROKEN,
    f"GET {_SCRIPT}/versions/{{version_id}}": _BROKEN,
    "PATCH A/workers/workers/{worker_id}/versions/latest": _ABSENT,
    "POST A/access/organizations": "the account has one already",
    f"GET {_TUNNEL}/configurations": _CATCH_ALL,
    f"PUT {_TUNNEL}/configurations": _CATCH_ALL,
    f"POST {_TUNNEL}/management/{{resource}}": "cloudflared's spelling",
    "PUT Z/tunnels/{tunnel_id}/routes": _ABSENT,
    "* A/workers/workers/{worker_id}/previews": _REFUSED,
    "* A/workers/workers/{worker_id}/previews/{rest:path}": _REFUSED,
    "GET A/workflows/{workflow_name}/instances/{instance_id}": "the SDK wants an output before there is one",
    "GET A/workflows/{workflow_name}/instances/{instance_id}/step": _REFUSED,
    "GET A/workflows/{workflow_name}/versions/{version_id}/graph": _REFUSED,
    "GET Z/settings": _ABSENT,
    "PATCH Z/settings": _ABSENT,
}

_TAGS = "the SDK cannot name the resource"
_SIGNED = "a pre-signed address"
_S3 = "S3's own protocol"
_SQL = "plain SQL, not in the SDK"

BARE = {
    "DELETE A/tags": _TAGS,
    "DELETE Z/tags": _TAGS,
    "GET /_transfer/d1/{secret}/{filename}": _SIGNED,
    "PUT /_transfer/d1/{secret}/{filename}": _SIGNED,
    "* /_s3": _S3,
    "* /_s3/{bucket}": _S3,
    "* /_s3/{bucket}/{key:path}": _S3,
    "POST A/analytics_engine/sql": _SQL,
    "GET A/analytics_engine/sql": _SQL,
    "POST /graphql": "GraphQL, not in the SDK",
}
"""Those whose real answer has no envelope."""

PLAIN = {**ENVELOPED, **BARE}
