"""A setting of the zone example.com for the suites over all kinds."""

from trailboss.resources.zone_setting import ZoneSetting

BARE = ZoneSetting("example.com", "security_header", {"strict_transport_security": {"enabled": True}})
FULL = ZoneSetting(
    "example.com",
    "security_header",
    {"strict_transport_security": {"enabled": True, "max_age": 86400, "nosniff": True}},
)
BEFORE: tuple[tuple[str, object], ...] = ()
