"""A certificate for the local server that browsers and curl believe, once the local authority is trusted.

The authority is made on this machine, for this machine and this user: a root of its own (RFC 5280) whose key
never leaves the folder of user data. `NameConstraints` keep it from speaking for any public name.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from trailboss.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, GeneralName, KeyUsage, Name

AUTHORITY_DAYS, LEAF_DAYS, RENEW_DAYS = 3650, 397, 30
"""397 days is the most that browsers accept of a server's certificate."""
LOCAL_NAMES = ("localhost", "test", "internal", "local")
LOCAL_NETWORKS = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")


@dataclass(frozen=True, slots=True)
class Pair:
    """A PEM certificate and its PEM key, as files; the key is readable by this user only."""

    certificate: Path
    key: Path


def certificates_folder() -> Path:
    """Where they are kept: `TRAILBOSS_CERTIFICATES_DIR`, else the user's data folder."""
    override = os.environ.get("TRAILBOSS_CERTIFICATES_DIR")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_data_dir("trailboss", appauthor=False)) / "certificates"


def authority(folder: Path | None = None) -> Pair:
    """The local authority, made on first use, and again a month before it ends: then it has to be trusted
    again.

    Raises:
        UsageError: TB9486 its files are damaged or cannot be read or written. They are not replaced in
            silence: this machine may trust what they hold.
    """
    pair = _pair(folder or certificates_folder(), "authority")
    try:
        if not _is_whole(pair) or not _good(pair, ()):
            _store(pair, *_make_authority())
    except OSError as error:
        raise _unusable(pair, f"{error.filename}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise _unusable(pair, "they are no certificate with its key") from error
    return pair


def _is_whole(pair: Pair) -> bool:
    """Whether both files are there; then they belong together.

    Raises: OSError one cannot be read; ValueError, TypeError they are not what they should be.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not (pair.certificate.exists() and pair.key.exists()):
        return False
    found = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    key = load_pem_private_key(pair.key.read_bytes(), None)
    if key.public_key() != found.public_key():
        raise ValueError("the key is another certificate's")
    return True


def _unusable(pair: Pair, why: str) -> UsageError:
    return UsageError(
        "TB9486",
        f"the local authority's files cannot be used: {why}",
        hint=f"Put them right, or remove {pair.certificate} and {pair.key.name}: a new authority is made, "
        "which this machine has to trust anew (trailboss dev trust).",
    )


def certificate_for(hosts: tuple[str, ...], folder: Path | None = None) -> Pair:
    """A certificate for `hosts` (names and addresses) beside the usual local ones, signed by the authority.

    It is kept and used again while it covers them and has a month to live. Names that are not local are left
    out: the authority may not speak for them.

    Raises:
        UsageError: TB9486, see `authority`.
    """
    folder = folder or certificates_folder()
    root = authority(folder)
    names = tuple(dict.fromkeys(("localhost", "*.localhost", "127.0.0.1", "::1", *filter(_is_local, hosts))))
    pair = _pair(folder, "server")
    try:
        if not _good(pair, names, issuer=root):
            _store(pair, *_make_leaf(root, names))
    except OSError as error:
        raise _unusable(root, f"{error.filename}: {error.strerror}") from error
    return pair


def _pair(folder: Path, name: str) -> Pair:
    return Pair(folder / f"{name}.pem", folder / f"{name}-key.pem")


def _is_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.rpartition(".")[2] in LOCAL_NAMES
    networks = map(ipaddress.ip_network, LOCAL_NETWORKS)
    return any(address in network for network in networks if network.version == address.version)


def _good(pair: Pair, names: tuple[str, ...], *, issuer: Pair | None = None) -> bool:
    """Whether the pair is there, will live for another month, covers `names` and is by `issuer`."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        if not _is_whole(pair):
            return False
        found = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    except (FileNotFoundError, ValueError, TypeError):
        return False
    if found.not_valid_after_utc < datetime.now(UTC) + timedelta(days=RENEW_DAYS):
        return False
    if issuer is None:
        return True
    try:
        found.verify_directly_issued_by(x509.load_pem_x509_certificate(issuer.certificate.read_bytes()))
        covered = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return all(_general(name) in covered for name in names)


def _make_authority() -> tuple[Certificate, EllipticCurvePrivateKey]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject("Trailboss local development authority")
    allowed: list[GeneralName] = [x509.DNSName(one) for one in LOCAL_NAMES]
    allowed += [x509.IPAddress(ipaddress.ip_network(one)) for one in LOCAL_NETWORKS]
    builder = (
        _builder(name, name, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.NameConstraints(allowed, None), critical=True)
    )
    return builder.sign(key, hashes.SHA256()), key


def _make_leaf(root: Pair, names: tuple[str, ...]) -> tuple[Certificate, EllipticCurvePrivateKey]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer = x509.load_pem_x509_certificate(root.certificate.read_bytes())
    signer = serialization.load_pem_private_key(root.key.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_subject("localhost"), issuer.subject, key, LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    return builder.sign(signer, hashes.SHA256()), key


def _builder(subject: Name, issuer: Name, key: EllipticCurvePrivateKey, days: int) -> CertificateBuilder:
    """What both certificates have; a little in the past, as clocks of two machines differ."""
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _subject(common: str) -> Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general(name: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs: bool) -> KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _store(pair: Pair, certificate: Certificate, key: EllipticCurvePrivateKey) -> None:
    """Both files, each in one step; nobody else may read the key at any moment."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pair.key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for path, data, mode in (
        (pair.key, secret, 0o600),
        (pair.certificate, certificate.public_bytes(Encoding.PEM), 0o644),
    ):
        staging = path.with_name(f".{path.name}.{os.getpid()}")
        staging.unlink(missing_ok=True)
        with open(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as handle:  # noqa: PTH123
            handle.write(data)
        staging.replace(path)
