"""Equal calls count as equal."""

from __future__ import annotations

import pytest

from trailboss.cloud.stats import Stats, template

A = "/accounts/0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"{A}/workers/scripts", "/accounts/{}/workers/scripts"),
        (f"{A}/workers/scripts/shop/versions/11111111-2222-3333-4444-555555555555",
         "/accounts/{}/workers/scripts/{}/versions/{}"),
        (f"{A}/workers/workers/shop/versions/latest", "/accounts/{}/workers/workers/{}/versions/latest"),
        (f"{A}/workers/services/shop?expand=1", "/accounts/{}/workers/services/{}"),
        (f"{A}/d1/database/my-db/query", "/accounts/{}/d1/database/{}/query"),
        (f"{A}/r2/buckets/b/objects/a/b/c.txt", "/accounts/{}/r2/buckets/{}/objects/{}"),
        (f"{A}/storage/kv/namespaces/n/values/some%2Fkey", "/accounts/{}/storage/kv/namespaces/{}/values/{}"),
        (f"{A}/storage/kv/namespaces/n/bulk", "/accounts/{}/storage/kv/namespaces/{}/bulk"),
        (f"{A}/workers/subdomain", "/accounts/{}/workers/subdomain"),
        ("/user/tokens/verify", "/user/tokens/verify"),
        ("https://other/host", "(another host)"),
    ],
)  # fmt: skip
def test_templates(path: str, shown: str) -> None:
    assert template(path) == shown


def test_an_unmetered_target_shows_no_share() -> None:
    assert "budget" not in str(Stats())
    assert Stats(budget_used=48, budget_limit=960).budget_share == 0.05
