"""An Access group for the suites over all kinds."""

from trailboss.resources.access_group import AccessGroup
from trailboss.resources.access_service_token import AccessServiceToken
from trailboss.resources.marks import Ref

TOKEN = {"service_token": {"token_id": Ref("access_service_token", "before-0")}}
BARE = AccessGroup("staff", ({"email_domain": {"domain": "example.com"}},))
FULL = AccessGroup(
    "staff",
    ({"email": {"email": "ann@example.com"}}, TOKEN),
    exclude=({"geo": {"country_code": "AQ"}},),
    require=({"ip": {"ip": "10.0.0.0/8"}},),
)
BEFORE: tuple[tuple[str, object], ...] = (("access_service_token", AccessServiceToken("ci")),)
