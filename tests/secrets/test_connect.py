"""The Connect backend against a server on loopback that answers as the API is published."""

from __future__ import annotations

import asyncio

import pytest

from tests.secrets.standin_connect import TOKEN, Server, identity
from trailboss.errors import SecretError
from trailboss.secrets.backends import Answer, Unresolved
from trailboss.secrets.backends.connect import Connect
from trailboss.secrets.reference import Reference
from trailboss.values import Secret


def ask(server: Server | str, *texts: str, token: str = TOKEN) -> dict[str, Answer]:
    host = server if isinstance(server, str) else server.url
    backend = Connect(host, Secret(token), timeout=5)
    found = asyncio.run(backend.resolve([Reference.parse(text) for text in texts]))
    return {str(reference): answer for reference, answer in found.items()}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("op://prod/Stripe/secret key", "sk_live_1"),
        ("op://PROD/STRIPE/Publishable-KEY", "pk_live_1"),
        ("op://prod/Stripe/b/key", "in-b"),
        (f"op://{identity('prod')}/{identity('Stripe')}/{identity('a')}/key", "in-a"),
        (f"op://prod/{'b' * 26}/password", "second"),
        (f"op://prod/Stripe/{identity('secret key')}", "sk_live_1"),
        ("op://prod/Stripe/code?attribute=otp", "123456"),
        ("op://prod/Stripe/code?attribute=type", "OTP"),
        ("op://prod/Stripe/notes.txt", "a file"),
        ("op://App Staging/api/token", "staging-token"),
        ("op://prod/db/password", "two\nlines {{ op://prod/db/x }} ${Y}\n"),
    ],
)
def test_values(connect: Server, text: str, value: str) -> None:
    (answer,) = ask(connect, text).values()
    assert isinstance(answer, Secret) and answer.reveal() == value


@pytest.mark.parametrize(
    ("text", "part", "reason", "known"),
    [
        ("op://prd/Stripe/key", "vault", "unknown", "prod"),
        ("op://prod/Strpe/key", "item", "unknown", "Stripe"),
        ("op://prod/twice/password", "item", "ambiguous", ""),
        ("op://prod/Stripe/c/key", "section", "unknown", "a"),
        ("op://prod/Stripe/nope", "field", "unknown", "secret key"),
        ("op://prod/Stripe/key", "field", "ambiguous", ""),
        ("op://prod/Stripe/x.bin", "field", "unsupported", ""),
        ("op://prod/Stripe/secret key?attribute=otp", "attribute", "unsupported", ""),
        ("op://prod/Stripe/secret key?attribute=colour", "attribute", "unknown", "value"),
        ("op://prod/Stripe/secret key?ssh-format=openssh", "attribute", "unsupported", ""),
    ],
)
def test_what_is_wrong(connect: Server, text: str, part: str, reason: str, known: str) -> None:
    (answer,) = ask(connect, text).values()
    assert isinstance(answer, Unresolved)
    assert (answer.part, answer.reason) == (part, reason)
    assert not known or known in answer.known


def test_an_item_is_read_once_and_items_at_the_same_time(connect: Server) -> None:
    connect.vaults = {
        "v": [
            {"title": f"item {n}", "fields": [{"label": f"f{m}", "value": f"{n}.{m}"} for m in range(5)]}
            for n in range(10)
        ]
    }
    found = ask(connect, *(f"op://v/item {n}/f{m}" for n in range(10) for m in range(5)))
    assert [a.reveal() for a in found.values() if isinstance(a, Secret)] == [
        f"{n}.{m}" for n in range(10) for m in range(5)
    ]
    # One list of vaults; of each item one look for its title and one for its fields.
    assert len(connect.seen) == 1 + 2 * 10
    assert connect.most_at_once <= 8


def test_an_archived_item_does_not_make_a_title_ambiguous(connect: Server) -> None:
    fields = [{"label": "f", "value": "new"}]
    connect.vaults = {
        "v": [
            {"title": "i", "fields": fields},
            {"title": "i", "id": "a" * 26, "fields": [], "state": "ARCHIVED"},
        ]
    }
    (answer,) = ask(connect, "op://v/i/f").values()
    assert isinstance(answer, Secret)


@pytest.mark.parametrize(
    ("status", "code"), [(403, "TB7045"), (429, "TB7046"), (500, "TB7047"), (302, "TB7047")]
)
def test_refusals(connect: Server, status: int, code: str) -> None:
    connect.status = status
    with pytest.raises(SecretError) as caught:
        ask(connect, "op://prod/db/password")
    assert caught.value.code == code


def test_a_wrong_token_is_not_shown(connect: Server) -> None:
    with pytest.raises(SecretError) as caught:
        ask(connect, "op://prod/db/password", token="eyJ-wrong")
    assert caught.value.code == "TB7044"
    assert "eyJ" not in str(caught.value)


def test_what_is_no_json_and_no_server(connect: Server) -> None:
    connect.body = b"<html>sk_live_1"
    with pytest.raises(SecretError, match="not JSON") as caught:
        ask(connect, "op://prod/db/password")
    assert "sk_live" not in str(caught.value)
    for host in ("http://127.0.0.1:1", "ftp://x", "http://"):
        with pytest.raises(SecretError) as caught:
            ask(host, "op://prod/db/password")
        assert caught.value.code == "TB7047"
