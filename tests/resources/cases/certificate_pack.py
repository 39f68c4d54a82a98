"""A certificate, in the zone example.com for the suites over all kinds."""

from trailboss.resources.certificate_pack import CertificatePack

_HOSTS = ("*.example.com", "example.com")
BARE = CertificatePack("example.com", _HOSTS)
FULL = CertificatePack("example.com", _HOSTS, cloudflare_branding=True)
BEFORE: tuple[tuple[str, object], ...] = ()
