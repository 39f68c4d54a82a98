"""A DNS record for the suites over all kinds, in the zone example.com."""

from trailboss.resources.dns_record import DNSRecord

BARE = DNSRecord("example.com", "www.example.com", "A", "192.0.2.1")
FULL = DNSRecord(
    "example.com",
    "www.example.com",
    "A",
    "192.0.2.2",
    proxied=True,
    comment="the front door",
    settings={"ipv4_only": True},
    tags=("team:web",),
)
BEFORE: tuple[tuple[str, object], ...] = ()
