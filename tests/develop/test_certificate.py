"""The local authority and what it signs, judged by OpenSSL as Python has it."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from trailboss.develop import certificate, trust
from trailboss.develop.certificate import authority, certificate_for


def names(path: Path) -> list[str]:
    found = x509.load_pem_x509_certificate(path.read_bytes())
    value = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(one.value) for one in value]


def test_it_is_made_once_and_again_when_it_has_to_say_more(tmp_path: Path) -> None:
    first = certificate_for(("localhost",), tmp_path)
    text = first.certificate.read_text()
    assert certificate_for(("localhost",), tmp_path).certificate.read_text() == text
    certificate_for(("app.test", "192.168.1.7", "example.com"), tmp_path)
    assert first.certificate.read_text() != text
    assert names(first.certificate) == [
        "localhost",
        "*.localhost",
        "127.0.0.1",
        "::1",
        "app.test",
        "192.168.1.7",
    ]
    for key in (tmp_path / "server-key.pem", tmp_path / "authority-key.pem"):
        assert key.stat().st_mode & 0o077 == 0
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(first.certificate, first.key)


def test_a_new_authority_means_a_new_certificate(tmp_path: Path) -> None:
    server = certificate_for((), tmp_path)
    before = server.certificate.read_text()
    authority(tmp_path).certificate.unlink()
    assert certificate_for((), tmp_path).certificate.read_text() != before


def test_one_that_ends_soon_is_renewed(tmp_path: Path, monkeypatch: object) -> None:
    pair = certificate_for((), tmp_path)
    found = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    assert found.not_valid_after_utc - datetime.now(UTC) < timedelta(days=398)
    text = pair.certificate.read_text()
    monkeypatch.setattr(certificate, "RENEW_DAYS", 398)  # type: ignore[attr-defined]
    monkeypatch.setattr(certificate, "AUTHORITY_DAYS", 3650)  # type: ignore[attr-defined]
    assert certificate_for((), tmp_path).certificate.read_text() != text


def test_the_authority_may_not_speak_for_public_names(tmp_path: Path) -> None:
    found = x509.load_pem_x509_certificate(authority(tmp_path).certificate.read_bytes())
    allowed = found.extensions.get_extension_for_class(x509.NameConstraints)
    assert allowed.critical
    assert x509.DNSName("localhost") in (allowed.value.permitted_subtrees or ())
    assert x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")) in (allowed.value.permitted_subtrees or ())
    assert not [one for one in allowed.value.permitted_subtrees or () if "com" in str(one.value)]


def test_whether_it_is_trusted_and_what_to_run(tmp_path: Path) -> None:
    pair = authority(tmp_path)
    assert trust.is_trusted(pair) is False
    assert any(str(pair.certificate) in f"{store.command}{store.remark}" for store in trust.stores(pair))
