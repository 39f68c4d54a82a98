"""A reusable Access policy for the suites over all kinds."""

from trailboss.resources.access_group import AccessGroup
from trailboss.resources.access_policy import AccessPolicy
from trailboss.resources.marks import Ref

EVERYONE = ({"everyone": {}},)
BARE = AccessPolicy("staff", "allow", EVERYONE)
FULL = AccessPolicy(
    "staff",
    "deny",
    ({"group": {"id": Ref("access_group", "before-0")}},),
    exclude=({"ip": {"ip": "10.0.0.0/8"}},),
    require=({"geo": {"country_code": "US"}},),
    session_duration="1h30m",
    approval_required=True,
    approval_groups=({"approvals_needed": 1, "email_addresses": ["ann@example.com"]},),
    purpose_justification_required=True,
    purpose_justification_prompt="Why?",
    isolation_required=False,
    mfa_config={"session_duration": "24h"},
)
BEFORE: tuple[tuple[str, object], ...] = (("access_group", AccessGroup("all", EVERYONE)),)
