"""A zone's certificate authority for client certificates: it really signs, so that devices can be tested.

Source of what a certificate has: the official SDK's `ClientCertificate`; X.509 by `cryptography`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from trailboss.sandbox.refusals import ApiError

CA_DAYS = 3650
SUBJECT = {
    "common_name": "COMMON_NAME",
    "organization": "ORGANIZATION_NAME",
    "organizational_unit": "ORGANIZATIONAL_UNIT_NAME",
    "location": "LOCALITY_NAME",
    "state": "STATE_OR_PROVINCE_NAME",
    "country": "COUNTRY_NAME",
}
"""Field of the API -> name of the attribute."""


def invalid_csr(detail: str) -> ApiError:
    """Nothing that can be signed."""
    return ApiError(400, 1449, f"The CSR is invalid: {detail}")


def make_authority(name: str, now: datetime) -> dict[str, str]:
    """A new authority: `certificate` and `private_key`, both PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return {"certificate": pem.decode(), "private_key": pkcs8.decode()}


def issue(authority: dict[str, str], csr_pem: str, days: int, now: datetime) -> dict[str, Any]:
    """A client certificate for a signing request: the fields the API shows of it.

    Raises:
        ApiError: 1449, the request is none or its signature is wrong.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        csr = x509.load_pem_x509_csr(csr_pem.encode())
    except ValueError as error:
        raise invalid_csr(str(error)) from None
    if not csr.is_signature_valid:
        raise invalid_csr("its signature does not fit")
    root = x509.load_pem_x509_certificate(authority["certificate"].encode())
    key: Any = serialization.load_pem_private_key(authority["private_key"].encode(), None)
    identifier = x509.SubjectKeyIdentifier.from_public_key(csr.public_key())
    made = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(root.subject)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return {
        **_subject(csr.subject),
        "certificate": made.public_bytes(serialization.Encoding.PEM).decode(),
        "fingerprint_sha256": made.fingerprint(hashes.SHA256()).hex(),
        "serial_number": str(made.serial_number),
        "signature": "ECDSAWithSHA256",
        "ski": identifier.digest.hex(),
    }


def _subject(name: Any) -> dict[str, str]:
    from cryptography.x509.oid import NameOID

    found = {field: name.get_attributes_for_oid(getattr(NameOID, oid)) for field, oid in SUBJECT.items()}
    return {field: str(values[0].value) if values else "" for field, values in found.items()}
