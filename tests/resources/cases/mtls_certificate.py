"""A certificate for the suites over all kinds, made when it is asked for: nothing to expire in the tree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from trailboss.resources.mtls_certificate import MTLSCertificate


@cache
def pair(name: str, *, ca: bool = False) -> tuple[str, str]:
    """A self-signed certificate and its key, both in PEM form."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, *form)
    return made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


SECRETS = {"${SHOP_CLIENT_KEY}": pair("shop")[1]}
BARE = FULL = MTLSCertificate("shop-client", pair("shop")[0], private_key="${SHOP_CLIENT_KEY}")
BEFORE: tuple[tuple[str, object], ...] = ()
