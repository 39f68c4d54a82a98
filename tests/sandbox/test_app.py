"""The frame every route stands in: guard, credentials, unknown routes, envelope."""

from __future__ import annotations

from statistics import median

import httpx
import pytest

from tests.conftest import Sandbox


def test_whoami_knows_the_one_user(account: Sandbox) -> None:
    assert account.call("GET", "/user/tokens/verify")["status"] == "active"
    assert account.call("GET", "/user")["email"].endswith("@sandbox.localhost")


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        ("", 400, 9106),
        ("Basic abc", 400, 6003),
        ("Bearer two words", 400, 6003),
        ("Bearer wrong", 403, 10000),
    ],
)
def test_credentials_are_refused_as_cloudflare_does(
    account: Sandbox, header: str, status: int, code: int
) -> None:
    headers = {"authorization": header} if header else {}
    answer = httpx.get(f"{account.connection.api_url}/user", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


def test_verify_says_that_a_token_is_unknown(account: Sandbox) -> None:
    url = f"{account.connection.api_url}/user/tokens/verify"
    answer = httpx.get(url, headers={"authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, 1000)


def test_another_account_is_not_ours(account: Sandbox) -> None:
    assert account.call("GET", f"/accounts/{'0' * 32}/tokens/verify", expect=403)["code"] == 10000
    assert account.call("GET", "/accounts/nonsense/tokens/verify", expect=404)["code"] == 7003


def test_unknown_routes_and_methods(account: Sandbox) -> None:
    assert account.call("GET", f"{account.account}/nothing/here", expect=400)["code"] == 7000
    assert account.call("DELETE", "/user/tokens", expect=405)["code"] == 10405


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
def test_strangers_are_turned_away_before_anything(account: Sandbox, headers: dict[str, str]) -> None:
    for url in (f"{account.connection.api_url}/user", f"{account.connection.control_url}/status"):
        assert account.http.get(url, headers=headers).status_code == 403


def test_the_control_plane_wants_the_token(account: Sandbox) -> None:
    assert httpx.get(f"{account.connection.control_url}/status").status_code == 403


def test_an_answer_is_sent_at_once(account: Sandbox) -> None:
    """Head and body without Nagle's delay between them, which would be 40 ms for almost every answer."""
    url = f"{account.connection.api_url}/user"
    assert median(account.http.get(url).elapsed.total_seconds() for _ in range(40)) < 0.03
