"""Client certificates are signed for real; hostnames ask for those of one authority."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import Sandbox
from tests.sandbox.storage.test_others import CERTIFICATE, KEY
from tests.sandbox.upload import form, send


def signing_request(name: str) -> str:
    """A CSR in PEM for a new key."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [(NameOID.COMMON_NAME, name), (NameOID.ORGANIZATION_NAME, "Ranch")]
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def zone(account: Sandbox) -> str:
    return f"/zones/{account.call('GET', '/zones')[0]['id']}"


def upload(account: Sandbox, **changes: Any) -> str:
    body = {"certificates": CERTIFICATE, "ca": True, "name": "ours", **changes}
    return str(account.call("POST", f"{account.account}/mtls_certificates", body)["id"])


def test_a_certificate_is_signed_and_revoked(account: Sandbox, zone: str) -> None:
    path = f"{zone}/client_certificates"
    made = account.call("POST", path, {"csr": signing_request("device"), "validity_days": 10})
    certificate = x509.load_pem_x509_certificate(made["certificate"].encode())
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 10
    assert made["fingerprint_sha256"] == certificate.fingerprint(hashes.SHA256()).hex()
    assert (made["common_name"], made["organization"], made["country"]) == ("device", "Ranch", "")
    assert made["certificate_authority"]["name"] in certificate.issuer.rfc4514_string()
    account.call("PATCH", f"{path}/{made['id']}", {"reactivate": True}, expect=400)
    assert account.call("DELETE", f"{path}/{made['id']}")["status"] == "pending_revocation"
    assert [one["id"] for one in account.call("GET", f"{path}?status=revoked")] == [made["id"]]
    assert account.call("GET", f"{path}?status=active") == []
    account.call("PATCH", f"{path}/{made['id']}", {"reactivate": True})
    assert account.call("GET", f"{path}/{made['id']}")["status"] == "active"
    other = account.call("POST", "/zones", {"name": "example.org", "account": {"id": "x"}})["id"]
    account.call("GET", f"/zones/{other}/client_certificates/{made['id']}", expect=404)


@pytest.mark.parametrize(
    ("body", "code"),
    [({"csr": "no", "validity_days": 1}, 1449), ({"csr": "", "validity_days": 0}, 1448)],
)
def test_what_cannot_be_signed(account: Sandbox, zone: str, body: dict[str, Any], code: int) -> None:
    assert account.call("POST", f"{zone}/client_certificates", body, expect=400)["code"] == code


def test_one_list_of_hostnames_per_authority(account: Sandbox, zone: str) -> None:
    path, authority = f"{zone}/certificate_authorities/hostname_associations", upload(account)
    ours, managed = ["api.example.com", "example.com"], ["www.example.com"]
    account.call("PUT", path, {"hostnames": ours, "mtls_certificate_id": authority})
    account.call("PUT", path, {"hostnames": managed})
    assert account.call("GET", f"{path}?mtls_certificate_id={authority}")["hostnames"] == ours
    assert account.call("GET", path)["hostnames"] == managed
    certificate = f"{account.account}/mtls_certificates/{authority}"
    assert account.call("GET", f"{certificate}/associations") == [
        {"service": "api_shield", "status": "active"}
    ]
    assert account.call("DELETE", certificate, expect=409)["code"] == 1475
    account.call("PUT", path, {"hostnames": [], "mtls_certificate_id": authority})
    account.call("DELETE", certificate)


def test_hostnames_that_are_refused(account: Sandbox, zone: str) -> None:
    path = f"{zone}/certificate_authorities/hostname_associations"
    leaf = upload(account, ca=False, private_key=KEY)
    for body, status, code in (
        ({"hostnames": ["api.example.org"]}, 400, 1474),
        ({"hostnames": [], "mtls_certificate_id": "0" * 32}, 404, 1472),
        ({"hostnames": [], "mtls_certificate_id": leaf}, 400, 1473),
    ):
        assert account.call("PUT", path, body, expect=status)["code"] == code


def test_a_worker_binds_a_certificate_there_is(account: Sandbox) -> None:
    leaf = upload(account, ca=False, private_key=KEY)
    binding = {"name": "CERT", "type": "mtls_certificate", "certificate_id": "0" * 32}
    answer = send(account, "PUT", "app", form(metadata={"bindings": [binding]}))
    assert answer.json()["errors"][0]["code"] == 10083
    answer = send(account, "PUT", "app", form(metadata={"bindings": [{**binding, "certificate_id": leaf}]}))
    assert answer.status_code == 200
    used = account.call("GET", f"{account.account}/mtls_certificates/{leaf}/associations")
    assert used == [{"service": "workers", "status": "active"}]
