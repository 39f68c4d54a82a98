"""A Hyperdrive configuration for the suites over all kinds. `SECRETS` are the values of its references."""

from trailboss.resources.hyperdrive_config import HyperdriveConfig

SECRETS = {"${SHOP_DB_URL}": "postgres://shop:s%40fe@db.example.com:6432/orders"}
BARE = HyperdriveConfig("shop-db", "${SHOP_DB_URL}")
FULL = HyperdriveConfig(
    "shop-db",
    "${SHOP_DB_URL}",
    max_age=120,
    stale_while_revalidate=30,
    origin_connection_limit=25,
    sslmode="require",
)
BEFORE: tuple[tuple[str, object], ...] = ()
