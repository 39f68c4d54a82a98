"""Hostnames that ask for a client certificate of the zone's own authority, for the suites over all kinds."""

from trailboss.resources.mtls_hostname_association import MTLSHostnameAssociation

BARE = MTLSHostnameAssociation("example.com", hostnames=("api.example.com",))
FULL = MTLSHostnameAssociation("example.com", hostnames=("www.example.com", "api.example.com"))
BEFORE: tuple[tuple[str, object], ...] = ()
