"""A store for the suites over all kinds."""

from trailboss.resources.secrets_store import SecretsStore

BARE = FULL = SecretsStore("shop-secrets")
BEFORE: tuple[tuple[str, object], ...] = ()
