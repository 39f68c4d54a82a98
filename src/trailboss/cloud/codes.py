"""What Cloudflare's error codes mean, and what to do about each: data only.

Sources: the API reference and wrangler 4.164's reactions. Codes are not unique over products, so some are
listed per product (the family of the path).
"""

from __future__ import annotations

MISSING, TAKEN, LOGIN, RIGHTS, BUSY = "missing", "taken", "login", "rights", "busy"

# code -> (kind, hint), wherever it appears
EVERYWHERE: dict[int, tuple[str, str]] = {
    1000: (LOGIN, "The token is unknown here; an account-owned token is verified under /accounts/<id>."),
    6003: (LOGIN, "The token is malformed: copy it again without quotes or spaces."),
    7000: ("", "The API has no such path, or the account has no access to the product."),
    7003: (MISSING, "The account id or zone id is not valid, or not of this token."),
    6111: (LOGIN, "The token is malformed: copy it again without quotes or spaces."),
    9106: (LOGIN, "Set CLOUDFLARE_API_TOKEN to a valid API token."),
    971: (BUSY, "All calls of this user are refused for up to five minutes; other tools count too."),
    10021: ("", "The script does not start: fix what the message names and deploy again."),
    10023: ("", "The account may not use this feature."),
    10027: ("", "The script is too large: remove dependencies, or minify with `minify = true`."),
    10049: ("", "The preview session has expired: start it again."),
    10057: (
        "",
        "A binding to keep is not on the deployed Worker: put the secret, or give the resource.",
    ),
    10063: ("", "Register a workers.dev subdomain for the account first."),
    10075: ("", "The account's plan does not include this feature."),
    10211: ("", "Durable Object migrations cannot go with a version: use `trailboss deploy`."),
    10214: ("", "The newest settings are not deployed: deploy them, or use `versions secret put`."),
    10215: ("", "The newest version is not deployed: deploy it, or use `versions secret put`."),
    10220: ("", "Secrets changed since that version: confirm with --force."),
    100146: ("", "The version is not ready yet: ask again in a moment."),
    100127: ("", "Check the queue consumer's settings."),
    100128: ("", "Check the queue's settings."),
    100402: ("", "The Durable Object exports do not fit what is deployed; the details say which class."),
}

# (family, code) -> (kind, hint)
BY_FAMILY: dict[tuple[str, int], tuple[str, str]] = {
    ("workers", 10007): (MISSING, "Deploy the Worker first, or check its name and environment."),
    ("workers", 10025): (MISSING, "There is no such preview."),
    ("workers", 10032): (MISSING, ""),
    ("workers", 10090): (MISSING, "Deploy the Worker first, or check its name and environment."),
    ("workers", 10092): (MISSING, "The Worker has no such environment, or the namespace no such script."),
    ("workers", 10222): (MISSING, "Upload a version first."),
    ("workers", 10031): (TAKEN, "Choose another name."),
    ("workflows", 10200): (MISSING, "The workflow does not exist; deploying its Worker creates it."),
    ("workflows", 10208): ("", "Schedules of a workflow need the paid plan."),
    ("workflows", 10209): ("", "A jurisdiction cannot be changed afterwards."),
    ("storage", 10009): (MISSING, "The key does not exist in this namespace."),
    ("storage", 10013): (MISSING, "The namespace does not exist, or belongs to another account."),
    ("storage", 10014): (
        TAKEN,
        "A namespace with this title exists: use it, or choose another title.",
    ),
    ("d1", 7404): (MISSING, "The database does not exist, or belongs to another account."),
    ("d1", 7502): (TAKEN, "A database with this name exists already: use it, or choose another name."),
    ("d1", 7406): ("", "The account has reached its number of databases: delete one, or ask for more."),
    ("r2", 10004): (TAKEN, "A bucket with this name exists already: use it, or choose another name."),
    ("r2", 10006): (MISSING, "The bucket does not exist; a bucket with a jurisdiction is found only there."),
    ("r2", 10007): (MISSING, "The object does not exist in this bucket."),
    ("r2", 10008): ("", "The bucket is not empty: delete its objects and unfinished uploads first."),
    ("r2", 10081): ("", "The bucket has a data catalog, and writing past it can break its tables."),
    ("r2-catalog", 40401): (MISSING, "The bucket has no data catalog: enable it first."),
    ("queues", 11000): (MISSING, "The queue does not exist."),
    ("queues", 11009): (TAKEN, "A queue with this name exists already: use it, or choose another name."),
    ("vectorize", 3000): (MISSING, "The index does not exist."),
    ("vectorize", 3002): (TAKEN, "An index with this name exists already: use it, or choose another name."),
    ("cfd_tunnel", 1013): (TAKEN, "A tunnel with this name exists: use it, or choose another name."),
    ("pages", 8000007): (MISSING, "The Pages project does not exist."),
}

# family -> the API-token permission its calls need (the read or write form is added)
PERMISSION: dict[str, str] = {
    "workers": "Workers Scripts",
    "workflows": "Workers Scripts",
    "storage": "Workers KV Storage",
    "d1": "D1",
    "r2": "Workers R2 Storage",
    "event_notifications": "Workers R2 Storage",
    "queues": "Queues",
    "vectorize": "Vectorize",
    "hyperdrive": "Hyperdrive",
    "ai": "Workers AI",
    "pages": "Pages",
    "flagship": "Flagship",
    "alerting": "Notifications",
    "cfd_tunnel": "Cloudflare Tunnel",
    "access": "Access: Apps and Policies",
    "mtls_certificates": "Account: SSL and Certificates",
    "ssl": "SSL and Certificates",
    "certificate_authorities": "SSL and Certificates",
    "settings": "Zone Settings",
    "argo": "Zone Settings",
    "secrets_store": "Secrets Store",
    "tails": "Workers Tail",
    "routes": "Workers Routes",
    "dns_records": "DNS",
    "zones": "Zone",
    "tags": "Tag",
    "memberships": "Memberships",
    "user": "User Details",
    "accounts": "Account Settings",
}


def family(path: str) -> str:
    """The product a path belongs to: 'storage' for `/accounts/x/storage/kv/…`, 'dns_records' for a zone's."""
    parts = [part for part in path.split("?", 1)[0].split("/") if part]
    if not parts:
        return ""
    if parts[0] in ("accounts", "zones"):
        rest = parts[2:]
        if not rest:
            return parts[0]
        if rest[0] == "workers":
            return next((word for word in ("tails", "routes") if word in rest[1:]), "workers")
        return rest[0]
    return parts[0]


def permission(path: str, *, writes: bool) -> str:
    """The token permission a call most likely lacks, or '' when unknown."""
    group = PERMISSION.get(family(path))
    if group is None:
        return ""
    only_read = group in ("Workers Tail", "Memberships", "User Details")
    return f"{group} {'Write' if writes and not only_read else 'Read'}"


def meaning(path: str, code: int) -> tuple[str, str]:
    """(kind, hint) of a Cloudflare code answered on `path`; ('', '') when it is not known."""
    where = family(path)
    found = BY_FAMILY.get((where, code))
    if found is None and where in ("tails", "routes"):
        found = BY_FAMILY.get(("workers", code))
    return found or EVERYWHERE.get(code, ("", ""))
