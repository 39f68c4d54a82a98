"""An Access service token for the suites over all kinds."""

from trailboss.resources.access_service_token import AccessServiceToken

BARE = AccessServiceToken("ci")
FULL = AccessServiceToken("ci", "forever")
BEFORE: tuple[tuple[str, object], ...] = ()
