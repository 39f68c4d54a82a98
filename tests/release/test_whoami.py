from __future__ import annotations

import pytest

from tests.release.conftest import Desk
from trailboss.errors import AuthenticationError
from trailboss.release.whoami import whoami


def test_a_user_token(desk: Desk) -> None:
    found = desk.run(whoami)
    assert (found.kind, found.status, found.notes) == ("user token", "active", ())
    assert found.email and [account.active for account in found.accounts] == [True]
    assert found.accounts[0].roles


def test_an_account_owned_token_says_what_it_may_not_see(desk: Desk) -> None:
    refused = {"effect": "status", "status": 403, "code": 10000, "method": "GET"}
    rules = [
        {**refused, "path": "/user/tokens/verify", "status": 401, "code": 1000},
        {**refused, "path": "/memberships"},
        {**refused, "path": "/user", "code": 9109},
    ]
    desk.account.control("PUT", "faults", rules)
    found = desk.run(whoami)
    assert (found.kind, found.email) == ("account token", None)
    assert len(found.notes) >= 2 and found.accounts


def test_credentials_that_are_refused_altogether(desk: Desk) -> None:
    rule = {"effect": "status", "status": 401, "code": 10000, "method": "GET", "path": "*"}
    desk.account.control("PUT", "faults", [rule])
    with pytest.raises(AuthenticationError):
        desk.run(whoami)
